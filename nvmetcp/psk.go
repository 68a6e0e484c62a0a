package nvmetcp

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// PSK is a secret that a host and a target have before they encrypt what they send (TLS), as nvme
// gen-tls-key writes it and SPDK's keyring_file_add_key reads it. This package encrypts nothing.
type PSK struct {
	secret []byte // 32 or 48 bytes
	hash   uint8  // by which the key that is used is derived from it, 0 for none
}

// NewPSK is a random one of 32 bytes.
func NewPSK() *PSK {
	p := &PSK{secret: make([]byte, 32), hash: hashSHA256}
	rand.Read(p.secret)
	return p
}

// ErrPSK is the error of one that cannot be read. It does not say what was read.
var ErrPSK = errors.New("nvmetcp: not a key of the form \"NVMeTLSkey-1:HASH:BASE64:\"")

// ParsePSK reads the text of one, to the byte: targets take no blank, and no end of a line.
func ParsePSK(text string) (*PSK, error) {
	secret, h, ok := parseSecret("NVMeTLSkey-1", text, base64.StdEncoding.Strict())
	fits := map[uint8][]int{0: {32, 48}, hashSHA256: {32}, hashSHA384: {48}}
	if !ok || strings.ContainsAny(text, "\r\n") || !slices.Contains(fits[h], len(secret)) {
		return nil, ErrPSK
	}
	return &PSK{secret, h}, nil
}

// Text is what ParsePSK reads.
func (p *PSK) Text() string {
	return secretText("NVMeTLSkey-1", p.secret, p.hash)
}

// String says nothing of it, so that it gets into no log.
func (p *PSK) String() string { return "a key" }

// GoString is the same.
func (p *PSK) GoString() string { return "a key" }
