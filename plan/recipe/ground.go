package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"strata/amount"
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
	unread    unread
}

// unread is what may hold replicas and could not be read.
type unread struct {
	nodes   map[lineage.Node]bool
	pending bool   // some will be in this very pass
	why     string // of all that cannot be read, or of one of the others
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
	b.ground.unread = b.findUnread()
}

// findUnread finds what may hold replicas and could not be read.
func (b *builder) findUnread() unread {
	u := unread{nodes: map[lineage.Node]bool{}}
	var silent []string
	for _, n := range b.cfg.Nodes {
		for _, p := range b.ground.pools[n.Name] {
			if p.state != poolHidden && p.state != poolPending {
				continue
			}
			if at := b.w.Nodes[n.Name]; (at == nil || at.Unknown != "") && !b.cfg.Suspended(n.Name) {
				silent = append(silent, string(n.Name))
			}
			u.nodes[n.Name], u.why = true, cmp.Or(p.why, u.why)
			u.pending = u.pending || p.state == poolPending
		}
	}
	for _, m := range b.ground.missing {
		if !u.nodes[m.Node] {
			u.nodes[m.Node], u.why = true, fmt.Sprintf("pool %s of %s was not found", m.Pool, m.Node)
		}
	}
	if silent = slices.Compact(silent); len(silent) > 1 {
		u.why = fmt.Sprintf("nodes %s cannot be read", amount.List(silent))
	}
	return u
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
