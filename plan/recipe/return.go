package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// An engine that another has taken over from is back: it hung, or was cut off, and has its
// mirror still, with writes queued that nobody acknowledged. Ladder:
//
//	unheard   its listener goes, as it is accessible: hosts look for another path
//	let go    its links, on which it was fenced: what is queued fails, and with it its legs
//	ended     its export and its mirror, as those of any engine that was given up
//	stale     the name of its own replica (names.go)
//	let in    to the links again, when one is needed: not before, for it would send again
//	          what it had queued
//
// Other volumes with legs on those links lose them with it: their next epoch is minted
// first, as for any peer that is let go (patience.go).

// lone are the volumes that a node shows hosts from a leg as it is, which a controller brings.
func (b *builder) lone(n lineage.Node, controller string) (all []lineage.Volume) {
	at := b.w.Nodes[n]
	for _, nqn := range slices.Sorted(maps.Keys(at.Subsystems)) {
		v, ok := b.cfg.Cluster.ParseExport(nqn)
		ns := at.Subsystems[nqn].Namespaces[state.ExportNSID]
		if !ok || ns == nil {
			continue
		}
		if r := at.Remotes[at.Backing(ns.Bdev)]; r != nil && r.Controller == controller {
			all = append(all, v)
		}
	}
	return all
}

// outdated reports whether the peer of a link has a RAID with a leg on it, or shows one as it
// is, that is not that of the engine to believe; and what it is where that is not known.
func (b *builder) outdated(l lineage.Link, unknown bool) bool {
	to, name := b.w.Nodes[l.To], b.w.Controller(l)
	for _, v := range b.lone(l.To, name) {
		if b.ousted(v, l.To, unknown) {
			return true
		}
	}
	for _, raid := range to.Raids {
		v, ours := b.cfg.Cluster.ParseRaid(raid.Name)
		if !slices.ContainsFunc(raid.Legs, func(leg state.Leg) bool {
			r := to.Remotes[leg.UUID]
			return leg.Configured && r != nil && r.Controller == name
		}) {
			continue
		}
		if !ours && unknown || ours && b.ousted(v, l.To, unknown) {
			return true
		}
	}
	return false
}

// ousted reports whether the engine of a volume to believe is not on a node; and what it is
// where that is not known.
func (b *builder) ousted(v lineage.Volume, n lineage.Node, unknown bool) bool {
	if b.cfg.Whole(v.Name) != nil {
		v.Name = lineage.PartName(v.Name, 0) // all parts have one engine
	}
	conf := b.cfg.Volume(v.Name)
	if conf == nil {
		return unknown
	}
	verdict := b.w.Judge(b.w.Incarnation(v), b.question(conf))
	return verdict.Unknown != "" && unknown || verdict.Unknown == "" && verdict.Engine != n
}

// queued says why a node is not let in to a link by which it cannot come; "" when it may:
// it uses nothing through it that another has taken over. Of a link that it was fenced off
// that has to be known.
func (b *builder) queued(l lineage.Link) string {
	to, name := b.w.Nodes[l.To], b.w.Controller(l)
	ctrl, shut := to.Controllers[name], b.w.ShutOut(b.cfg.Cluster, l)
	switch {
	case ctrl == nil || ctrl.GivenUp() || !usesAny(b.w, to, name):
	case shut && b.outdated(l, true):
		return fmt.Sprintf("%s was fenced off the link from %s, and what it has queued there is to end first", l.To, l.From)
	case b.dispossessed(l):
		return fmt.Sprintf("what %s has queued on the link from %s is to end first", l.To, l.From)
	}
	return ""
}

// silence takes the listeners of an engine away that another has taken over from and
// whose links are not let go yet: until then nothing else of it can be ended, and nothing
// else is done to the volume.
func (s *subject) silence() result {
	nodes := s.queuing()
	if len(nodes) == 0 {
		return idle
	}
	if !s.may(schema.DutyFence) {
		s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "strata apply does it; with \"fence\" in its auto it is done without a person", "it is left as it is: what its former engine on %s has queued is to end, and that takes \"fence\"", nodes[0])
		return blocked
	}
	for _, n := range nodes {
		s.silent(n, because(s.v.Pos, "another has taken over from %s, which is back: hosts are to go on there", n))
	}
	s.b.note("volume "+s.v.Name, s.v.Pos, "", "nothing else is done to it before what %s had queued has ended", nodes[0])
	return acted
}

// silent takes the listeners of an engine away, before a peer is let go there.
func (s *subject) silent(n lineage.Node, why reason) {
	for _, l := range s.b.links.lost {
		if l.At == n {
			l.first = append(l.first, s.sec.Key())
		}
	}
	for _, e := range s.b.w.Incarnation(s.id).Exports { // another part of the whole may have done so by now
		if e.Node != n || e.Subsystem == nil {
			continue
		}
		for _, l := range slices.Clone(e.Subsystem.Listeners) {
			if l.Paused { // an initiator that was told so believes it when it comes back
				s.sec.then(why, plan.RiskCreate, plan.Resume{At: plan.At{Node: n}, NQN: e.Subsystem.NQN, Portals: []lineage.Portal{l.Portal()}})
			}
			s.sec.then(why, plan.RiskReduce, plan.ListenerRemove{At: plan.At{Node: n}, NQN: e.Subsystem.NQN, Address: l.Address, Port: l.Port, RDMA: l.RDMA})
		}
	}
}

// dispossessed reports whether the peer of a link cannot come by it, and has something queued
// there that it is not to send: of a volume from which another has taken over.
func (b *builder) dispossessed(l lineage.Link) bool {
	return b.w.Barred(b.cfg.Cluster, l) && b.outdated(l, false)
}

// queuing are the nodes of engines that are not believed and wait for links by which they
// cannot come.
func (s *subject) queuing() (nodes []lineage.Node) {
	for _, w := range s.b.links.waiting {
		if w.At == s.Engine || w.To != w.At || slices.Contains(nodes, w.At) || !s.b.w.Barred(s.b.cfg.Cluster, w.Link) {
			continue
		}
		if slices.ContainsFunc(pieces(s.inc), func(p piece) bool { return p.bears() && p.on() == w.At }) {
			nodes = append(nodes, w.At)
		}
	}
	return nodes
}

// replaced reports whether a RAID on a node is that of an engine that is not believed any
// more and shows hosts nothing: it may lose its legs as they come.
func (b *builder) replaced(n lineage.Node, v lineage.Volume) bool {
	conf := b.cfg.Volume(v.Name)
	if conf == nil {
		return false
	}
	inc := b.w.Incarnation(v)
	verdict := b.w.Judge(inc, b.question(conf))
	heard := slices.ContainsFunc(inc.Exports, func(e state.Exported) bool {
		return e.Node == n && (e.Subsystem == nil || len(e.Subsystem.Listeners) > 0)
	})
	return verdict.Unknown == "" && verdict.Engine != n && !heard
}
