package recipe

import (
	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// move takes a volume in use down, to be started on the node that is set as its
// engine. Ladder, of one that has standby paths:
//
//	path     the node has one, and so has every host of the old engine
//	sealed   the old engine's listener goes, then its namespace; the legs are looked at
//	         once more and sealed, the engine's own first; the old RAID goes with the rest
//	serving  start, as after any seal: legs over links, RAID, next epoch; the namespace
//	         is put on the path that was there while the others are told of that; it
//	         becomes the optimized one
//	standby  the old engine's subsystem listens again, and shows nothing (standby.go)
//
// A crash before the seal leaves the volume in use where it was; one after it sealed
// heads, which are equal, and no engine: it is started where it was going. The listener goes as
// it is, optimized: an initiator that was told that it is inaccessible believes so when
// it comes back, should the move be undone.
func (s *subject) move() result {
	to := s.v.Engine
	if s.minted || to == "" || to == s.Engine || s.v.Part != nil {
		return idle
	}
	if s.prepare(to, "engine") == blocked {
		return blocked
	}
	s.sits(to, "engine names it")
	hosts := s.follow(to, s.v.At("engine"))
	s.takeDown(nil, because(s.v.At("engine"), "the engine moves from %s to %s; %s%s", s.Engine, to, hosts, s.bare(to)))
	return acted
}

// bare is a warning of an engine that will have no replica of its own.
func (s *subject) bare(to lineage.Node) string {
	if s.legOn(to) {
		return ""
	}
	return "; it has no replica, so after a restart of it you will have to say which one is current, with --authority"
}

// follow sees to it that hosts have a path to the node that is to be the engine, where
// they are to have several, and says how they come there.
func (s *subject) follow(to lineage.Node, pos schema.Pos) (how string) {
	if s.v.Export.VIP != nil {
		return s.tryMover(pos)
	}
	if s.v.Export.Kind != schema.ExportNVMf || s.v.Export.Standby == 0 {
		return "hosts connect to the new one"
	}
	s.makePath(to)
	// A host that comes back to the old engine's subsystem and finds nothing there
	// keeps its disk only by another path.
	if nqn := s.b.cfg.Cluster.ExportNQN(s.id.Whole()); s.b.w.Nodes[s.Engine].Subsystems[nqn] != nil {
		why := because(pos, "hosts of %s are to go on by their path to %s", s.v.Name, to)
		s.sec.then(why, plan.RiskCreate, plan.ExpectPaths{At: plan.At{Node: s.Engine}, NQN: nqn, Also: to})
	}
	return "hosts go on by the path that they have there"
}
