package recipe

import "strata/schema"

// alone leaves a volume as it is of which the next epoch is due, or another engine is
// to end, and neither may be done: everything else would rest on it.
func (s *subject) alone() result {
	if s.may(schema.DutyFence) || s.Engine == "" {
		return idle
	}
	const hint = "strata apply does it; with \"fence\" in its auto it is done without a person"
	if due, lost := s.unnamed(); due && lost {
		s.b.blockAlone("volume "+s.v.Name, s.v.Pos, hint, "it is left as it is: its heads are to say which replicas are current, and that takes \"fence\"")
		return blocked
	}
	for p := range above(s.inc, atLegs) {
		if p.bears() && p.on() != s.Engine {
			s.b.blockAlone("volume "+s.v.Name, s.v.Pos, hint, "it is left as it is: an engine of it on %s that was given up is to end, and that takes \"fence\"", p.on())
			return blocked
		}
	}
	return idle
}
