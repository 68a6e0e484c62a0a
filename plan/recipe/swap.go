package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// swappable returns the places that a volume in use lacks a replica in, when
// nothing was ever written to it: then new empty replicas are equal to the
// current ones. Where there is data, a replica has to be rebuilt instead. While
// a node cannot be read that may have one, none is made elsewhere. The engine's own
// is among them where that has to come first.
func (s *subject) swappable() []plan.Choice {
	if state.Spread(s.Legs) >= s.v.Replicas.Count || !s.empty() || s.hiding() > 0 || s.kernelExport() {
		return nil
	}
	places := slices.Clone(s.places.Chosen)
	slices.SortStableFunc(places, func(a, b plan.Choice) int { return boolToInt(s.ownFirst(b)) - boolToInt(s.ownFirst(a)) })
	var missing []plan.Choice
	for _, c := range places {
		if !s.legOn(c.Node) && state.Spread(s.Legs)+len(missing) < s.v.Replicas.Count {
			missing = append(missing, c)
		}
	}
	return missing
}

// fillUp takes an empty volume in use down that lacks replicas, once they are there.
func (s *subject) fillUp() result {
	missing := s.swappable()
	if len(missing) == 0 {
		return idle
	}
	if s.prepare(s.engine, "replicas") == blocked {
		return blocked
	}
	return s.swap(missing)
}

// swap gives an empty volume in use more replicas. Ladder:
//
//	staging   an empty lvol in every new place, shown to the engine beforehand
//	sealed    listener and namespace away, so nothing can be written; the legs
//	          looked at once more: still empty, none lost; legs and staging sealed
//	serving   start, as after any seal: RAID, next epoch, export
//
// A crash before the seal leaves the volume in use and staging that is used
// again; one after it leaves sealed heads, which are equal, and no engine.
func (s *subject) swap(missing []plan.Choice) result {
	for _, c := range missing {
		if l := s.b.cfg.Link(c.Node, s.engine); c.Node != s.engine {
			why := s.b.link(l)
			if why == "" {
				why = s.b.connected(l)
			}
			if why != "" {
				s.b.block("volume "+s.v.Name, s.v.At("replicas"), "", "a replica on %s cannot be brought to the engine: %s", c.Node, why)
				return blocked
			}
		}
	}
	equal := because(s.v.At("replicas"), "nothing was written to %s yet, so a new replica is equal to the others", s.v.Name)
	name := lineage.Staging{Volume: s.id, Epoch: s.Top + 1}.Lvol()
	size := s.Legs[0].Head.Lvol.Size
	var staged []state.Placed
	var ops []plan.Op
	for _, c := range missing {
		if o := s.reusable(c, size); o != nil {
			staged = append(staged, *o)
			continue
		}
		s.sec.after(plan.NodeKey(c.Node))
		s.b.promise(c, size)
		ops = append(ops, plan.LvolCreate{At: plan.At{Node: c.Node}, Lvstore: c.Lvstore, Name: name, Size: size})
	}
	s.sec.then(equal, plan.RiskCreate, ops...)
	for _, op := range ops {
		op := op.(plan.LvolCreate)
		staged = append(staged, state.Placed{Node: op.Node, Lvol: s.b.w.Nodes[op.Node].Lvols[op.Lvstore+"/"+string(op.Name)]})
	}
	for _, o := range staged {
		if o.Node == s.engine {
			continue
		}
		if why := s.b.bring(s.sec, equal, s.b.cfg.Link(o.Node, s.engine), o.Lvol.UUID, s.key(o.Node)); why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("replicas"), "", "a replica on %s cannot be brought to the engine: %s", o.Node, why)
			return blocked
		}
	}
	joins := "joins"
	if len(staged) > 1 {
		joins = "join"
	}
	s.takeDown(staged, because(s.v.At("replicas"), "%s %s %s, which is empty", amount.Of(len(staged), "replica"), joins, s.v.Name))
	return acted
}

// reusable returns an empty lvol in c's place that can become a replica: an
// old head, or what an earlier try left.
func (s *subject) reusable(c plan.Choice, size int64) *state.Placed {
	if h := s.emptyHead(c.Node, size); h != nil {
		return &h.Placed
	}
	for i, o := range s.inc.Others {
		if staged(o.Lvol) && o.Node == c.Node && o.Lvol.Empty() && o.Lvol.Size == size {
			return &s.inc.Others[i]
		}
	}
	return nil
}

