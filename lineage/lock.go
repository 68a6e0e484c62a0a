package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// Lock is the name of the bdev whose UUID says who may change a node. A target
// makes no second bdev of that name, and forgets it when it ends.
func (c Cluster) Lock() string { return string(c) + ".lock" }

// LockWish is the name of the bdev by which somebody asks for a lock that a watch
// holds. Whose wish it is does not matter.
func (c Cluster) LockWish() string { return c.Lock() + "wish" }

// Seat is the name of the bdev whose UUID says which of several watches works.
func (c Cluster) Seat() string { return string(c) + ".watch" }

// LockNote says who holds a lock, or the seat. It is the name of a bdev beside the
// one that is held: a bdev has no other room for words.
type LockNote struct {
	Holder UUID
	By     string // user@host
	Realm  string // where PID means something: a boot of a machine
	PID    int    // of strata
	Guard  int    // PID of its guard; 0 for none
	Since  string // RFC 3339
	Seen   string // when the holder was last known to be alive; RFC 3339
	// Watch says that the holder is a watch: it gives way to others, gives a sign of
	// life each second, and does nothing more when it cannot.
	Watch bool
}

const lockNoteFields = 7

// LockNote is the name of the bdev that says n of the lock.
func (c Cluster) LockNote(n LockNote) string { return formatNote(c.Lock(), n) }

// SeatNote is the name of the bdev that says n of the seat.
func (c Cluster) SeatNote(n LockNote) string { return formatNote(c.Seat(), n) }

// ParseLockNote is the inverse of LockNote.
func (c Cluster) ParseLockNote(name string) (LockNote, bool) { return parseNote(c.Lock(), name) }

// ParseSeatNote is the inverse of SeatNote.
func (c Cluster) ParseSeatNote(name string) (LockNote, bool) { return parseNote(c.Seat(), name) }

const watchWord = " watch"

func formatNote(of string, n LockNote) string {
	s := fmt.Sprintf("%s holder=%s by=%s realm=%s pid=%d guard=%d since=%s seen=%s",
		of, n.Holder, n.By, n.Realm, n.PID, n.Guard, n.Since, n.Seen)
	if n.Watch {
		s += watchWord
	}
	return s
}

func parseNote(of, name string) (LockNote, bool) {
	rest, ok := strings.CutPrefix(name, of+" ")
	if !ok {
		return LockNote{}, false
	}
	var n LockNote
	rest, n.Watch = strings.CutSuffix(rest, watchWord)
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
	return n, len(fields) == lockNoteFields && formatNote(of, n) == name
}
