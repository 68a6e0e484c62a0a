package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// An epoch of a volume that fails over without a person promises (lineage.Head.Quorum)
// that no leg of it is let go before half of its legs, at least, were told of the next.
// So a failover that reads more than half, none of which was told, knows that the engine
// has not gone on without them. Who can tell fewer waits, and hosts wait with him.
//
// The legs are told in an order in which a crash leaves no epoch that looks as if it had
// been told to more: those that are out are fenced, and those that stay sealed at it,
// before the engine's own says so.

// promised is of how many legs half have to be told of the next epoch: those that the
// latest names; 0 where nothing was promised. Of one that was announced and not begun it
// is not known how many the one before had, but not that it had more than the mirror.
func (s *subject) promised() (legs int) {
	opened := false
	for _, h := range s.inc.Heads {
		if h.Name.Quorum && h.Name.Mark != lineage.Fenced && (h.Name.Epoch == s.Top || s.isLeg(h.Lvol.UUID)) {
			legs = max(legs, h.Name.Legs)
			opened = opened || h.Name.Epoch == s.Top && h.Name.Mark != lineage.Sealed
		}
	}
	if legs > 0 && s.Engine != "" && !opened {
		legs = max(legs, s.Slots)
	}
	return legs
}

// keepsPromise reports whether the epoch that is minted for these legs has to promise
// what the last did, whatever is configured by now: some of that one's were not told.
func (s *subject) keepsPromise(legs []state.CurrentLeg) bool {
	return s.promised() > 0 && (len(s.waitingLegs()) > 0 || len(legs) < s.promised() ||
		slices.ContainsFunc(legs, func(l state.CurrentLeg) bool { return l.Head == nil }))
}

// told are the legs of a volume in use that can be told of its next epoch, or were: their
// nodes can be read.
func (s *subject) told() (n int) {
	for _, h := range s.inc.Heads {
		if h.Lvol.Complete() && (s.inRaid(h.Lvol.UUID) || s.isLeg(h.Lvol.UUID) || h.Name.Epoch == s.Top && h.Name.Mark != lineage.Fenced) {
			n++
		}
	}
	return n
}

// tell lets all legs of a volume in use but the first know of an epoch before that one
// does: those that are let go, and those that stay.
func (s *subject) tell(epoch lineage.Epoch, legs []state.CurrentLeg) {
	why := because(s.v.Pos, "tell those that are out of epoch %d before the authority enters it", epoch)
	var ops []plan.Op
	for _, op := range s.fences(epoch, legs) {
		r := op.(plan.LvolRename)
		if s.isLeg(s.b.w.Nodes[r.Node].Lvols[r.Lvstore+"/"+string(r.From)].UUID) {
			ops = append(ops, op)
		}
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	s.announce(epoch, legs)
}

// breaks says that legs cannot be let go, for too few of the others could be told of it;
// false where they may, or a person has said that what is on the rest never counts.
func (s *subject) breaks(gone []waitingLeg) bool {
	of := s.promised()
	if 2*s.told() >= of || s.legOn(s.b.opt.Authority[s.v.Name]) {
		return false
	}
	var away []string
	for _, l := range gone {
		away = append(away, fmt.Sprintf("on %s (%s)", l.on.From, l.on.How()))
	}
	stay := "NODE"
	for _, l := range s.Legs {
		if l.Head != nil {
			stay = string(l.Node)
			break
		}
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.At("failover"),
		fmt.Sprintf("make one of them work again; or, if what is on them is never to be served again, say so: --authority %s=%s", s.v.Name, stay),
		"its hosts wait for replicas %s: only %d of %d can be told that the others are out, and the rest would be taken for current by a failover", strings.Join(away, ", "), s.told(), of)
	return true
}
