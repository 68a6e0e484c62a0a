package lineage

import (
	"fmt"
	"strconv"
	"strings"
)

// Staging is a stack that is being copied, or that is written from an archive.
type Staging struct {
	Volume Volume
	Epoch  Epoch // of the layer that is copied; 0 where From is set, but for a forerunner
	// From is the ID of the incarnation of which an archive has what is written, the volume's
	// own where a file has it; "" where a node copies.
	From ID
	// Follows is set, beside From, in one that is never written to, and says of its
	// incarnation that whatever is recorded of the other is written to it.
	Follows bool
	// MiB is set, beside From, in a forerunner: hosts use it while what an archive has is still
	// being written beside it, and it reads what nobody has written to it from the image of the
	// layer of From's that has Epoch. It is its size, which no listing tells while what it
	// reads through is away.
	MiB int64
}

// Forerunner reports whether hosts use the lvol, or may have used it, in place of a head.
func (s Staging) Forerunner() bool { return s.MiB > 0 }

// Size is that of a forerunner in bytes.
func (s Staging) Size() int64 { return s.MiB << 20 }

// Of returns the incarnation the stack belongs to.
func (s Staging) Of() Volume { return s.Volume }

// Lvol formats the name of the stack being copied.
func (s Staging) Lvol() LvolName {
	switch {
	case s.Forerunner():
		return LvolName(fmt.Sprintf("%s+~%s.%d.%d", s.Volume, s.From, s.Epoch, s.MiB))
	case s.Follows:
		return LvolName(fmt.Sprintf("%s+~%s~", s.Volume, s.From))
	case s.From != "":
		return LvolName(fmt.Sprintf("%s+~%s", s.Volume, s.From))
	}
	return LvolName(fmt.Sprintf("%s+%d", s.Volume, s.Epoch))
}

// ParseForerunner is Parse for forerunners: false for every other name.
func ParseForerunner(name LvolName) (Staging, bool) {
	if !strings.Contains(string(name), "+~") {
		return Staging{}, false // all names of a node are asked
	}
	n, _ := Parse(name)
	s, is := n.(Staging)
	return s, is && s.Forerunner()
}

func parseStaging(v Volume, s string) (Name, bool) {
	if from, archived := strings.CutPrefix(s, "~"); archived {
		if id, of, runs := strings.Cut(from, "."); runs {
			return parseForerunner(v, ID(id), of)
		}
		id, follows := strings.CutSuffix(from, "~")
		if !ValidID(ID(id)) && ID(id) != Pending {
			return nil, false
		}
		return Staging{Volume: v, From: ID(id), Follows: follows}, true
	}
	e, ok := parseNumber(s)
	if !ok || e > MaxEpoch && e < firstNoLayer {
		return nil, false
	}
	return Staging{Volume: v, Epoch: e}, true
}

func parseForerunner(v Volume, from ID, s string) (Name, bool) {
	epoch, size, ok := strings.Cut(s, ".")
	e, is := parseEpoch(epoch)
	mib, err := strconv.ParseInt(size, 10, 64)
	st := Staging{Volume: v, From: from, Epoch: e, MiB: mib}
	if !ok || !is || err != nil || mib <= 0 || mib > maxMiB || !ValidID(from) && from != Pending || st.Lvol() != LvolName(v.String()+"+~"+string(from)+"."+s) {
		return nil, false
	}
	return st, true
}

// maxMiB is the size of the largest forerunner that has a name: more than any disk has.
const maxMiB = 1 << 40
