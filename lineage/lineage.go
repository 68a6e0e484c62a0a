// Package lineage owns the names strata gives to what it makes on a target,
// and nothing else: it formats and parses them. Names are the only durable
// marker every SPDK build offers, so they carry identity and history:
//
//	head     <volume>.<id>#<epoch>.<legs>[.<cut>][:<layout>][=<check>][w|q][p|s], or #<epoch>[.<cut>][:<layout>][=<check>]x or …y
//	layer    <volume>.<id>@<epoch>.[~]<snapshot>
//	staging  <volume>.<id>+<epoch>, or <volume>.<id>+~<from> with ~ after it, .<epoch>.<MiB>, or neither
//	scrubbed <volume>.<id>!<time>… (scrubbed.go)
//
// A name that does not parse is not strata's and is never touched.
package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxLvolName is the longest lvol name stock SPDK accepts, in bytes
// (bdev_lvol_create answers -22 from 64 on).
const MaxLvolName = 63

// MaxName is the longest name of a cluster, node, pool, volume or snapshot, in
// bytes. With it, and epochs up to MaxEpoch, every name of this package fits into
// MaxLvolName.
const MaxName = 24

// Node is the name of a host with one spdk_tgt.
type Node string

// LvolName is an lvol's name within its lvstore, without the lvstore's.
type LvolName string

// UUID is a lower-case UUID as SPDK prints it.
type UUID string

// Epoch counts the changes of a volume's set of current replicas, from 1.
type Epoch uint32

// Forced is how far the epoch jumps when the operator names an authority. An
// engine that cannot be read may mint epochs nobody sees, one at a time; it must
// never catch up with those that replaced it.
const Forced Epoch = 1000

// MaxEpoch is the highest epoch that a head or a layer can have. A name with a
// higher one is not strata's.
const MaxEpoch Epoch = 9_999_999

// Last reports whether no further epoch is to be minted after e: more than
// the longest jumps have to fit below MaxEpoch, so that a procedure which has
// begun comes to its end.
func (e Epoch) Last() bool { return e > MaxEpoch-10*Forced }

// NoLayer is an epoch that no layer ever has. A staging lvol that it names, or
// one of the few below it, is to go, and receives none.
const (
	NoLayer      Epoch = 1<<32 - 1
	firstNoLayer       = NoLayer - 999
)

// ID tells one incarnation of a volume from the next: four base32 characters.
type ID string

// Pending stands for an ID that has not been drawn yet. A plan that is only
// shown has it, so that the same input gives the same text; nothing on a
// target ever carries it.
const Pending ID = "????"

// Volume is one incarnation of a volume.
type Volume struct {
	Name string
	ID   ID
}

func (v Volume) String() string { return v.Name + "." + string(v.ID) }

// Mark says what is known of a head beyond its epoch.
type Mark byte

// The marks of a head.
const (
	Open    Mark = 0   // in use, or was when its target went away
	Primary Mark = 'p' // open, and local to the engine: the authority of its epoch
	Sealed  Mark = 's' // drained and equal to every other sealed head of the epoch; with Wait, told of an epoch that was about to begin while hosts wrote
	Fenced  Mark = 'x' // known to be stale; the volume is at least at this epoch
)

// pledged stands for Fenced in the name of a head that is Pledged.
const pledged = 'y'

// Name is a parsed lvol name: a Head, a Layer, a Staging or a Scrubbed.
type Name interface {
	Of() Volume
	Lvol() LvolName
}

// Head is the live lvol on top of a replica's layers.
type Head struct {
	Volume Volume
	Epoch  Epoch
	// Legs is the number of current replicas when the epoch was minted; 0 for
	// a fenced head. A RAID with fewer configured legs than its heads name has
	// lost one since, and the next epoch is due.
	Legs int
	// Cut is the epoch of the youngest layer that was cut on every current
	// replica at once; 0 when there is none. A layer of a later epoch is what
	// an interrupted cut left: its copies need not be equal; but for one that was
	// cut with a group of volumes, of which another says that it counts. A fenced
	// head has the one it had when it was current.
	Cut Epoch
	// Wait is set when the epoch was minted while all other legs were reached over
	// links that wait, one at least: then whatever was acknowledged in it, each of its
	// legs has, unless the names say by now that it was let go. Never in a fenced head.
	Wait bool
	// Quorum is set, beside Wait, when none of those legs is let go before half of them, at
	// least, were told of the epoch that leaves it out. So whoever reads more than half of
	// them, and finds none that was told, knows that none was let go.
	Quorum bool
	// Pledged is set in a fenced head whose epoch a failover was about to begin. It is fenced
	// by that epoch as by any other; but as long as more than half of the legs of the one
	// before are so, or as they were in that, nothing was served in it.
	Pledged bool
	Mark    Mark
	// Layout is how the whole is laid out that the volume is a part of; zero for one
	// that is no part, and in names where it is not known.
	Layout Layout
	// Check tells a wrong key of an encrypted volume; "" of one that is not encrypted.
	Check Check
}

// Layer is a snapshot in a replica's stack.
type Layer struct {
	Volume   Volume
	Epoch    Epoch  // in which it was taken
	Snapshot string // the user's name for it
	Own      bool   // strata's, not the user's
}

// Join is what the layers are called that are cut as a replica joins: the only ones that are
// ever read through from other nodes.
const Join = "join"

// Joint reports whether a layer was cut as a replica joined.
func (l Layer) Joint() bool { return l.Own && l.Snapshot == Join }

// Of returns the incarnation the head belongs to.
func (h Head) Of() Volume { return h.Volume }

