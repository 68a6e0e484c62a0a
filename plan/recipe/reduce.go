package recipe

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// reduce lets replicas go that are more than configured, while the volume has its
// full number of current ones that were read: what is in them is elsewhere, so nobody has to
// release them by name.
func (s *subject) reduce() result {
	before := s.tally()
	want := s.v.Replicas.Count
	victims := s.victims()
	s.noteStaying(victims)
	if len(victims) > 0 {
		s.letLegsGo(victims, because(s.v.At("replicas"), "%s is configured with %s", s.v.Name, amount.Of(s.v.Replicas.Count, "replica")), s.dropLeg)
	}
	if state.Spread(s.Legs) >= want && !slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head == nil }) {
		s.dropStale()
		s.dropRemains()
	}
	return s.since(before)
}

// noteStaying says of current replicas that the operator has released and that
// stay all the same why they do.
func (s *subject) noteStaying(victims []state.CurrentLeg) {
	surplus := state.Spread(s.Legs) - s.v.Replicas.Count
	for _, l := range s.Legs {
		goes := slices.ContainsFunc(victims, func(v state.CurrentLeg) bool { return v.UUID == l.UUID })
		if goes || s.v.Protect || !s.b.opt.AllowDestroy.Replica(s.v.Name, l.Node) {
			continue
		}
		why := fmt.Sprintf("the volume has %s that %s current, and is to have %d", amount.Of(state.Spread(s.Legs), "replica"), amount.Verb(state.Spread(s.Legs), "is", "are"), s.v.Replicas.Count)
		if surplus > 0 {
			if !s.wanted(l) {
				continue // victims has said what is in the way
			}
			why = "the configuration wants one there"
			if i := slices.IndexFunc(s.Legs, func(o state.CurrentLeg) bool { return o.Head == nil }); i >= 0 {
				why = fmt.Sprintf("the one that would stay instead %s", s.b.away(s.Legs[i].Node))
			}
		}
		s.b.note("volume "+s.v.Name, s.v.At("replicas"), "", "the replica on %s was released and stays: %s", l.Node, why)
	}
}

// surplus are the legs that are too many: those without which as many nodes have one as
// are to. First come those beside another on their node, which are there until that one
// is current; then the least wanted, and the engine's own last.
func (s *subject) surplus() (legs []state.CurrentLeg) {
	rest := slices.Clone(s.Legs)
	for _, beside := range []bool{true, false} {
		for _, l := range slices.Backward(s.Legs) {
			without := slices.DeleteFunc(slices.Clone(rest), func(o state.CurrentLeg) bool { return o.UUID == l.UUID })
			if len(without) == len(rest) || s.wanted(l) || beside != onNode(without, l.Node) || state.Spread(without) < s.v.Replicas.Count {
				continue
			}
			legs, rest = append(legs, l), without
		}
	}
	return legs
}

// onNode reports whether any of these legs is on a node.
func onNode(legs []state.CurrentLeg, n lineage.Node) bool {
	return slices.ContainsFunc(legs, func(l state.CurrentLeg) bool { return l.Node == n })
}

// stays says why a leg that is one too many stays, and what would let it go; ""
// when it may.
func (s *subject) stays(l state.CurrentLeg) (why, hint string) {
	away := slices.IndexFunc(s.Legs, func(o state.CurrentLeg) bool { return o.Head == nil })
	switch {
	case s.v.Protect && !s.b.cfg.Drained(l.Node) && !s.movesOn(l):
		return fmt.Sprintf("the replica on %s is one too many, but the volume is protected", l.Node), "remove protect first"
	case away >= 0:
		return "there is one replica too many, and none goes while the one " + s.b.away(s.Legs[away].Node), ""
	case s.cutOffLeg() != "":
		return "there is one replica too many, and none goes meanwhile: " + s.cutOffLeg(), ""
	case s.spoiled(l) != "":
		return fmt.Sprintf("the replica on %s is one too many, but %s", l.Node, s.spoiled(l)), ""
	case s.b.sending(l.Node, s.id) != "":
		return fmt.Sprintf("the replica on %s is one too many, but %s", l.Node, s.b.sending(l.Node, s.id)), ""
	case s.readFrom(l):
		return fmt.Sprintf("the replica on %s is one too many, but one that is being rebuilt reads through it", l.Node), ""
	case !s.may(schema.DutyMove):
		return fmt.Sprintf("the replica on %s is one too many; it is current, and to let it go is left to a person", l.Node), byMoving
	case s.seated(l) && s.v.Engine == "" && s.kernelExport():
		return fmt.Sprintf("the replica on %s is one too many, but the engine there shows a kernel device, which is not moved without your word", l.Node),
			fmt.Sprintf("set engine: to a node that keeps a replica; or to %q, to leave the engine without one", l.Node)
	}
	return "", ""
}

