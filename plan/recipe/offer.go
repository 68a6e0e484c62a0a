package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// shown is a namespace of a link that shows an lvol to a peer.
type shown struct {
	link lineage.Link
	nsid int
}

// shownBy returns the links through which node n shows an lvol, or did when the
// pass first asked.
func (b *builder) shownBy(n lineage.Node, leg lineage.UUID) []shown {
	at := b.w.Nodes[n]
	if at == nil || at.Unknown != "" {
		return nil
	}
	if b.links.shows[n] == nil {
		b.links.shows[n] = map[string][]shown{}
	}
	all, known := b.links.shows[n][string(leg)]
	if !known {
		for _, p := range b.w.Shows(n, string(leg)) {
			if l, ok := b.cfg.Cluster.ParseLink(p.NQN); ok { // by whatever name the node had
				all = append(all, shown{l, p.NSID})
			}
		}
		b.links.shows[n][string(leg)] = all
	}
	return all
}

// shownToUnread names a node that could not be read and that node n shows an
// lvol to: whether something there reads through it is not known. "" for none.
func (b *builder) shownToUnread(n lineage.Node, u lineage.UUID) lineage.Node {
	for _, s := range b.shownBy(n, u) {
		if to := b.w.Nodes[s.link.To]; to == nil || to.Unknown != "" {
			return s.link.To
		}
	}
	return ""
}

// visible reports whether node n shows an lvol through any link now, in the
// middle of the pass.
func (b *builder) visible(n lineage.Node, leg lineage.UUID) bool {
	for _, s := range b.shownBy(n, leg) {
		sub := b.w.Nodes[n].Subsystems[b.cfg.Cluster.LinkNQN(s.link)]
		if sub != nil && sub.Namespaces[s.nsid] != nil && sub.Namespaces[s.nsid].Bdev == string(leg) {
			return true
		}
	}
	return false
}

// offer makes an lvol of l.From a namespace of the link and of no other, and
// waits until the other side sees it. key tells which number it prefers. It
// returns "" or why that cannot be done.
func (b *builder) offer(sec *section, cause reason, l lineage.Link, leg lineage.UUID, key string) string {
	if why := b.link(l); why != "" {
		return why
	}
	sec.after(plan.LinkKey(l))
	nqn := b.cfg.Cluster.LinkNQN(l)
	before := b.w.Nodes[l.To].Remotes[leg]
	if b.withdraw(sec, cause, l.From, leg, l.To); before != nil && b.w.Nodes[l.To].Remotes[leg] == nil {
		sec.then(cause, plan.RiskCreate, plan.LegGone{At: plan.At{Node: l.To}, Leg: leg}) // two bdevs of one UUID there cannot be
	}
	if ns := b.w.Namespace(l.From, nqn, string(leg)); ns != nil && b.missed(l, leg) {
		b.hide(sec, cause, l, ns)
	}
	if b.w.Namespace(l.From, nqn, string(leg)) == nil {
		nsid := b.freeNSID(l, leg, key)
		if nsid == 0 {
			return fmt.Sprintf("the link from %s to %s has %d namespaces, all it can", l.From, l.To, lineage.LinkNamespaces)
		}
		sec.then(cause, plan.RiskCreate, plan.NamespaceAdd{At: plan.At{Node: l.From}, NQN: nqn, NSID: nsid, Bdev: string(leg)})
		b.links.shows[l.From][string(leg)] = append(b.links.shows[l.From][string(leg)], shown{l, nsid})
		if b.connected(l) == "" || b.w.Nodes[l.To].Remotes[leg] != nil {
			sec.then(cause, plan.RiskCreate, plan.LegWait{At: plan.At{Node: l.To}, Leg: leg})
		}
	}
	return ""
}

// missed reports whether a peer does not know what a link shows it: of what
// came or grew while it was not connected it is not told afterwards. What it
// uses is left alone.
func (b *builder) missed(l lineage.Link, leg lineage.UUID) bool {
	to, lvol := b.w.Nodes[l.To], b.w.Nodes[l.From].LvolByUUID(leg)
	if lvol == nil || to.Remotes[leg] != nil && !b.outgrown(l, lvol) {
		return false
	}
	return b.connected(l) == "" && !b.w.Uses(l.To, leg)
}

// outgrown reports whether a peer still sees through a link the size that an
// lvol had before it grew: the event was lost, because the link was away or a
// target ended just then.
func (b *builder) outgrown(l lineage.Link, lvol *state.Lvol) bool {
	r := b.w.Nodes[l.To].Remotes[lvol.UUID]
	return r != nil && !r.Absent && r.Size < lvol.Size && r.Controller == b.w.Controller(l) && b.connected(l) == ""
}

