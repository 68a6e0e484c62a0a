package lineage

import (
	"strconv"
	"strings"
)

// A volume that is laid out over several is the whole, and these are its parts. Each
// part is a volume as any other but for its name, the whole's with a number, which no
// user can give. All parts have the ID of the whole, which is theirs alone: nothing on
// disk has the name of the whole itself.

// MaxParts is how many parts a whole has at most.
const MaxParts = 64

// MaxWhole is the longest name of a whole, in bytes: those of its parts are longer.
const MaxWhole = MaxName - len(".63")

// MaxStripKiB is the largest strip of a striped whole, in KiB; strips are powers of two
// from MinStripKiB on.
const (
	MinStripKiB = 4
	MaxStripKiB = 1024
)

// PartName is the name of the part of that index, from 0.
func PartName(whole string, index int) string { return whole + "." + strconv.Itoa(index) }

// Part is a part of a whole.
type Part struct {
	Whole string
	Index int // from 0
}

// SplitPart takes the name of a part apart; false for any other.
func SplitPart(volume string) (Part, bool) {
	whole, index, ok := strings.Cut(volume, ".")
	if !ok || !ValidName(whole) || len(whole) > MaxWhole {
		return Part{}, false
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= MaxParts || strconv.Itoa(i) != index {
		return Part{}, false
	}
	return Part{whole, i}, true
}

// ValidVolume reports whether s can name a volume: one of a user's, or a part.
func ValidVolume(s string) bool {
	if _, part := SplitPart(s); part {
		return true
	}
	return ValidName(s)
}

// Whole is the incarnation that a part is of; that itself for one that is no part.
func (v Volume) Whole() Volume {
	if p, ok := SplitPart(v.Name); ok {
		v.Name = p.Whole
	}
	return v
}

// Layout is how the parts of a whole follow one another. Its order is that of their
// numbers, so with it a part says all that its whole can be assembled by.
type Layout struct {
	Parts    int // how many
	StripKiB int // of a striped one; 0 where the parts follow one another
}

// String is the layout as it stands in the names of heads: "3", or "3x64" where strips
// of 64 KiB go round three parts.
func (l Layout) String() string {
	s := strconv.Itoa(l.Parts)
	if l.StripKiB > 0 {
		s += "x" + strconv.Itoa(l.StripKiB)
	}
	return s
}

// ValidStrip reports whether a strip can have so many KiB.
func ValidStrip(kib int) bool {
	return kib >= MinStripKiB && kib <= MaxStripKiB && kib&(kib-1) == 0
}

func parseLayout(s string) (l Layout, ok bool) {
	parts, strip, striped := strings.Cut(s, "x")
	n, ok := parseNumber(parts)
	if l.Parts = int(n); !ok || l.Parts > MaxParts {
		return Layout{}, false
	}
	if striped {
		k, ok := parseNumber(strip)
		if l.StripKiB = int(k); !ok || !ValidStrip(l.StripKiB) {
			return Layout{}, false
		}
	}
	return l, true
}

// SplitVolume takes apart what names a volume or, with its ID behind a point, one
// incarnation of it. It does not look at whether the names are valid.
func SplitVolume(s string) Volume {
	at := strings.LastIndexByte(s, '.')
	if _, part := SplitPart(s); part || at < 0 {
		return Volume{Name: s}
	}
	return Volume{Name: s[:at], ID: ID(s[at+1:])}
}
