package state

import (
	"slices"

	"strata/lineage"
)

// Round is how far the comparing of a volume's layers is in some places.
type Round struct {
	Began   int64         // the last one, in seconds since 1970; 0: none has
	Open    bool          // it has not come to its end everywhere
	Through lineage.Epoch // while it is open: up to this layer all have been compared
}

// Scrubbed is the lvol that says of a place when the layers there were compared; nil for none.
func (inc *Incarnation) Scrubbed(at lineage.Place) *Lvol {
	var found *Lvol
	var last int64
	for _, o := range inc.Others {
		s, is := o.Lvol.Parsed.(lineage.Scrubbed)
		if is && o.Place() == at && (found == nil || s.Last() > last) {
			found, last = o.Lvol, s.Last()
		}
	}
	return found
}

// ScrubbedAt is what is said of a place; the zero value where nothing is.
func (inc *Incarnation) ScrubbedAt(at lineage.Place) lineage.Scrubbed {
	if l := inc.Scrubbed(at); l != nil {
		return l.Parsed.(lineage.Scrubbed)
	}
	return lineage.Scrubbed{Volume: inc.Volume}
}

// Damaged is the oldest layer in a place that is damaged, or may be; where that was deleted,
// which gave what it had to what stood on it, the oldest that is younger, or else the head. It is
// "" where no damage is known.
func (inc *Incarnation) Damaged(at lineage.Place) (oldest lineage.LvolName) {
	from := inc.ScrubbedAt(at).Hurt()
	if from == 0 {
		return ""
	}
	var epoch lineage.Epoch
	for name, l := range inc.Layers(at.Node, at.Lvstore) {
		if of := l.Parsed.(lineage.Layer); of.Epoch >= from && (oldest == "" || of.Epoch < epoch || of.Epoch == epoch && name < oldest) {
			oldest, epoch = name, of.Epoch
		}
	}
	for _, h := range inc.Heads {
		if oldest == "" && h.Place() == at {
			oldest = h.Lvol.Name
		}
	}
	return oldest
}

// Round is how far the last round is, by what is said of places. One that knows of an earlier
// round only, or of none, came later, or its lvol could not be renamed: it has part in that
// round as long as this is open.
func (inc *Incarnation) Round(places []lineage.Place) (r Round) {
	var all []lineage.Scrubbed
	for _, at := range places {
		s := inc.ScrubbedAt(at)
		all = append(all, s)
		r.Began = max(r.Began, s.Last())
	}
	r.Open = slices.ContainsFunc(all, func(s lineage.Scrubbed) bool { return s.Began > 0 && s.Began == r.Began })
	if !r.Open {
		return r
	}
	r.Through = lineage.MaxEpoch
	for _, s := range all {
		switch {
		case s.Whole == r.Began:
		case s.Began == r.Began:
			r.Through = min(r.Through, s.Through)
		default:
			r.Through = 0
		}
	}
	return r
}

// LastRounds is when the last round of each volume began in which its layers are compared, as
// the nodes say that were read, in seconds since 1970.
func (s *Snapshot) LastRounds() map[string]int64 {
	last := map[string]int64{}
	for _, n := range s.Nodes {
		for _, l := range n.Lvols {
			if is, ok := lineage.ParseScrubbed(l.Name); ok {
				last[is.Volume.Name] = max(last[is.Volume.Name], is.Last())
			}
		}
	}
	return last
}

// NeverWritten reports whether an lvol is one that only says something, by its name.
func (l *Lvol) NeverWritten() bool {
	if _, is := l.Parsed.(lineage.Scrubbed); is {
		return true
	}
	_, is := lineage.ParseMember(l.Name)
	return is
}
