package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// names makes the heads say who is current. When a leg was lost, joined or is
// about to go, the next epoch is minted on the legs that stay, the engine's
// own first, so that the one that is believed after a crash knows of it before
// anything else happens. Every other replica that can be reached is fenced.
// Where nobody looks at the plan and that may not be done of a volume in use, what an
// interrupted start or cut has left is still named.
func (s *subject) names() result {
	if s.Engine != "" && !s.may(schema.DutyFence) {
		if due, lost := s.unnamed(); !due || lost {
			return idle
		}
	}
	if s.Engine != "" && !slices.ContainsFunc(s.Legs, s.tellable) && slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil }) {
		s.untold()
		return blocked
	}
	before := s.tally()
	if s.filled() {
		s.sec.then(because(s.v.At("replicas"), "if it was lost before, it has missed writes"), plan.RiskCreate, s.expectLegs()...)
	}
	s.rename(s.Legs)
	came := s.since(before)
	s.minted = s.minted || came == acted
	return came
}

// tellable reports whether a leg that the engine writes to can be told that it is current: not
// one that is stale by its name where none is left that was read and is current, for another
// engine may have taken over with one of these since. One that was told of nothing since it
// joined can where none is left that could not be read; any, where a person names it.
func (s *subject) tellable(l state.CurrentLeg) bool {
	return l.Head != nil && (s.b.opt.Authority[s.v.Name] == l.Node ||
		slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
			return l.Head != nil && (l.Head.Name.Mark != lineage.Fenced || l.Head.Name.Pledged)
		}) ||
		!slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return !l.Head.Joined() }))
}

// untold says that the names of a volume's legs stay as they are until another can be read.
func (s *subject) untold() {
	var away []string
	for _, l := range s.Legs {
		if l.Head == nil {
			away = append(away, "that "+s.b.away(l.Node))
		}
	}
	own := s.Legs[slices.IndexFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil })]
	s.b.blockAlone("volume "+s.v.Name, s.v.Pos, fmt.Sprintf("make that readable, or say that the one on %s counts: --authority %s=%[1]s", own.Node, s.v.Name),
		"%s on %s is in use, and is not named current before another is read that is: %s", own.Head.Lvol.Name, own.Node, cmp.Or(strings.Join(away, ", "), "its mirror has no other"))
}

func (s *subject) rename(legs []state.CurrentLeg) {
	if !slices.ContainsFunc(legs, func(l state.CurrentLeg) bool { return l.Head != nil }) {
		return // none that could carry an epoch can be read
	}
	if !s.forces() {
		s.unpledge(legs)
	}
	epoch := s.epoch(legs)
	takes := s.takes(epoch, legs)
	switch {
	case s.forces():
		s.fence(epoch, legs)
		s.reread()
	case s.Engine != "" && s.promised() > 2: // of two, the first is half
		s.tell(epoch, legs)
	case s.announcesFirst(legs):
		s.announce(epoch, legs)
	}
	why := because(s.v.Pos, "epoch %d: %d current", epoch, len(legs))
	var rest []plan.Op
	for i, l := range legs {
		if l.Head == nil {
			continue
		}
		want := s.headName(epoch, legs, l.UUID)
		if l.Head.Name == want {
			continue
		}
		op := plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: want.Lvol()}
		if i == 0 {
			s.sec.then(why, plan.RiskCreate, op)
		} else {
			rest = append(rest, op)
		}
	}
	s.sec.then(why, plan.RiskCreate, rest...)
	if s.toldAt = 0; len(rest) > 0 {
		s.toldAt = len(s.sec.Stages)
	}
	s.fence(epoch, legs)
	if takes {
		s.toldAt = len(s.sec.Stages)
	}
	s.reread()
}

// whileTold has the one step that f adds be carried out while the replicas that are not the
// authority are told of the epoch, if that is what was planned last.
func (s *subject) whileTold(f func()) {
	at := len(s.sec.Stages)
	f()
	if at > 0 && at == s.toldAt && len(s.sec.Stages) == at+1 {
		s.sec.Stages = append(s.sec.Stages[:at-1], slices.Concat(s.sec.Stages[at-1:]...))
	}
}