// takeDown seals a volume in use and ends its engine, so that it can be
// started again in another shape without copying: its stack goes down to the
// mirror, so that nothing can be written; the legs are sealed, if none was lost
// meanwhile; and only then the mirror goes.
// Empty lvols in joining are sealed with the legs, after a last look that the
// legs are empty too. It reports whether the volume can be judged as it is then.
//
// Hosts are not told beforehand that the volume is inaccessible: SPDK's own
// initiator goes on believing it for 10 s after it has reconnected, and then
// fails its I/O. Without the listener they wait, and the removal of a namespace
// is answered when its I/O is done.
func (s *subject) takeDown(joining []state.Placed, why reason) bool {
	s.lower(joining, why)
	return s.judge()
}

// lower is takeDown for a volume that nobody looks at again in this pass.
func (s *subject) lower(joining []state.Placed, why reason) {
	s.goDown(why, atMirror)
	if len(joining) > 0 {
		var looks []plan.Op
		for _, l := range s.Legs {
			looks = append(looks, plan.ExpectEmpty{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, Name: l.Head.Lvol.Name})
		}
		s.sec.then(why, plan.RiskPause, looks...)
	}
	s.sec.then(why, plan.RiskPause, s.expectLegs()...)
	rest := s.seal(why, joining)
	s.was = s.Engine
	// Once one says that the volume was taken down, its engine is not believed any more.
	s.sec.together(func() {
		s.sec.then(why, plan.RiskPause, rest...)
		s.goDown(why, atLegs)
	})
}

// prepare makes the links that a start of the volume on a node needs, before hosts
// are held for it.
func (s *subject) prepare(to lineage.Node, field string) result {
	why := s.canRestart(to)
	for _, l := range s.Legs {
		if why == "" {
			why = s.canSeal(l)
		}
		if why == "" && l.Node != to {
			link := s.b.cfg.Link(l.Node, to)
			s.sec.after(plan.LinkKey(link))
			if why = s.b.link(link); why == "" {
				why = s.b.connected(link)
			}
		}
	}
	if why != "" {
		s.b.block("volume "+s.v.Name, s.v.At(field), "", "%s has to wait, and it stays on %s as it is: %s", field, s.engine, why)
		return blocked
	}
	s.readyKeys(to)
	s.to = to
	return acted
}

// canRestart says why the volume cannot be started again on a node, whatever its
// legs and the links to them; "" when it can.
func (s *subject) canRestart(to lineage.Node) string {
	b := s.b
	if at := b.w.Nodes[to]; at == nil || at.Unknown != "" || b.cfg.Node(to) == nil {
		return b.silent(to)
	} else if b.opt.Skip[plan.NodeKey(to)] {
		return fmt.Sprintf("node %s could not be set up", to)
	} else if why := s.showable(at); to != s.Engine && why != "" {
		return why
	}
	if why := cmp.Or(s.unconfigured(), s.whole().apart()); why != "" {
		return why
	}
	if why := s.inc.Minority(s.question()); why != "" {
		return why
	}
	if to != s.Engine && s.toHave(to) {
		return s.awaitsCopy(to)
	}
	return ""
}

// canSeal says why a leg keeps the volume from being sealed; "" when it does not.
func (s *subject) canSeal(l state.CurrentLeg) string {
	if l.Head == nil {
		return fmt.Sprintf("the volume cannot be sealed: the replica %s", s.b.away(l.Node))
	}
	if s.Engine != "" && l.Node != s.Engine {
		return s.reached(l)
	}
	return ""
}

// seal renames the first of the legs, the engine's own if there is one, to a sealed head
// of an epoch that nothing names yet. It returns what does so to the others, and to the
// empty lvols that join them.
func (s *subject) seal(why reason, joining []state.Placed) (rest []plan.Op) {
	name := lineage.Head{Volume: s.id, Epoch: s.nextCut(), Legs: len(s.Legs) + len(joining), Cut: s.cut(), Mark: lineage.Sealed, Layout: s.layout(), Check: s.check()}
	for i, l := range s.Legs {
		leg := name
		leg.Check = s.checkOf(l.Head)
		op := plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: leg.Lvol()}
		if i == 0 {
			s.sec.then(why, plan.RiskPause, op)
		} else {
			rest = append(rest, op)
		}
	}
	for _, o := range joining {
		rest = append(rest, plan.LvolRename{At: plan.At{Node: o.Node}, Lvstore: o.Lvol.Lvstore, From: o.Lvol.Name, To: name.Lvol()})
	}
	return rest
}