// spoiled says that without a leg, which is well, too few are left that are; "" when
// it is not so.
func (s *subject) spoiled(leg state.CurrentLeg) string {
	if s.hurt(leg.Place()) != 0 {
		return ""
	}
	for _, l := range s.Legs {
		if l.UUID == leg.UUID || l.Head == nil || s.hurt(l.Place()) == 0 {
			continue
		}
		well := slices.DeleteFunc(slices.Clone(s.Legs), func(o state.CurrentLeg) bool {
			return o.UUID == leg.UUID || o.Head == nil || s.hurt(o.Place()) != 0
		})
		if state.Spread(well) < s.v.Replicas.Count {
			return s.harm(l.Place())
		}
	}
	return ""
}

// cutOffLeg says that the engine does not reach a leg, so that it may be lost soon; "" when
// it reaches all.
func (s *subject) cutOffLeg() string {
	for _, l := range s.Legs {
		if s.Engine != "" && l.Node != s.Engine && l.Head != nil {
			if why := s.reached(l); why != "" {
				return why
			}
		}
	}
	return ""
}

// victims are the legs that may go. Of one that is too many and has to stay it is
// said why; what is in the way of the engine's move is said there.
func (s *subject) victims() []state.CurrentLeg {
	var victims []state.CurrentLeg
	for _, l := range s.surplus() {
		if why, hint := s.stays(l); why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("replicas"), hint, "%s", why)
		} else if !s.seated(l) {
			victims = append(victims, l)
		}
	}
	return victims
}

// readFrom reports whether a head in another place reads through a layer beside a leg.
func (s *subject) readFrom(l state.CurrentLeg) bool {
	return slices.ContainsFunc(s.inc.Others, func(o state.Placed) bool { return l.In(o.Place()) && s.readThrough(o.Lvol.UUID) })
}

// movesOn reports whether a leg is in a pool that the volume leaves for another of the same
// node: nobody has asked for fewer replicas.
func (s *subject) movesOn(l state.CurrentLeg) bool {
	return slices.ContainsFunc(s.Legs, func(o state.CurrentLeg) bool { return o.Node == l.Node && o.UUID != l.UUID && s.wanted(o) })
}