// unnamed reports whether the heads of a volume in use do not say who is current,
// and whether that is for a leg that was lost or has joined: otherwise a start, or a
// cut, was interrupted.
func (s *subject) unnamed() (due, lost bool) {
	epoch := s.epoch(s.Legs)
	for _, l := range s.Legs {
		if l.Head == nil || l.Head.Name == s.headName(epoch, s.Legs, l.UUID) {
			continue
		}
		due = true
		starts := !s.serves() && l.Head.Name.Mark == lineage.Sealed
		lost = lost || l.Head.Name.Legs != len(s.Legs) && !starts
	}
	return due, lost
}

// announcesFirst reports whether an epoch is to be announced to the other replicas before
// its authority has it: when no hosts are served yet, and so many replicas
// exist that others could start an engine without this one. An epoch that only
// its authority knows might be minted a second time.
func (s *subject) announcesFirst(legs []state.CurrentLeg) bool {
	return !s.serves() && max(s.v.Replicas.Count, len(legs), len(nodesOf(s.inc)), s.legsNamed()) > 2
}

// legsNamed is the highest number of replicas that any head names.
func (s *subject) legsNamed() int {
	n := 0
	for _, h := range s.inc.Heads {
		n = max(n, h.Name.Legs)
	}
	return n
}

// announce seals the other legs at the epoch that is being minted.
func (s *subject) announce(epoch lineage.Epoch, legs []state.CurrentLeg) {
	why := because(s.v.Pos, "announce epoch %d to the other replicas first", epoch)
	name := lineage.Head{Volume: s.id, Epoch: epoch, Legs: len(legs), Cut: s.cut(), Mark: lineage.Sealed, Layout: s.layout(), Check: s.check()}
	if s.promised() > 0 {
		name.Wait, name.Quorum = true, true
	}
	var ops []plan.Op
	for _, l := range legs[1:] {
		if l.Head != nil && l.Head.Name.Epoch < epoch {
			name.Check = s.checkOf(l.Head)
			ops = append(ops, plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: name.Lvol()})
		}
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	s.renamed(legs)
}

// renamed follows the projection in the heads of legs.
func (s *subject) renamed(legs []state.CurrentLeg) {
	s.inc = s.b.w.Incarnation(s.id)
	for i, l := range legs {
		if l.Head != nil {
			legs[i].Head = s.inc.Find(l.UUID)
		}
	}
}

// headName is what the head of one of these legs is called. The authority is the first, if
// it is the engine's own: of two on the engine's node, one of which goes, one is it.
func (s *subject) headName(epoch lineage.Epoch, legs []state.CurrentLeg, leg lineage.UUID) lineage.Head {
	h := lineage.Head{Volume: s.id, Epoch: epoch, Legs: len(legs), Cut: s.cut(), Wait: s.wait(legs), Layout: s.layout(), Check: s.check()}
	if i := slices.IndexFunc(legs, func(l state.CurrentLeg) bool { return l.UUID == leg }); i >= 0 {
		h.Check = s.checkOf(legs[i].Head)
	}
	h.Quorum = h.Wait && (s.v.Failover || s.keepsPromise(legs))
	if legs[0].Node == s.engine && legs[0].UUID == leg {
		h.Mark = lineage.Primary
	}
	return h
}

// cut is the epoch of the youngest layer that was cut on all legs at once: the
// heads say so, or those of another volume of its group.
func (s *subject) cut() lineage.Epoch {
	cut := s.cutAt
	for _, l := range s.Legs {
		if l.Head != nil {
			cut = max(cut, l.Head.Name.Cut)
		}
	}
	for _, h := range s.inc.Heads {
		if h.Lvol.External != "" && s.inRaid(h.Lvol.UUID) {
			cut = max(cut, s.epochOf(lineage.UUID(h.Lvol.External)))
		}
	}
	return max(cut, s.groupCut(cut))
}

// epochOf is the epoch of the layer that a joined head reads through. The RAID
// has the head only since that layer was cut on all legs.
func (s *subject) epochOf(u lineage.UUID) lineage.Epoch {
	for _, o := range s.inc.Others {
		if l, ok := o.Lvol.Parsed.(lineage.Layer); ok && o.Lvol.UUID == u {
			return l.Epoch
		}
	}
	return 0
}

