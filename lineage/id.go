package lineage

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// idLen is the length of an ID in characters, five bits each.
const idLen = 4

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ValidID reports whether id is four characters of the base32 alphabet.
func ValidID(id ID) bool {
	if len(id) != idLen {
		return false
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// notID ends the names of disks: the RAID of a volume that is called as a pool
// would have the name of its disk.
const notID ID = "disk"

// NewID derives the ID of a new incarnation from nonce, which the caller has
// drawn at random, and avoids those that taken reports.
func NewID(nonce []byte, volume string, taken func(ID) bool) ID {
	for try := 0; ; try++ {
		h := sha256.Sum256(fmt.Appendf(nil, "%x/%s/%d", nonce, volume, try))
		if id := ID(idEncoding.EncodeToString(h[:])[:idLen]); id != notID && !taken(id) {
			return id
		}
	}
}

// uuidOf derives a name-based UUID (RFC 9562 version 8, SHA-256) from parts.
func uuidOf(parts ...any) UUID {
	h := sha256.Sum256(fmt.Append([]byte("strata "), parts...))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return UUID(fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