// letLegsGo removes legs: the names first, so that those that go are never believed
// again; then base bdev, namespace, and what then becomes of the lvols. Those that go say so before the others are told of
// the epoch without them: should another be lost meanwhile, there are as many legs as that
// epoch names, and it is not theirs (epoch).
func (s *subject) letLegsGo(victims []state.CurrentLeg, why reason, then func(why reason, gone state.CurrentLeg, stay []state.CurrentLeg)) {
	gone := map[lineage.UUID]bool{}
	for _, l := range victims {
		gone[l.UUID] = true
	}
	s.handOver(gone)
	s.renamed(victims)
	stay := slices.DeleteFunc(slices.Clone(s.Legs), func(l state.CurrentLeg) bool { return gone[l.UUID] })
	own := because(s.v.At("replicas"), "the engine's own replica goes, and engine keeps it on %s; those that stay are ahead of it; after a restart of %s you will have to say which one is current, with --authority", s.engine, s.engine)
	last := !onNode(stay, s.engine)
	for _, l := range victims {
		if last && l.Node == s.engine {
			name := lineage.Head{Volume: s.id, Epoch: s.Top + 1, Cut: l.Head.Name.Cut, Mark: lineage.Fenced, Layout: l.Head.Name.Layout, Check: l.Head.Name.Check}
			s.sec.then(own, plan.RiskReduce, plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: name.Lvol()})
			s.reread()
		}
	}
	var fences []plan.Op
	for _, l := range victims {
		name := lineage.Head{Volume: s.id, Epoch: s.Top, Cut: l.Head.Name.Cut, Mark: lineage.Fenced, Layout: l.Head.Name.Layout, Check: l.Head.Name.Check}.Lvol()
		if !(last && l.Node == s.engine) && s.b.w.Nodes[l.Node].Lvols[l.Head.Lvol.Lvstore+"/"+string(name)] == nil {
			fences = append(fences, plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: name})
		}
	}
	s.sec.then(why, plan.RiskReduce, fences...)
	s.reread()
	s.rename(stay)
	for _, l := range victims {
		if s.mirrors() {
			s.removeLeg(why, l.UUID)
		}
		s.decipherLeg(why, l.UUID)
		s.b.withdraw(s.sec, why, l.Node, l.UUID, "")
		then(why, l, stay)
	}
	s.Legs = stay
	s.reread()
}

// dropLeg deletes what a leg that was let go leaves: all of the volume there, but where another leg
// stays beside it only its head.
func (s *subject) dropLeg(why reason, gone state.CurrentLeg, stay []state.CurrentLeg) {
	if slices.ContainsFunc(stay, func(o state.CurrentLeg) bool { return o.In(gone.Place()) }) {
		s.sec.then(why, plan.RiskReduce, plan.LvolDelete{At: plan.At{Node: gone.Node}, Lvstore: gone.Place().Lvstore, Name: s.b.w.Nodes[gone.Node].LvolByUUID(gone.UUID).Name})
		return
	}
	s.deleteStack(why, gone.Place(), plan.RiskReduce)
}

// handOver has the authority be a leg that stays, where the one that is goes and another on
// the engine's node does not: the volume is never without a head that says that it is the
// one to believe. It takes an epoch, of the same legs.
//
// The one that is to be it has the name first. From then on it is believed if the engine
// ends, which writes to all of them; and what only it says is said of no other legs.
func (s *subject) handOver(gone map[lineage.UUID]bool) {
	heir := slices.IndexFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Node == s.engine && !gone[l.UUID] })
	if heir < 0 || !gone[s.Legs[0].UUID] {
		return
	}
	s.Legs = slices.Concat(s.Legs[heir:heir+1], slices.Delete(slices.Clone(s.Legs), heir, heir+1))
	passes := because(s.v.At("replicas"), "the engine's own replica is to be the one in %s, which says so before the other goes", s.b.poolAt(s.Legs[0].Place()))
	s.sec.then(because(s.v.At("replicas"), "one that was lost meanwhile has missed writes"), plan.RiskCreate, s.expectLegs()...)
	first, rest := s.entering(max(s.Top+1, s.cut()), s.cut())
	s.sec.then(passes, plan.RiskCreate, first)
	s.sec.then(passes, plan.RiskCreate, rest...)
	s.reread()
}

// dropStale deletes known stale replicas. One beside a current replica is only
// its head: the layers below may be the other's, too.
func (s *subject) dropStale() {
	for _, h := range slices.Clone(s.inc.Heads) {
		at := s.b.w.Nodes[h.Node]
		if s.isLeg(h.Lvol.UUID) || s.filling(h.Lvol.UUID) || at.LvolByUUID(h.Lvol.UUID) == nil || s.b.sending(h.Node, s.id) != "" || s.wantsAt(h.Place()) && !s.legAt(h.Place()) {
			continue // where one is to be, the rebuild goes on with what is there
		}
		stale := because(s.v.At("replicas"), "%s has its %s; this one is stale", s.v.Name, amount.Of(state.Spread(s.Legs), "replica"))
		if s.inRaid(h.Lvol.UUID) {
			s.removeLeg(stale, h.Lvol.UUID)
		}
		s.decipherLeg(stale, h.Lvol.UUID)
		s.b.withdraw(s.sec, stale, h.Node, h.Lvol.UUID, "")
		if s.legAt(h.Place()) {
			s.sec.then(stale, plan.RiskReduce, plan.LvolDelete{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, Name: at.LvolByUUID(h.Lvol.UUID).Name})
		} else {
			s.deleteStack(stale, h.Place(), plan.RiskReduce)
		}
	}
	s.reread()
}

