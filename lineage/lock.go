package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// Lock is the name of the bdev whose UUID says who may change a node. A target
// makes no second bdev of that name, and forgets it when it ends.
func (c Cluster) Lock() string { return string(c) + ".lock" }

// LockNote says who holds a lock. It is the name of a bdev beside the lock:
// a bdev has no other room for words.
type LockNote struct {
	Holder UUID
	By     string // user@host
	Realm  string // where PID means something: a boot of a machine
	PID    int    // of strata
	Guard  int    // PID of its guard; 0 for none
	Since  string // RFC 3339
	Seen   string // when the holder was last known to be alive; RFC 3339
}

const lockNoteFields = 7

// LockNote is the name of the bdev that says n.
func (c Cluster) LockNote(n LockNote) string {
	return fmt.Sprintf("%s holder=%s by=%s realm=%s pid=%d guard=%d since=%s seen=%s",
		c.Lock(), n.Holder, n.By, n.Realm, n.PID, n.Guard, n.Since, n.Seen)
}

// ParseLockNote is the inverse of LockNote.
func (c Cluster) ParseLockNote(name string) (LockNote, bool) {
	rest, ok := strings.CutPrefix(name, c.Lock()+" ")
	if !ok {
		return LockNote{}, false
	}
	var n LockNote
	fields := strings.Fields(rest)
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "holder":
			n.Holder = UUID(value)
		case "by":
			n.By = value
		case "realm":
			n.Realm = value
		case "pid":
			n.PID, _ = strconv.Atoi(value)
		case "guard":
			n.Guard, _ = strconv.Atoi(value)
		case "since":
			n.Since = value
		case "seen":
			n.Seen = value
		default:
			return LockNote{}, false
		}
	}
	return n, len(fields) == lockNoteFields && c.LockNote(n) == name
}
