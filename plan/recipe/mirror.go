package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// mirror brings every leg to the engine, and makes what writes to all of them. A
// RAID that runs already stays as it is: legs join it by other recipes.
func (s *subject) mirror() result {
	b, before := s.b, s.tally()
	if at := b.w.Nodes[s.engine]; at == nil || at.Unknown != "" {
		b.block("volume "+s.v.Name, s.v.At("engine"), "", "its engine %s cannot be read", s.engine)
		return blocked
	}
	if len(s.Legs)+len(s.joins) > 1 || s.v.Export.Kind != schema.ExportNone {
		if l, why := s.bringLegs(); why != "" {
			b.block("volume "+s.v.Name, s.v.Pos, "", "the replica on %s cannot be brought to the engine: %s", l.Node, why)
			return blocked
		}
	}
	s.comeUp(atMirror)
	return s.since(before)
}

// bringLeg lets the engine use a leg, over a link where it is on another node, or
// says why that cannot be.
func (s *subject) bringLeg(l state.CurrentLeg) string {
	b := s.b
	if l.Node == s.engine || l.Head == nil {
		if l.Head == nil && l.Node != "" {
			b.links.need(b.cfg.Link(l.Node, s.engine))
		}
		itself := because(s.v.At("replicas"), "%s uses it itself", s.engine)
		s.whileTold(func() { b.withdraw(s.sec, itself, l.Node, l.UUID, s.engine) })
		return ""
	}
	link := b.cfg.Link(l.Node, s.engine)
	if former, is := s.former(l); is {
		if former.From != link.From || former.To != link.To {
			return ""
		}
		link = former // the same but for the setting, and not left yet
	}
	mirrors := because(s.v.At("replicas"), "%s mirrors %s", s.engine, s.v.Name)
	offer := b.offer
	if s.Engine == "" {
		offer = b.bring
	}
	return offer(s.sec, mirrors, link, l.UUID, s.key(l.Node))
}

// legDropped reports whether this pass has let go of a peer that a leg was on: then
// the volume is judged anew in the next.
func (s *subject) legDropped() bool {
	at := s.b.w.Nodes[s.engine]
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return s.b.links.dropped[s.engine] && at.LvolByUUID(l.UUID) == nil && !s.b.w.Uses(s.engine, l.UUID)
	})
}

// key is what a leg's namespace number follows.
func (s *subject) key(n lineage.Node) string { return s.id.String() + " " + string(n) }

// orderLegs puts the engine's own leg first: the RAID reads it first, and its
// name moves first.
func (s *subject) orderLegs() {
	slices.SortStableFunc(s.Legs, func(x, y state.CurrentLeg) int {
		switch {
		case x.Node == s.engine && y.Node != s.engine:
			return -1
		case y.Node == s.engine && x.Node != s.engine:
			return 1
		}
		return 0
	})
}

// tidy takes what is no leg off the links, and a leg off those that do not
// lead to the engine.
func (s *subject) tidy() result {
	before := s.tally()
	s.dropSevered()
	s.keepJoined()
	s.keepSuccessors()
	for _, h := range s.inc.Heads {
		keep := lineage.Node("")
		if s.isLeg(h.Lvol.UUID) && h.Node != s.engine {
			keep = s.engine
		}
		if to, ok := s.keep[h.Lvol.UUID]; ok {
			keep = to
		}
		s.b.withdraw(s.sec, because(s.v.Pos, "no engine of %s uses it", s.v.Name), h.Node, h.Lvol.UUID, keep)
	}
	for _, o := range s.inc.Others {
		if s.b.shownToUnread(o.Node, o.Lvol.UUID) != "" {
			continue
		}
		s.b.withdraw(s.sec, because(s.v.Pos, "nobody reads it"), o.Node, o.Lvol.UUID, s.keep[o.Lvol.UUID])
	}
	s.dropStaging()
	return s.since(before)
}

// dropSevered deletes what was a head that read through another node, and was about to be
// deleted when a run ended: its name is that of staging already (sever.go).
func (s *subject) dropSevered() {
	anew := because(s.v.At("replicas"), "it was a head that is not in use any more")
	for _, o := range slices.Clone(s.inc.Others) {
		if staged(o.Lvol) && !o.Lvol.Complete() {
			s.b.withdraw(s.sec, anew, o.Node, o.Lvol.UUID, "")
			s.sec.then(anew, plan.RiskReduce, plan.LvolDelete{At: plan.At{Node: o.Node}, Lvstore: o.Lvol.Lvstore, Name: o.Lvol.Name})
		}
	}
	s.reread()
}

// dropStaging deletes the stacks being copied that nothing continues: all when
// every replica is current, and what is left beside one that is.
func (s *subject) dropStaging() {
	full := state.Spread(s.Legs) >= s.v.Replicas.Count && !s.lacks()
	var ops []plan.Op
	for _, o := range s.inc.Others {
		if staged(o.Lvol) && (full || s.legIn(o)) && s.b.shownToUnread(o.Node, o.Lvol.UUID) == "" && !s.b.filled(o.Node, o.Lvol) {
			ops = append(ops, plan.LvolDelete{At: plan.At{Node: o.Node}, Lvstore: o.Lvol.Lvstore, Name: o.Lvol.Name})
		}
	}
	why := because(s.v.At("replicas"), "all replicas of %s are current", s.v.Name)
	if !full {
		why = because(s.v.At("replicas"), "the replica there is current")
	}
	s.sec.then(why, plan.RiskReduce, ops...)
	s.reread()
}

// legIn reports whether a current replica is where an lvol is.
func (s *subject) legIn(o state.Placed) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Head != nil && l.Node == o.Node && l.Head.Lvol.Lvstore == o.Lvol.Lvstore
	})
}
