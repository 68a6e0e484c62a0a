package recipe

import (
	"strata/lineage"
	"strata/state"
)

// ground is what a pass finds out of the nodes' disks and pools, before it looks
// at volumes.
type ground struct {
	pools     map[lineage.Node][]*pool
	missing   []lineage.Member // pools that the storage knows of and that were not found
	reminders []state.Reminder // what nodes know of each other's pools when the pass begins
	blocks    []int64          // sizes of the pools' blocks
	nodes     []lineage.Node   // in the order of their sections
	unread    *unread          // nil until all nodes were looked at
}

// unread is what may hold replicas and could not be read.
type unread struct {
	nodes   map[lineage.Node]bool
	pending bool // some will be in this very pass
	why     string
}

// survey looks at all nodes, and plans what they lack.
func (b *builder) survey() {
	b.ground = &ground{pools: map[lineage.Node][]*pool{}, reminders: b.w.Reminders()}
	for _, n := range b.cfg.Nodes {
		b.node(n)
	}
	b.members()
	b.ground.blocks = b.blockSizes()
	for _, s := range b.made {
		b.ground.nodes = append(b.ground.nodes, lineage.Node(s.Name))
	}
	nodes, pending, why := b.hiddenNodes()
	b.ground.unread = &unread{nodes, pending, why}
}

// measureAgain measures the pools again after a pass that did nothing else to them
// than to fill and empty them.
func (b *builder) measureAgain() {
	for n, at := range b.readNodes() {
		for _, p := range b.ground.pools[n.Name] {
			p.used, p.taken = 0, 0
			b.measure(at, p)
		}
	}
}
