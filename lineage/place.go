package lineage

import "cmp"

// Place is where a replica is: an lvstore of a node. While a replica moves between two
// pools of one node, a volume has one in each.
type Place struct {
	Node    Node
	Lvstore string
}

// Compare orders places by node, then lvstore.
func (p Place) Compare(o Place) int {
	return cmp.Or(cmp.Compare(p.Node, o.Node), cmp.Compare(p.Lvstore, o.Lvstore))
}
