package archive

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"

	"golang.org/x/crypto/poly1305" //nolint:staticcheck // the format is defined with Poly1305-AES, which is only to be had by the bare function
)

const (
	ivSize  = aes.BlockSize
	macSize = poly1305.TagSize
	// overhead is by how much what is sealed is longer, in bytes.
	overhead = ivSize + macSize
)

// errSealed is that of bytes that were not sealed with this key, or were changed since.
var errSealed = errors.New("the content does not match its authentication code: it was changed, cut off, or written with another key")

// secret is a key as repositories store it: AES-256, and Poly1305-AES.
type secret struct {
	MAC struct {
		K []byte `json:"k"` // 16 bytes, AES-128
		R []byte `json:"r"` // 16 bytes, Poly1305; its fixed bits are cleared when it is used
	} `json:"mac"`
	Encrypt []byte `json:"encrypt"` // 32 bytes
}

// newSecret is a random one.
func newSecret() *secret {
	var raw [64]byte
	rand.Read(raw[:])
	return secretFrom(raw[:])
}

// secretFrom divides 64 bytes as the format does.
func secretFrom(raw []byte) *secret {
	s := &secret{Encrypt: raw[:32]}
	s.MAC.K, s.MAC.R = raw[32:48], raw[48:64]
	return s
}

// sealer encrypts and authenticates. It may be used concurrently.
type sealer struct {
	encrypt, mac cipher.Block
	r            [16]byte
}

func newSealer(s *secret) (*sealer, error) {
	if len(s.Encrypt) != 32 || len(s.MAC.K) != 16 || len(s.MAC.R) != 16 {
		return nil, errors.New("the key has not the lengths that the format states (32, 16 and 16 bytes)")
	}
	encrypt, err := aes.NewCipher(s.Encrypt)
	if err != nil {
		return nil, err
	}
	mac, err := aes.NewCipher(s.MAC.K)
	if err != nil {
		return nil, err
	}
	return &sealer{encrypt: encrypt, mac: mac, r: [16]byte(s.MAC.R)}, nil
}

// seal appends plain to dst, encrypted: IV, ciphertext, MAC.
func (s *sealer) seal(dst, plain []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, ivSize)...)
	rand.Read(dst[at:])
	iv := [ivSize]byte(dst[at:])
	dst = append(dst, plain...)
	text := dst[at+ivSize:]
	cipher.NewCTR(s.encrypt, iv[:]).XORKeyStream(text, text)
	tag := s.tag(iv, text)
	return append(dst, tag[:]...)
}

// open decrypts in place and returns what is plain, a part of sealed.
func (s *sealer) open(sealed []byte) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, errSealed
	}
	iv := [ivSize]byte(sealed)
	text, mac := sealed[ivSize:len(sealed)-macSize], sealed[len(sealed)-macSize:]
	if tag := s.tag(iv, text); subtle.ConstantTimeCompare(tag[:], mac) != 1 {
		return nil, errSealed
	}
	cipher.NewCTR(s.encrypt, iv[:]).XORKeyStream(text, text)
	return text, nil
}

// tag is Poly1305-AES of the ciphertext, with the IV as nonce.
func (s *sealer) tag(iv [ivSize]byte, text []byte) (tag [macSize]byte) {
	var key [32]byte
	copy(key[:16], s.r[:])
	s.mac.Encrypt(key[16:], iv[:])
	poly1305.Sum(&tag, text, &key)
	return tag
}

func randomBytes() (b [32]byte) {
	rand.Read(b[:])
	return b
}
