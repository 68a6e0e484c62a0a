package recipe

import "strata/lineage"

// move takes a volume in use down, to be started on the node that is set as its
// engine.
func (s *subject) move() result {
	to := s.v.Engine
	if s.minted || to == "" || to == s.Engine {
		return idle
	}
	if s.prepare(to, "engine") == blocked {
		return blocked
	}
	s.takeDown(nil, because(s.v.At("engine"), "the engine moves from %s to %s; hosts connect to the new one%s", s.Engine, to, s.bare(to)))
	return acted
}

// bare is a warning of an engine that will have no replica of its own.
func (s *subject) bare(to lineage.Node) string {
	if s.legOn(to) {
		return ""
	}
	return "; it has no replica, so after a restart of it you will have to say which one is current, with --authority"
}
