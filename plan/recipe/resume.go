package recipe

import "strata/plan"

// resume ends a pause that somebody left open, before anything else.
func (s *subject) resume() result {
	before := s.tally()
	found := because(s.v.Pos, "hosts of %s were found paused", s.v.Name)
	for _, op := range s.paused() {
		s.sec.then(found, plan.RiskCreate, op)
	}
	return s.since(before)
}
