package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// A link is named after its two nodes, and after whether it waits. When a node gets another name in the
// configuration, the links that its targets have are those of a former name: the
// node is told by what it has, and what goes through them goes on. A volume with
// a leg on such a link is started anew on one of the present name, which costs
// its hosts one wait and no copy; what carries nothing any more is taken away.
// Ladder:
//
//	prepared  the present link stands beside the former
//	sealed    hosts wait; the legs are sealed and the RAID is gone, as for a move
//	serving   the legs taken off the former link and shown on the present one
//	gone      the former link's controller and subsystem
//
// A crash before the seal leaves the volume in use, one after it sealed heads
// that are equal.

// former returns the link of a former name that a leg is reached over.
func (s *subject) former(l state.CurrentLeg) (lineage.Link, bool) {
	if s.Engine == "" || l.Node == s.Engine || l.Node == "" || l.Head == nil {
		return lineage.Link{}, false
	}
	at := s.b.w.Nodes[s.Engine]
	r := at.Remotes[l.UUID]
	if r == nil || at.Controllers[r.Controller] == nil {
		return lineage.Link{}, false
	}
	link, ok := s.b.cfg.Cluster.ParseLink(at.Controllers[r.Controller].NQN)
	return link, ok && link != s.b.cfg.Link(l.Node, s.Engine)
}

// relinks returns the first link of a former name that the volume is to leave.
// What hosts use through a device of the engine's kernel cannot be held: it
// leaves when its engine is next started.
func (s *subject) relinks() (lineage.Link, bool) {
	for _, l := range s.Legs {
		link, ok := s.former(l)
		if !ok {
			continue
		}
		if s.kernelExport() {
			how := "as the nodes were called"
			if link.Wait != s.b.cfg.Links.Wait() {
				how = "which " + s.b.otherwise(link)
			}
			s.b.note("volume "+s.v.Name, s.v.Pos, "start its engine anew when hosts can do without it", "its replica on %s is reached over the link from %s to %s, %s; its hosts cannot be held meanwhile", l.Node, link.From, link.To, how)
			return link, false
		}
		return link, true
	}
	return lineage.Link{}, false
}

// relink takes a volume in use down, to be started on links of the present names.
func (s *subject) relink() result {
	link, ok := s.relinks()
	if s.minted || !ok {
		return idle
	}
	if s.prepare(s.Engine, "replicas") == blocked {
		return blocked
	}
	s.takeDown(nil, because(s.v.At("replicas"), "the link from %s to %s %s; hosts wait while it is exchanged", link.From, link.To, s.b.otherwise(link)))
	return acted
}

// otherwise says what of a former link is not as it is to be.
func (b *builder) otherwise(l lineage.Link) string {
	switch {
	case l.Wait == b.cfg.Links.Wait():
		return "is called otherwise now"
	case l.Wait:
		return "waits for a lost peer, and is not to any more"
	}
	return "drops a lost peer, and is to wait"
}

// reached says why the engine does not reach a leg; "" when it does.
func (s *subject) reached(l state.CurrentLeg) string {
	link := s.b.cfg.Link(l.Node, s.Engine)
	if former, ok := s.former(l); ok {
		at := s.b.w.Nodes[s.Engine]
		if ctrl := at.Controllers[at.Remotes[l.UUID].Controller]; ctrl.State == "enabled" {
			return ""
		}
		link = former
	}
	return s.b.connected(link)
}

// stale reports whether a link on a node carries a name that one of its ends
// has no more.
func (b *builder) stale(l lineage.Link, at lineage.Node, end lineage.Node) bool {
	return end != at || b.cfg.Node(l.From) == nil || b.cfg.Node(l.To) == nil
}

// former reports whether a link that a node shows is another than it is to be by
// now: of a former name, or one that waits where links are to drop their peers, or the
// other way round.
func (b *builder) former(l lineage.Link, from lineage.Node) bool {
	return b.stale(l, from, l.From) || l.Wait != b.cfg.Links.Wait()
}

// dropFormer takes away the links of former names that carried nothing when the
// pass began.
func (b *builder) dropFormer(idle []formerEnd) {
	for _, f := range idle {
		sec := b.section(plan.LinkKey(f.link))
		if b.left(sec.Key()) || !b.may("", schema.DutyChange) || f.ctrl != nil && b.kept(f.node, f.ctrl) != "" {
			continue
		}
		why := because(b.cfg.Node(f.node).Pos, "no node is called so any more, and nothing goes through the link from %s to %s", f.link.From, f.link.To)
		if f.ctrl != nil {
			b.letGo(sec, b.orGivenUp(why, f.node, f.ctrl), f.node, f.ctrl)
			continue
		}
		sec.then(why, plan.RiskCreate, plan.SubsystemDelete{At: plan.At{Node: f.node}, NQN: b.cfg.Cluster.LinkNQN(f.link)})
	}
}

// formerEnd is what one node has of a link of a former name.
type formerEnd struct {
	node lineage.Node
	link lineage.Link
	ctrl *state.Controller // nil for the subsystem
}

// formerEnds finds what carries nothing: controllers of which nothing is used,
// and subsystems without namespaces to which no node is attached.
func (b *builder) formerEnds() (idle []formerEnd) {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			ctrl := at.Controllers[name]
			link, ok := b.cfg.Cluster.ParseLink(ctrl.NQN)
			if !ok || !b.stale(link, n.Name, link.To) {
				continue
			}
			b.restless = true
			if !usesAny(b.w, at, name) {
				idle = append(idle, formerEnd{n.Name, link, ctrl})
			}
		}
		for _, nqn := range b.links.subsystems(n.Name) {
			link, _ := b.cfg.Cluster.ParseLink(nqn)
			if !b.stale(link, n.Name, link.From) {
				continue
			}
			b.restless = true // it goes once nothing goes through it
			if len(at.Subsystems[nqn].Namespaces) > 0 {
				continue
			}
			if _, ctrl := b.w.AttachedTo(nqn); ctrl == nil {
				idle = append(idle, formerEnd{n.Name, link, nil})
			}
		}
	}
	return idle
}

