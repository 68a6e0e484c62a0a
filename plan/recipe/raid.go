package recipe

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// raidTier is what the legs are written through: a RAID of them, which is given to
// the tier above; or the only leg as it is.
type raidTier struct{}

func (raidTier) found(inc *state.Incarnation) (all []piece) {
	for _, m := range inc.Raids {
		all = append(all, raidPiece{m})
	}
	return all
}

// raise makes the RAID of a volume that no engine serves. One that runs stays as it
// is: legs join and leave it by other recipes.
func (raidTier) raise(s *subject, _ string) string {
	if s.Engine == "" && !s.mirrors() {
		s.assemble()
	}
	return s.device()
}

// raidPiece is a RAID on a node.
type raidPiece struct{ state.Mirror }

func (r raidPiece) on() lineage.Node { return r.Node }
func (r raidPiece) bears() bool      { return true }
func (r raidPiece) stray(s *subject) reason {
	return because(s.v.Pos, "no engine of %s uses this RAID", s.v.Name)
}
func (r raidPiece) lower(s *subject, why reason) { s.sec.then(why, plan.RiskPause, r.ending()) }
func (r raidPiece) ending() plan.Op {
	return plan.RaidDelete{At: plan.At{Node: r.Node}, Raid: r.Raid.Name}
}

// assemble makes the RAID of a volume that has two legs or more.
func (s *subject) assemble() {
	raid := s.b.cfg.Cluster.Raid(s.id)
	for _, m := range s.b.w.Incarnation(s.id).Raids {
		inWay := because(s.v.Pos, "a RAID of %s that never came online is in the way", s.v.Name)
		s.sec.then(inWay, plan.RiskCreate, raidPiece{m}.ending())
	}
	s.orderLegs()
	if len(s.joins) == 0 && s.isApart() {
		s.assembleApart(raid)
		return
	}
	if len(s.Legs)+len(s.joins) < 2 {
		return
	}
	var legs []lineage.UUID
	for _, l := range s.Legs {
		legs = append(legs, l.UUID)
	}
	legs = append(legs, s.joins...)
	why := because(s.v.At("replicas"), "%s of %s %s current", amount.Of(len(legs), "replica"), s.v.Name, amount.Verb(len(legs), "is", "are equal and"))
	if len(s.joins) > 0 {
		why = because(s.v.At("replicas"), "what hosts write from now on goes to the new replica, too")
	}
	s.sec.then(why, plan.RiskCreate, plan.RaidCreate{At: plan.At{Node: s.engine}, Raid: raid, UUID: s.b.cfg.Cluster.ExportUUID(s.id), Legs: legs})
	s.Device = raid
}

// device is the bdev that it gives: the RAID, or the only leg.
func (s *subject) device() string {
	if s.Device != "" {
		return s.Device
	}
	return string(s.Legs[0].UUID)
}

// mirrors reports whether the engine has a RAID, and not the only leg as it is.
func (s *subject) mirrors() bool { return s.Device == s.b.cfg.Cluster.Raid(s.id) }

// grows reports whether the engine's RAID takes a leg while it is in use.
func (s *subject) grows() bool {
	return s.mirrors() && s.b.w.Nodes[s.engine].Can("bdev_raid_grow_base_bdev")
}

// addLeg lets the RAID in use have another leg: whatever is written from then on.
func (s *subject) addLeg(why reason, leg lineage.UUID) {
	s.sec.then(why, plan.RiskPause, plan.RaidGrow{At: plan.At{Node: s.engine}, Raid: s.Device, Leg: leg})
}

// removeLeg takes a leg out of the RAID in use.
func (s *subject) removeLeg(why reason, leg lineage.UUID) {
	s.sec.then(why, plan.RiskReduce, plan.RaidRemoveLeg{At: plan.At{Node: s.engine}, Raid: s.Device, Leg: leg})
}

// expectLegs makes sure that the RAID still has the legs that the plan knows of:
// one that was lost since the nodes were read has missed writes. It is asked
// when I/O is drained, or later: no leg comes back.
func (s *subject) expectLegs() []plan.Op {
	if s.Engine == "" || !s.mirrors() {
		return nil
	}
	var legs []lineage.UUID
	for _, l := range s.Legs {
		legs = append(legs, l.UUID)
	}
	return []plan.Op{plan.ExpectLegs{At: plan.At{Node: s.Engine}, Raid: s.Device, Legs: legs}}
}

// inRaid reports whether a RAID of the volume, on whatever node, writes to an lvol.
func (s *subject) inRaid(u lineage.UUID) bool {
	for _, m := range s.inc.Raids {
		if slices.ContainsFunc(m.Raid.Legs, func(l state.Leg) bool { return l.Configured && l.UUID == u }) {
			return true
		}
	}
	return false
}

// halfJoined reports whether the RAID has a leg that is not complete yet.
func (s *subject) halfJoined() bool {
	for _, m := range s.inc.Raids {
		for _, l := range m.Raid.Legs {
			if l.Configured && !s.isLeg(l.UUID) {
				return true
			}
		}
	}
	return false
}

// byHand says how an operator ends it on the engine.
func (s *subject) byHand() string {
	return fmt.Sprintf("delete RAID %s on %s with bdev_raid_delete", s.Device, s.Engine)
}