// hide takes a namespace off a link, to show it anew: whatever the peer knew of
// it is gone first. It is shown under another number: a target (v26.05) that hears of a number
// again whose bdev is going yet, around the end of a connection, reads freed memory.
func (b *builder) hide(sec *section, why reason, l lineage.Link, ns *state.Namespace) {
	leg := lineage.UUID(ns.Bdev)
	known := b.w.Nodes[l.To].Remotes[leg] != nil
	sec.then(why, plan.RiskCreate, plan.NamespaceRemove{At: plan.At{Node: l.From}, NQN: b.cfg.Cluster.LinkNQN(l), NSID: ns.NSID, Bdev: ns.Bdev})
	if known {
		sec.then(why, plan.RiskCreate, plan.LegGone{At: plan.At{Node: l.To}, Leg: leg})
	}
	b.links.expected[shown{l, ns.NSID}] = true
	b.links.shows[l.From][ns.Bdev] = slices.DeleteFunc(b.links.shows[l.From][ns.Bdev], func(s shown) bool { return s == shown{l, ns.NSID} })
}

// connected says why I/O does not pass a link that is made; "" when it does.
func (b *builder) connected(l lineage.Link) string {
	ctrl := b.w.Nodes[l.To].Controllers[b.w.Controller(l)]
	if ctrl == nil || ctrl.State != "enabled" {
		state := "not attached"
		if ctrl != nil {
			state = ctrl.State
		}
		return fmt.Sprintf("the link from %s to %s is %s", l.From, l.To, state)
	}
	return ""
}

// bring offers a leg that has to be usable before the engine can start.
func (b *builder) bring(sec *section, cause reason, l lineage.Link, leg lineage.UUID, key string) string {
	if why := b.offer(sec, cause, l, leg, key); why != "" {
		return why
	}
	if why := b.connected(l); why != "" {
		return why
	}
	if r := b.w.Nodes[l.To].Remotes[leg]; r == nil || r.Absent {
		return fmt.Sprintf("%s does not see it yet", l.To)
	}
	return ""
}

// freeNSID picks a namespace number: the one under which the peer still
// expects this leg, for then it reconnects by itself; else one that neither
// side uses, starting where key hashes to. What is shown under a number that the
// pass has freed, before the peer looks, that takes for what it knew.
func (b *builder) freeNSID(l lineage.Link, leg lineage.UUID, key string) int {
	sub := b.w.Nodes[l.From].Subsystems[b.cfg.Cluster.LinkNQN(l)]
	if r := b.w.Nodes[l.To].Remotes[leg]; r != nil && r.Controller == b.w.Controller(l) && sub.Namespaces[r.NSID] == nil {
		return r.NSID
	}
	ctrl := b.w.Controller(l)
	start := lineage.PreferredNSID(key)
	for i := range lineage.LinkNamespaces {
		nsid := (start-1+i)%lineage.LinkNamespaces + 1
		if sub.Namespaces[nsid] == nil && !b.links.expected[shown{l, nsid}] && !b.w.Knows(l.To, ctrl, nsid) {
			return nsid
		}
	}
	return 0
}

// readThrough reports whether an lvol reads through another that a link brings to its
// node, and nothing in this pass has made it stand on something else before.
func (b *builder) readThrough(n lineage.Node, u lineage.UUID) bool {
	if b.w.Nodes[n] == nil {
		return false
	}
	return slices.ContainsFunc(b.w.Readers(n, u), func(l *state.Lvol) bool { return !l.Degraded })
}

// withdraw takes an lvol off every link but the one to keep. A namespace has
// its bdev to itself: until it is gone no other can show the lvol, nor can a
// RAID use it.
func (b *builder) withdraw(sec *section, why reason, n lineage.Node, leg lineage.UUID, keep lineage.Node) {
	var ops []plan.Op
	for _, s := range b.shownBy(n, leg) {
		nqn := b.cfg.Cluster.LinkNQN(s.link)
		if sub := b.w.Nodes[n].Subsystems[nqn]; s.link != b.cfg.Link(n, keep) && sub != nil && sub.Namespaces[s.nsid] != nil && sub.Namespaces[s.nsid].Bdev == string(leg) {
			if b.former(s.link, n) && b.inUse(s.link, leg) || b.readThrough(s.link.To, leg) {
				continue
			}
			ops = append(ops, plan.NamespaceRemove{At: plan.At{Node: n}, NQN: nqn, NSID: s.nsid, Bdev: string(leg)})
			if b.w.Nodes[s.link.To] != nil {
				b.links.expected[s] = true
			}
			if b.links.restored[s] {
				sec.after(plan.LinkKey(s.link))
			}
		}
	}
	sec.then(why, plan.RiskCreate, ops...)
}
