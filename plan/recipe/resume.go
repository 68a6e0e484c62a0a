package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// resume ends a pause that somebody left open, before anything else; but where a leg is
// waited for, that is waited for first, or let go: with hosts' I/O on its way there a target
// neither ends a pause nor answers.
//
// Where a start was interrupted, and some of the replicas still say that they are sealed, they
// are told first (names.go): those that are sealed are taken to be equal.
func (s *subject) resume() result {
	if len(s.waitingLegs()) > 0 || s.Engine != "" && s.someSealed() {
		return idle
	}
	s.inc = s.b.w.Incarnation(s.id) // another part may have had those of the whole go on
	before := s.tally()
	found := because(s.v.Pos, "hosts of %s were found paused", s.v.Name)
	for _, op := range s.paused() {
		s.sec.then(found, plan.RiskCreate, op)
	}
	return s.since(before)
}

func (s *subject) someSealed() bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil && l.Head.Name.Mark == lineage.Sealed })
}
