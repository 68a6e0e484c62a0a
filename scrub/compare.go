package scrub

import (
	"slices"
	"strings"

	"strata/lineage"
)

// Kind is what is to be thought of a finding.
type Kind string

const (
	// Changed: a copy is not as it was when it was read before. Layers do not change, so
	// what is on the disk was damaged.
	Changed Kind = "changed"
	// Differ: copies are not equal, and nobody knows how they were. What hosts wrote is
	// equal, but a target does not zero a cluster that is written to in part, and what
	// hosts have discarded may be left or not: such parts differ from the beginning.
	Differ Kind = "differ"
)

// Finding is a stretch of a layer in which something is not equal.
type Finding struct {
	Kind  Kind             `json:"kind"`
	Layer lineage.LvolName `json:"layer"`
	From  int64            `json:"from"` // bytes
	To    int64            `json:"to"`
	// Odd are the nodes whose copies changed, or are in the minority: others agree with
	// one another, or with what an archive has. None where nobody can tell.
	Odd []lineage.Node `json:"odd,omitempty"`
	// Places are where these are, in the same order.
	Places []lineage.Place `json:"-"`
	// Recorded says that an archive has what the others have.
	Recorded bool `json:"recorded,omitempty"`
}

// Record is what an archive has of a layer at a block; false where that is not known.
type Record func(at int64) (sum [32]byte, ok bool)

// value is what a copy has of a block: nothing, or a sum.
type value struct {
	sum [32]byte
	has bool
}

// Compare tells what copies of one layer have that is not equal, in order. earlier has
// copies as they were read before, record may be nil. Where copies differ as they did
// before, nothing is said.
func Compare(copies []Copy, earlier map[lineage.UUID]Copy, record Record) (all []Finding) {
	now, then := make([]cursor, len(copies)), make([]cursor, len(copies))
	known := make([]bool, len(copies))
	for i, c := range copies {
		now[i].rest = c.Sums
		if was, ok := earlier[c.UUID]; ok && was.Layer == c.Layer && was.Block == c.Block {
			then[i].rest, known[i] = was.Sums, true
		}
	}
	for {
		at, more := int64(0), false
		for _, list := range [][]cursor{now, then} {
			for i := range list {
				if n, ok := list[i].next(); ok && (!more || n < at) {
					at, more = n, true
				}
			}
		}
		if !more {
			return all
		}
		changed := Finding{Kind: Changed, Layer: copies[0].Layer}
		values := make([]value, len(copies))
		for i, c := range copies {
			values[i].sum, values[i].has = now[i].take(at)
			was := value{}
			if was.sum, was.has = then[i].take(at); known[i] && was != values[i] {
				changed.odd(c)
			}
		}
		switch {
		case len(changed.Odd) > 0:
			all = add(all, changed, at, copies[0].Block)
		case slices.Contains(known, false):
			if f, differ := differing(copies, values, at, record); differ {
				all = add(all, f, at, copies[0].Block)
			}
		}
	}
}

// differing reports whether copies have not the same at a block, nor what is recorded, and
// which of them are odd.
func differing(copies []Copy, values []value, at int64, record Record) (f Finding, differ bool) {
	f = Finding{Kind: Differ, Layer: copies[0].Layer}
	recorded := value{}
	if record != nil {
		recorded.sum, recorded.has = record(at)
	}
	count := map[value]int{}
	for _, v := range values {
		count[v]++
	}
	if len(count) == 1 && (!recorded.has || !values[0].has || values[0] == recorded) {
		return f, false
	}
	right, sure := value{}, false
	if recorded.has && count[recorded] > 0 {
		right, sure, f.Recorded = recorded, true, true
	} else {
		for v, n := range count {
			if n*2 > len(values) && len(count) > 1 {
				right, sure = v, true
			}
		}
	}
	for i, c := range copies {
		if sure && values[i] != right {
			f.odd(c)
		}
	}
	return f, true
}

// add adds a block to findings: to the last one if it goes on there.
func add(all []Finding, f Finding, at, block int64) []Finding {
	if n := len(all); n > 0 {
		last := &all[n-1]
		if last.To == at*block && last.Kind == f.Kind && last.Recorded == f.Recorded && slices.Equal(last.Places, f.Places) {
			last.To += block
			return all
		}
	}
	f.From, f.To = at*block, (at+1)*block
	return append(all, f)
}

func (f *Finding) odd(c Copy) {
	f.Odd, f.Places = append(f.Odd, c.Node), append(f.Places, lineage.Place{Node: c.Node, Lvstore: c.Lvstore})
}

// Nodes are those of a finding, in words.
func (f Finding) Nodes() string {
	var names []string
	for _, n := range f.Odd {
		names = append(names, string(n))
	}
	return strings.Join(names, ", ")
}
