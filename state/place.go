package state

import "strata/lineage"

// Place is where an lvol is.
func (p Placed) Place() lineage.Place { return lineage.Place{Node: p.Node, Lvstore: p.Lvol.Lvstore} }

// Place is where a leg is; without the lvstore when its node could not be read.
func (l CurrentLeg) Place() lineage.Place {
	if l.Head == nil {
		return lineage.Place{Node: l.Node}
	}
	return l.Head.Place()
}

// In reports whether a leg is in a place, or may be: of one whose node could not be read
// that is any on the node.
func (l CurrentLeg) In(p lineage.Place) bool {
	return l.Node == p.Node && (l.Head == nil || l.Head.Lvol.Lvstore == p.Lvstore)
}

// Spread counts the nodes that legs are on: of several on one node only one stands for
// redundancy, for they go together. Each of those on no node that is known counts.
func Spread(legs []CurrentLeg) int {
	n, on := 0, map[lineage.Node]bool{}
	for _, l := range legs {
		if l.Node == "" {
			n++
		} else if !on[l.Node] {
			on[l.Node] = true
			n++
		}
	}
	return n
}
