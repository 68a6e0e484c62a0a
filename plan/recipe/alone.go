package recipe

import (
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// alone leaves a volume as it is of which the next epoch is due, or another engine is
// to end, and neither may be done, for everything else would rest on it; and one that
// is made only in part, for once it is served what it lacks has to be copied.
func (s *subject) alone() result {
	if s.Engine == "" && s.halfMade() && !s.may(schema.DutyRebuild, schema.DutyChange) {
		s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "strata apply does it", "it is left as it is: it has never been served, and lacks replicas that cost nothing until then")
		return blocked
	}
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

// halfMade reports whether the volume is new, and has fewer replicas than it is to have.
func (s *subject) halfMade() bool {
	if s.Top > 1 || len(s.Legs) >= s.v.Replicas.Count {
		return false
	}
	return !slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head == nil || l.Head.Name.Mark != lineage.Sealed })
}
