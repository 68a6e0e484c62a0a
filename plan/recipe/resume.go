package recipe

import "strata/plan"

// resume ends a pause that somebody left open, before anything else.
func (s *subject) resume() result {
	before := s.tally()
	for _, e := range s.inc.Exports {
		if e.Subsystem == nil || e.Device == "" {
			continue
		}
		for _, l := range e.Subsystem.Listeners {
			if l.Paused {
				found := because(s.v.Pos, "hosts of %s were found paused", s.v.Name)
				s.sec.then(found, plan.RiskCreate, plan.Resume{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, Address: l.Address, Port: l.Port})
			}
		}
	}
	return s.since(before)
}
