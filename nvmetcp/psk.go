package nvmetcp

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
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
	part := strings.Split(text, ":")
	if len(part) != 4 || part[0] != "NVMeTLSkey-1" || part[3] != "" || len(part[1]) != 2 || part[1][0] != '0' {
		return nil, ErrPSK
	}
	h := part[1][1] - '0'
	b, err := base64.StdEncoding.Strict().DecodeString(part[2])
	if err != nil || strings.ContainsAny(part[2], "\r\n") || len(b) < 4 {
		return nil, ErrPSK
	}
	secret := b[:len(b)-4]
	fits := map[uint8][]int{0: {32, 48}, hashSHA256: {32}, hashSHA384: {48}}
	for _, n := range fits[h] {
		if n == len(secret) && crc32.ChecksumIEEE(secret) == binary.LittleEndian.Uint32(b[n:]) {
			return &PSK{secret, h}, nil
		}
	}
	return nil, ErrPSK
}

// Text is what ParsePSK reads.
func (p *PSK) Text() string {
	b := binary.LittleEndian.AppendUint32(append([]byte(nil), p.secret...), crc32.ChecksumIEEE(p.secret))
	return fmt.Sprintf("NVMeTLSkey-1:%02d:%s:", p.hash, base64.StdEncoding.EncodeToString(b))
}

// String says nothing of it, so that it gets into no log.
func (p *PSK) String() string { return "a key" }

// GoString is the same.
func (p *PSK) GoString() string { return "a key" }
