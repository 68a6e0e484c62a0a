package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// CopyNote is the name of the bdev that says by which number a target knows the
// copy that it makes onto an lvol of a peer: it lists its copies to nobody, tells
// how one is only to who knows the number, and forgets the note when it ends, as
// it forgets the copy.
func (c Cluster) CopyNote(to UUID) string { return string(c) + ".copy." + string(to) }

// ParseCopyNote is the inverse of CopyNote; false for a bdev that is no such note.
func (c Cluster) ParseCopyNote(name string) (to UUID, ok bool) {
	rest, ok := strings.CutPrefix(name, string(c)+".copy.")
	return UUID(rest), ok && len(rest) == len("00000000-0000-0000-0000-000000000000")
}

// CopyMark is the UUID of a note: the number of the copy, and the alias of the layer
// that is copied.
func CopyMark(number uint32, layer string) UUID {
	return UUID(fmt.Sprintf("%08x", number)) + uuidOf("copy ", layer)[8:]
}

// ParseCopyMark is the inverse of CopyMark for a copy of that layer.
func ParseCopyMark(u UUID, layer string) (number uint32, ok bool) {
	if len(u) < 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(u[:8]), 16, 32)
	return uint32(n), err == nil && CopyMark(uint32(n), layer) == u
}
