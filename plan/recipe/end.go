package recipe

import "strata/plan"

// endOthers ends the engines that are not believed, before anything the
// volume's own does: an operator has given them up.
func (s *subject) endOthers() result {
	ended := false
	for _, e := range s.inc.Exports {
		if e.Device == "" || e.Node == s.Engine {
			continue
		}
		ended = true
		s.endExport(because(s.v.Pos, "the engine of %s on %s is not believed any more", s.v.Name, e.Node), e)
	}
	for _, m := range s.inc.Raids {
		if m.Node != s.Engine {
			ended = true
			s.sec.then(because(s.v.Pos, "no engine of %s uses this RAID", s.v.Name), plan.RiskReduce, plan.RaidDelete{At: plan.At{Node: m.Node}, Raid: m.Raid.Name})
		}
	}
	if !ended {
		return idle
	}
	s.reread()
	return acted
}
