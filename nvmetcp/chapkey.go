package nvmetcp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
)

// Key is a secret for authentication (DH-HMAC-CHAP), as nvme gen-dhchap-key
// writes it and SPDK's keyring_file_add_key reads it.
type Key struct {
	secret []byte // 32, 48 or 64 bytes
	hash   uint8  // by which the secret is bound to a NQN before it is used, 0 for none
}

// NewKey is a random key of 32 bytes.
func NewKey() *Key {
	k := &Key{secret: make([]byte, 32), hash: hashSHA256}
	rand.Read(k.secret)
	return k
}

// ErrKey is the error of a key that cannot be read. It does not say what was read.
var ErrKey = errors.New("nvmetcp: not a key of the form \"DHHC-1:HASH:BASE64:\"")

// ParseKey reads the text of a key.
func ParseKey(text string) (*Key, error) {
	secret, h, ok := parseSecret("DHHC-1", strings.TrimSpace(text), base64.StdEncoding)
	if n := len(secret); !ok || h > hashSHA512 || n != 32 && n != 48 && n != 64 {
		return nil, ErrKey
	}
	return &Key{secret, h}, nil
}

// Text is what ParseKey reads.
func (k *Key) Text() string {
	return secretText("DHHC-1", k.secret, k.hash)
}

// String says nothing of the key, so that it gets into no log.
func (k *Key) String() string { return "a key" }

// of is the key as the one who has that NQN uses it.
func (k *Key) of(nqn string) []byte {
	if k.hash == 0 {
		return k.secret
	}
	m := hmac.New(hashes[k.hash], k.secret)
	m.Write([]byte(nqn))
	m.Write([]byte("NVMe-over-Fabrics"))
	return m.Sum(nil)
}

// Hash functions, by the numbers that NVMe has for them.
const (
	hashSHA256 = 1
	hashSHA384 = 2
	hashSHA512 = 3
)

var hashes = map[uint8]func() hash.Hash{hashSHA256: sha256.New, hashSHA384: sha512.New384, hashSHA512: sha512.New}

// proof is the answer to a challenge, by who has the key and calls himself self.
func (c *chap) proof(k *Key, role string, seq uint32, self, other string, challenge []byte) []byte {
	if c.secret != nil {
		h := hashes[c.hash]()
		h.Write(c.secret)
		m := hmac.New(hashes[c.hash], h.Sum(nil))
		m.Write(challenge)
		challenge = m.Sum(nil)
	}
	m := hmac.New(hashes[c.hash], k.of(self))
	m.Write(challenge)
	b := binary.LittleEndian.AppendUint32(nil, seq)
	b = binary.LittleEndian.AppendUint16(b, c.tid)
	b = append(b, 0) // no secure channel
	m.Write(append(b, role...))
	m.Write(append([]byte(self), 0))
	m.Write([]byte(other))
	return m.Sum(nil)
}

const (
	asHost   = "HostHost"
	asTarget = "Controller"
)

// chap is one authentication, as both ends know it.
type chap struct {
	tid    uint16
	hash   uint8
	group  uint8
	secret []byte // that both have agreed on, nil with the null group
}

// size is the length of hashes.
func (c *chap) size() int { return hashes[c.hash]().Size() }