// Told is how many of the legs of a head's epoch are told of the next, or found to be
// unreachable for good by a person, before any of them is let go.
func (h Head) Told() int {
	if h.Quorum {
		return (h.Legs + 1) / 2
	}
	return 1
}

// Untold is how many of the legs of a head's epoch have to be found as they were named
// in it, so that it is sure that none of them was let go: one more than can be left out
// when Told were told; 0 where nothing is sure, for links did not wait.
func (h Head) Untold() int {
	if !h.Wait {
		return 0
	}
	return h.Legs - h.Told() + 1
}

// Of returns the incarnation the layer belongs to.
func (l Layer) Of() Volume { return l.Volume }

// Lvol formats the head's name.
func (h Head) Lvol() LvolName {
	b := append([]byte(h.Volume.String()), '#')
	b = strconv.AppendUint(b, uint64(h.Epoch), 10)
	if h.Legs > 0 {
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(h.Legs), 10)
	}
	if h.Cut > 0 {
		b = append(b, '.')
		b = strconv.AppendUint(b, uint64(h.Cut), 10)
	}
	if h.Layout != (Layout{}) {
		b = append(b, ':')
		b = append(b, h.Layout.String()...)
	}
	if h.Check != "" {
		b = append(b, checkMark...)
		b = append(b, h.Check...)
	}
	switch {
	case h.Quorum:
		b = append(b, 'q')
	case h.Wait:
		b = append(b, 'w')
	}
	switch {
	case h.Pledged:
		b = append(b, pledged)
	case h.Mark != Open:
		b = append(b, byte(h.Mark))
	}
	return LvolName(b)
}

// Lvol formats the layer's name.
func (l Layer) Lvol() LvolName {
	own := ""
	if l.Own {
		own = "~"
	}
	return LvolName(fmt.Sprintf("%s@%d.%s%s", l.Volume, l.Epoch, own, l.Snapshot))
}

// ValidName reports whether s can name a cluster, node, pool, volume or
// snapshot: 1 to MaxName bytes of [a-z0-9-], not starting with a hyphen.
func ValidName(s string) bool {
	if s == "" || len(s) > MaxName || s[0] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// ParseHead is Parse for heads: false for every other name.
func ParseHead(name LvolName) (Head, bool) {
	n, _ := Parse(name)
	h, ok := n.(Head)
	return h, ok
}

// ParseLayer is Parse for layers: false for every other name.
func ParseLayer(name LvolName) (Layer, bool) {
	n, _ := Parse(name)
	l, ok := n.(Layer)
	return l, ok
}

// Parse reads an lvol's name. It returns false for every name this package
// would not have formatted.
func Parse(name LvolName) (Name, bool) {
	s := string(name)
	at := strings.IndexAny(s, "#@+!")
	if at < 0 {
		return nil, false
	}
	v, ok := parseVolume(s[:at])
	if !ok {
		return nil, false
	}
	rest := s[at+1:]
	switch s[at] {
	case '#':
		return parseHead(v, rest)
	case '@':
		return parseLayer(v, rest)
	case '!':
		return parseScrubbed(v, rest)
	default:
		return parseStaging(v, rest)
	}
}

func parseVolume(s string) (Volume, bool) {
	at := strings.LastIndexByte(s, '.')
	if at < 0 {
		return Volume{}, false
	}
	name, id := s[:at], s[at+1:]
	if !ValidVolume(name) || !ValidID(ID(id)) && ID(id) != Pending {
		return Volume{}, false
	}
	return Volume{name, ID(id)}, true
}

func parseEpoch(s string) (Epoch, bool) {
	e, ok := parseNumber(s)
	return e, ok && e <= MaxEpoch
}

func parseNumber(s string) (Epoch, bool) {
	if s == "" || s[0] == '0' || s[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return Epoch(n), err == nil
}

func parseHead(v Volume, s string) (Name, bool) {
	h := Head{Volume: v}
	s, check, ok := cutCheck(s)
	if h.Check = check; s == "" || !ok {
		return nil, false
	}
	switch m := Mark(s[len(s)-1]); m {
	case Primary, Sealed, Fenced:
		h.Mark, s = m, s[:len(s)-1]
	case pledged:
		h.Mark, h.Pledged, s = Fenced, true, s[:len(s)-1]
	}
	if h.Mark != Fenced {
		if s, h.Quorum = strings.CutSuffix(s, "q"); h.Quorum {
			h.Wait = true
		} else {
			s, h.Wait = strings.CutSuffix(s, "w")
		}
	}
	if rest, layout, part := strings.Cut(s, ":"); part {
		_, is := SplitPart(v.Name)
		if h.Layout, ok = parseLayout(layout); !ok || !is {
			return nil, false
		}
		s = rest
	}
	numbers := strings.Split(s, ".")
	if h.Epoch, ok = parseEpoch(numbers[0]); !ok {
		return nil, false
	}
	numbers = numbers[1:]
	if h.Mark != Fenced {
		if len(numbers) == 0 {
			return nil, false
		}
		n, ok := parseEpoch(numbers[0])
		if !ok || n > 99 {
			return nil, false
		}
		h.Legs, numbers = int(n), numbers[1:]
	}
	if len(numbers) > 0 {
		if h.Cut, ok = parseEpoch(numbers[0]); !ok || len(numbers) > 1 {
			return nil, false
		}
	}
	return h, true
}

func parseLayer(v Volume, s string) (Name, bool) {
	epoch, snapshot, ok := strings.Cut(s, ".")
	if !ok {
		return nil, false
	}
	l := Layer{Volume: v}
	l.Snapshot, l.Own = strings.CutPrefix(snapshot, "~")
	if l.Epoch, ok = parseEpoch(epoch); !ok || !ValidName(l.Snapshot) {
		return nil, false
	}
	return l, true
}
