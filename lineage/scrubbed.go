package lineage

import (
	"strconv"
	"strings"
)

// Scrubbed is what a place says of the layers of a replica there: when they were read and
// compared with those of the other replicas, and what came of it. It is the name of an lvol
// beside them that nothing is ever written to.
//
//	<volume>.<id>!<whole>[~<began>.<through>][=<damaged> or -<damaged>][?], times in base 36
type Scrubbed struct {
	Volume Volume
	Whole  int64 // when the last round began that has come to its end, in seconds since 1970; 0: none has
	Began  int64 // when the one in hand began, which is after Whole; 0: none is
	// Through is the layer that was compared last in the round in hand, by its epoch, and with it
	// all below it.
	Through Epoch
	// Damaged is the oldest layer whose copy here is not as it was, or taken not to be, by its
	// epoch; 0: none is known. Of what is younger nobody knows: it may have some of that layer,
	// for a target copies what hosts write around, and all of it where that layer was deleted.
	Damaged Epoch
	// Anew is set once everything from Damaged on was deleted here, and the replica is no
	// current one: what layers there are since were copied from another. A head that is older
	// has what was damaged still.
	Anew bool
	// Differs is set when the copy of a layer here was not like the others, in the round in
	// hand or else in the last, and nobody can tell whether it should be.
	Differs bool
}

// Of returns the incarnation that it is about.
func (s Scrubbed) Of() Volume { return s.Volume }

// Hurt is the epoch from which on layers here are known to be damaged, or may be; 0 for none.
func (s Scrubbed) Hurt() Epoch {
	if s.Anew {
		return 0
	}
	return s.Damaged
}

// Last is when the youngest round began that it knows of; 0 for none.
func (s Scrubbed) Last() int64 { return max(s.Whole, s.Began) }

// Lvol formats the name.
func (s Scrubbed) Lvol() LvolName {
	b := append([]byte(s.Volume.String()), '!')
	b = strconv.AppendInt(b, s.Whole, timeBase)
	if s.Began > 0 {
		b = strconv.AppendInt(append(b, '~'), s.Began, timeBase)
		b = strconv.AppendUint(append(b, '.'), uint64(s.Through), 10)
	}
	if s.Damaged > 0 {
		mark := byte('=')
		if s.Anew {
			mark = '-'
		}
		b = strconv.AppendUint(append(b, mark), uint64(s.Damaged), 10)
	}
	if s.Differs {
		b = append(b, '?')
	}
	return LvolName(b)
}

const (
	timeBase = 36
	// maxTime is the last that has seven digits, for which names of the longest volumes have
	// room.
	maxTime = 36*36*36*36*36*36*36 - 1
)

// ParseScrubbed is Parse for what says when layers were compared: false for every other name.
func ParseScrubbed(name LvolName) (Scrubbed, bool) {
	n, _ := Parse(name)
	s, ok := n.(Scrubbed)
	return s, ok
}

func parseScrubbed(v Volume, text string) (Name, bool) {
	s := Scrubbed{Volume: v}
	rest, differs := strings.CutSuffix(text, "?")
	s.Differs = differs
	var ok bool
	if i := strings.IndexAny(rest, "=-"); i >= 0 {
		if s.Damaged, ok = parseEpoch(rest[i+1:]); !ok {
			return nil, false
		}
		s.Anew, rest = rest[i] == '-', rest[:i]
	}
	if before, hand, is := strings.Cut(rest, "~"); is {
		began, through, dot := strings.Cut(hand, ".")
		if s.Began, ok = parseTime(began); !ok || !dot || s.Began == 0 {
			return nil, false
		}
		if s.Through, ok = parseEpoch(through); !ok {
			return nil, false
		}
		rest = before
	}
	if s.Whole, ok = parseTime(rest); !ok || s.Began > 0 && s.Began <= s.Whole {
		return nil, false
	}
	return s, true
}

func parseTime(s string) (int64, bool) {
	t, err := strconv.ParseInt(s, timeBase, 64)
	return t, err == nil && t >= 0 && t <= maxTime && strconv.FormatInt(t, timeBase) == s
}
