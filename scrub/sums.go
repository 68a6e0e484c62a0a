// Package scrub tells what copies of a layer that should be equal are not, and which of them
// is the one that is not as it was. It reads no copy.
package scrub

import (
	"cmp"
	"slices"

	"strata/lineage"
)

// Sum is the SHA-256 of a block, and where that is.
type Sum struct {
	At     int64 // the number of the block
	SHA256 [32]byte
}

// Copy is a layer as it was read from one place.
type Copy struct {
	Node    lineage.Node
	Lvstore string
	Layer   lineage.LvolName
	UUID    lineage.UUID // of the lvol: another copy has another
	Block   int64        // bytes
	Sums    []Sum        // of the blocks that the layer has, by At
}

// Sort puts sums in order, and keeps of those of one place the last.
func Sort(sums []Sum) []Sum {
	slices.SortStableFunc(sums, func(a, b Sum) int { return cmp.Compare(a.At, b.At) })
	kept := sums[:0]
	for i, s := range sums {
		if i+1 == len(sums) || sums[i+1].At != s.At {
			kept = append(kept, s)
		}
	}
	return kept
}

// cursor goes through sums.
type cursor struct{ rest []Sum }

// next is where the next sum is; false at the end.
func (c *cursor) next() (int64, bool) {
	if len(c.rest) == 0 {
		return 0, false
	}
	return c.rest[0].At, true
}

// take is the sum at a place, if there is one.
func (c *cursor) take(at int64) (sum [32]byte, ok bool) {
	for len(c.rest) > 0 && c.rest[0].At < at {
		c.rest = c.rest[1:]
	}
	if len(c.rest) == 0 || c.rest[0].At != at {
		return sum, false
	}
	sum, c.rest = c.rest[0].SHA256, c.rest[1:]
	return sum, true
}
