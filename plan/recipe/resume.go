package recipe

import "strata/plan"

// resume ends a pause that somebody left open, before anything else; but where a leg is
// waited for, that is waited for first, or let go: with hosts' I/O on its way there a target
// neither ends a pause nor answers.
func (s *subject) resume() result {
	if len(s.waitingLegs()) > 0 {
		return idle
	}
	before := s.tally()
	found := because(s.v.Pos, "hosts of %s were found paused", s.v.Name)
	for _, op := range s.paused() {
		s.sec.then(found, plan.RiskCreate, op)
	}
	return s.since(before)
}