// usesAny reports whether a node uses anything that a controller of it shows.
func usesAny(w *world.World, at *state.Node, controller string) bool {
	return slices.ContainsFunc(w.Remotes(at.Name, controller), func(u lineage.UUID) bool { return at.Remotes[u].Claimed || w.Uses(at.Name, u) })
}

// inUse reports whether the node that is attached to a link of a former name
// uses an lvol that it shows.
func (b *builder) inUse(l lineage.Link, leg lineage.UUID) bool {
	to, ctrl := b.w.AttachedTo(b.cfg.Cluster.LinkNQN(l))
	return to != nil && to.Remotes[leg] != nil && to.Remotes[leg].Controller == ctrl.Name && b.w.Uses(to.Name, leg)
}

// letGoMoved lets go of the controllers that try an address at which their peer
// does not listen any more: it can be read, and listens elsewhere, under another
// name, or not at all.
// The legs on it are lost with it. Those that wait are let go once names say so (patience.go).
func (b *builder) letGoMoved() {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			ctrl := at.Controllers[name]
			link, ok := b.cfg.Cluster.ParseLink(ctrl.NQN)
			if !ok || link.Wait || ctrl.State == "enabled" || ctrl.GivenUp() || b.opt.Skip[plan.LinkKey(link)] {
				continue
			}
			from := link.From
			if link.To != n.Name || b.cfg.Node(from) == nil {
				from = b.deserted(n.Name, ctrl)
			} else if !b.movedAway(link, ctrl) {
				from = ""
			}
			if from == "" {
				continue
			}
			if why := b.keptStalled(n.Name, ctrl); why != "" {
				b.blockAlone(plan.LinkKey(link).String(), b.cfg.Node(from).Pos, "", "%s does not listen at %s any more, where %s waits for it: %s", from, ctrl.Portal(), n.Name, why)
				continue
			}
			sec := b.section(plan.LinkKey(link))
			why := because(b.cfg.Node(from).Pos, "%s does not listen at %s any more, where %s waits for it", from, ctrl.Portal(), n.Name)
			sec.then(why, plan.RiskReduce, plan.ControllerDisable{At: plan.At{Node: n.Name}, Controller: name})
			sec.then(why, plan.RiskReduce, plan.ControllerDetach{At: plan.At{Node: n.Name}, Controller: name})
			b.links.stalled[n.Name] = append(b.links.stalled[n.Name], plan.LinkKey(link))
		}
	}
}

// deserted is the node that has what a node uses through the controller of a link
// of a former name, when it does not offer that link any more: it was started
// again since it was renamed, and nobody will offer it; "" when that is not known.
func (b *builder) deserted(to lineage.Node, ctrl *state.Controller) lineage.Node {
	at := b.w.Nodes[to]
	for _, u := range slices.Sorted(maps.Keys(at.Remotes)) {
		r := at.Remotes[u]
		if r.Controller != ctrl.Name || !r.Claimed && !b.w.Uses(to, u) {
			continue
		}
		from := b.w.Owner(u)
		if from == "" || b.cfg.Node(from) == nil {
			return ""
		}
		if sub := b.w.Nodes[from].Subsystems[ctrl.NQN]; sub != nil && slices.ContainsFunc(ctrl.Portals(), func(p lineage.Portal) bool { return listens(sub, p) }) {
			return ""
		}
		return from
	}
	return ""
}

// movedAway reports whether the peer of a link is known to be elsewhere than its
// controller looks for it.
func (b *builder) movedAway(l lineage.Link, ctrl *state.Controller) bool {
	return b.isElsewhere(l, ctrl.NQN, ctrl.Portals())
}

// isElsewhere reports whether the peer of a link is known to be at none of some addresses.
func (b *builder) isElsewhere(l lineage.Link, nqn lineage.NQN, at []lineage.Portal) bool {
	conf, from := b.cfg.Node(l.From), b.w.Nodes[l.From]
	if conf == nil || from == nil || from.Unknown != "" {
		return false
	}
	sub := from.Subsystems[nqn]
	return !slices.ContainsFunc(at, func(p lineage.Portal) bool {
		return slices.Contains(b.peersAt(l, conf), p) || sub != nil && listens(sub, p)
	})
}

// findStrays finds the controllers that are attached to a link of the name that
// one of the present nodes has, and yet lead to another node: one that was called
// so before. Nothing that this link shows is seen through them.
func (b *builder) findStrays() map[lineage.Link]*state.Controller {
	strays := map[lineage.Link]*state.Controller{}
	for _, n := range b.cfg.Nodes {
		at := b.w.Nodes[n.Name]
		if at == nil || at.Unknown != "" {
			continue
		}
		for _, ctrl := range at.Controllers {
			l, ok := b.cfg.Cluster.ParseLink(ctrl.NQN)
			if ok && l.To == n.Name && ctrl.State == "enabled" && b.isElsewhere(l, ctrl.NQN, []lineage.Portal{ctrl.Portal()}) {
				strays[l] = ctrl
				b.restless = true
			}
		}
	}
	return strays
}
