package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"strata/lineage"
)

// VolumeKey is the key of a volume, in hexadecimal digits: what is encrypted with the first
// half, and its place with the second.
type VolumeKey struct {
	data, place string
	raw         []byte
}

// errNoKey never says what was there instead.
var errNoKey = errors.New("what is there is no key: it has to be 64 or 128 hexadecimal digits, as openssl rand -hex 64 prints them")

// ParseKey reads the key of a volume.
func ParseKey(text string) (VolumeKey, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 32 && len(raw) != 64 {
		return VolumeKey{}, errNoKey
	}
	k := VolumeKey{text[:len(text)/2], text[len(text)/2:], raw}
	if hmac.Equal(raw[:len(raw)/2], raw[len(raw)/2:]) {
		return VolumeKey{}, errors.New("what is there is no key: its two halves are the same")
	}
	return k, nil
}

// Halves are what a target is told.
func (k VolumeKey) Halves() (data, place string) { return k.data, k.place }

// Check tells whether it is the key of an incarnation of a volume: 20 bits of an HMAC, so
// that nothing is learnt of the key, nor whether two volumes have the same.
func (k VolumeKey) Check(c lineage.Cluster, v lineage.Volume) lineage.Check {
	h := hmac.New(sha256.New, k.raw)
	fmt.Fprintf(h, "strata check of %s/%s", c, v)
	return lineage.NewCheck(h.Sum(nil))
}

// String is for whoever prints one by mistake.
func (k VolumeKey) String() string { return "[a key]" }

// GoString is the same.
func (k VolumeKey) GoString() string { return k.String() }