// dropRemains deletes layers in places that have no head of the volume and are to
// have none: the deletion of a replica, or a rebuild, ended halfway. Without a head
// nothing says any more whether they count. What something else stands on stays.
func (s *subject) dropRemains() {
	kept := map[lineage.Place]bool{}
	for _, h := range s.inc.Heads {
		kept[h.Place()] = true
	}
	for _, c := range s.places.Chosen {
		kept[c.Place()] = true
	}
	for _, o := range s.inc.Others {
		kept[o.Place()] = kept[o.Place()] || s.read(o.Node, o.Lvol) != "" || s.stoodOn(o.Node, o.Lvol) != ""
	}
	for _, o := range slices.Clone(s.inc.Others) {
		if !kept[o.Place()] {
			kept[o.Place()] = true
			rest := because(s.v.At("replicas"), "%s has its %s; this is left of one that is gone", s.v.Name, amount.Of(state.Spread(s.Legs), "replica"))
			s.deleteStack(rest, o.Place(), plan.RiskReduce)
		}
	}
	s.reread()
}

// deleteStack deletes everything of the volume in a place, the youngest first.
func (s *subject) deleteStack(why reason, at lineage.Place, risk plan.Risk) {
	s.b.deleteStack(s.sec, why, at, s.b.w.Incarnation(s.id), risk)
}

// deleteStack takes what is shown to a peer off the links first: staging is
// while it is being filled. What says that layers are damaged goes last.
func (b *builder) deleteStack(sec *section, why reason, at lineage.Place, inc *state.Incarnation, risk plan.Risk) {
	n := at.Node
	var left []string
	for _, h := range inc.Heads {
		if h.Place() == at {
			left = append(left, h.Lvol.Alias())
		}
	}
	for _, o := range inc.Others {
		if o.Place() == at {
			left = append(left, o.Lvol.Alias())
		}
	}
	for _, alias := range left {
		if l := b.w.Nodes[n].Lvols[alias]; b.filled(n, l) {
			b.block("node "+string(n), why.pos, "apply again when that is over", "%s on %s stays meanwhile: a layer is copied to it", alias, n)
			return
		}
	}
	for _, alias := range left {
		b.withdraw(sec, why, n, b.w.Nodes[n].Lvols[alias].UUID, "")
	}
	says := func(alias string) bool {
		_, is := b.w.Nodes[n].Lvols[alias].Parsed.(lineage.Scrubbed)
		return is
	}
	for len(left) > 0 {
		var ops []plan.Op
		var rest []string
		last := !slices.ContainsFunc(left, func(alias string) bool { return !says(alias) })
		for _, alias := range left {
			if l := b.w.Nodes[n].Lvols[alias]; len(l.Children) == 0 && (last || !says(alias)) {
				ops = append(ops, plan.LvolDelete{At: plan.At{Node: n}, Lvstore: l.Lvstore, Name: l.Name})
			} else {
				rest = append(rest, alias)
			}
		}
		if len(ops) == 0 {
			stays := rest[max(slices.IndexFunc(rest, func(alias string) bool { return !says(alias) }), 0)]
			b.block("node "+string(n), why.pos, "", "%s on %s stays: %v is built on it", stays, n, b.w.Nodes[n].Lvols[stays].Children)
			return
		}
		sec.then(why, risk, ops...)
		left = rest
	}
}