// epoch is the volume's highest if it was minted for exactly these legs, else
// the next: an epoch is only ever entered once.
func (s *subject) epoch(legs []state.CurrentLeg) lineage.Epoch {
	if s.isMinted(legs) && (!s.forces() || s.Top > lineage.Forced && s.witness == "") {
		return s.Top
	}
	if s.forces() {
		return s.inc.Highest() + lineage.Forced
	}
	return max(s.Top+1, s.cut())
}

// isMinted reports whether the highest epoch was minted for these legs. The first of an
// epoch to be renamed tells how many it was minted for, and not which: when another of
// these lacks it, and a replica that is none of them has it or was not read, it may have
// been for that one. When one that an engine uses says that it is stale, it was not for that.
func (s *subject) isMinted(legs []state.CurrentLeg) bool {
	minted, lacks := false, false
	for _, l := range legs {
		is := l.Head != nil && l.Head.Name == s.headName(s.Top, legs, l.UUID)
		minted, lacks = minted || is, lacks || l.Head != nil && !is
		if s.Engine != "" && l.Head != nil && l.Head.Name.Mark == lineage.Fenced {
			return false
		}
	}
	return minted && (!lacks || s.forces() || !s.mintedElsewhere(legs))
}

// mintedElsewhere reports whether a replica that is none of these legs has the highest
// epoch, or may have it, for it was not read.
func (s *subject) mintedElsewhere(legs []state.CurrentLeg) bool {
	return s.hidden > 0 || slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool {
		return h.Name.Epoch == s.Top && h.Name.Mark != lineage.Fenced && !slices.ContainsFunc(legs, func(l state.CurrentLeg) bool { return l.UUID == h.Lvol.UUID })
	})
}

// forces reports whether the volume is started on the operator's word. The
// other replicas are then told of the epoch before its authority is: a later
// look that finds the authority must not miss that another was preferred.
func (s *subject) forces() bool { return s.Engine == "" && s.was == "" && s.ByOperator }

// fence marks the replicas that are not current as known to be stale.
func (s *subject) fence(epoch lineage.Epoch, legs []state.CurrentLeg) {
	why := because(s.v.Pos, "this replica is not among the current ones of epoch %d", epoch)
	s.sec.then(why, plan.RiskCreate, s.fences(epoch, slices.Concat(legs, s.Legs))...)
}

// fences rename the heads that are none of these legs. One in each place says
// so for all there: the newest, for that is the one an operator gets who names
// the node.
func (s *subject) fences(epoch lineage.Epoch, legs []state.CurrentLeg) []plan.Op {
	newest := map[string]state.Head{}
	told := map[string]bool{}
	for _, h := range s.inc.Heads {
		leg := slices.ContainsFunc(legs, func(l state.CurrentLeg) bool { return l.UUID == h.Lvol.UUID })
		if n, ok := newest[pathOf(h)]; !leg && h.Lvol.Complete() && (!ok || h.Newer(n)) {
			newest[pathOf(h)] = h
		}
		if h.Name.Mark == lineage.Fenced && h.Name.Epoch >= epoch && !h.Name.Pledged {
			told[pathOf(h)] = true
		}
	}
	var ops []plan.Op
	pledge := s.takes(epoch, legs)
	for _, h := range s.inc.Heads {
		if pledge && !s.pledges(h) {
			continue // it is told when the epoch is taken
		}
		if newest[pathOf(h)].Lvol == h.Lvol && !told[pathOf(h)] {
			name := lineage.Head{Volume: s.id, Epoch: epoch, Cut: h.Name.Cut, Mark: lineage.Fenced, Layout: h.Name.Layout, Check: h.Name.Check}
			name.Pledged = pledge
			ops = append(ops, plan.LvolRename{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, From: h.Lvol.Name, To: name.Lvol()})
		}
	}
	return ops
}

// pathOf is the lvstore that a head is in, on its node.
func pathOf(h state.Head) string { return string(h.Node) + "/" + h.Lvol.Lvstore }
