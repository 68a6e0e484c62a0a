package lineage

import (
	"fmt"
	"hash/fnv"
	"slices"
)

// IDs are the numbers that a subsystem gives to the controllers of its hosts, both
// ends included; zero: any. A host that reaches one subsystem on several nodes refuses a
// second controller of one number, so no two of them give the same.
type IDs struct{ First, Last int }

// The numbers that targets give if they are not told which (v26.05): the first host
// gets 1, the next 2 and so on, whether those before are still connected or not.
const firstID, lastID = 1, 65519

// The ranges of subsystems that one volume has on several nodes are all in the upper
// half: one that has any number, for it was made before there were several, comes to
// these when hosts have connected to it 32,767 times.
const (
	idRange   = 1000
	idsAbove  = 32768
	idsRanges = 32
)

// IDsOf are the numbers from first to last.
func IDsOf(first, last int) IDs {
	if first <= firstID && (last == 0 || last >= lastID) {
		return IDs{}
	}
	return IDs{first, last}
}

// Any reports whether every number may be given.
func (i IDs) Any() bool { return i == IDs{} }

// Overlap reports whether two of which neither is any have a number in common.
func (i IDs) Overlap(o IDs) bool {
	return !i.Any() && !o.Any() && i.First <= o.Last && o.First <= i.Last
}

func (i IDs) String() string {
	if i.Any() {
		return "any"
	}
	return fmt.Sprintf("%d-%d", i.First, i.Last)
}

// IDsFor are those of a subsystem on a node where others of it have some. Which a node
// gets follows from its name, and if that is taken it is the next.
func IDsFor(n Node, taken []IDs) IDs {
	h := fnv.New32a()
	h.Write([]byte(n))
	start := int(h.Sum32() % idsRanges)
	var ids IDs
	for k := range idsRanges {
		ids.First = idsAbove + idRange*((start+k)%idsRanges)
		ids.Last = ids.First + idRange - 1
		if !slices.ContainsFunc(taken, ids.Overlap) {
			break
		}
	}
	return ids
}
