package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// limitTier is what hosts get of the volume at most. It is not a bdev of its own: what
// the tier below gives has limits, which go with it. Rebuilds read and write replicas
// below, so they are not limited; and a leg that was what hosts were shown, before it
// got a RAID above it or another engine, would limit all others, so its limits are lifted.
type limitTier struct{}

func (limitTier) found(*state.Incarnation) []piece { return nil }

func (limitTier) raise(s *subject, below string) string {
	if s.serves() && !s.may(schema.DutyChange) {
		return below
	}
	var ops []plan.Op
	at, want := s.b.w.Nodes[s.engine], s.v.Limits.OnTarget()
	if at.LimitsOf(below) != world.Limits(want) {
		ops = append(ops, plan.HostLimit{At: plan.At{Node: s.engine}, Bdev: below, Limits: want})
	}
	for _, h := range s.b.w.Incarnation(s.id).Heads {
		for _, n := range slices.Compact([]lineage.Node{h.Node, s.engine}) {
			at, leg := s.b.w.Nodes[n], string(h.Lvol.UUID)
			if at.LimitsOf(leg) != (state.Limits{}) && !(n == s.engine && same(at, leg, below)) {
				ops = append(ops, plan.HostLimit{At: plan.At{Node: n}, Bdev: leg})
			}
		}
	}
	why := because(s.v.At("limits"), "what hosts get of %s at most", s.v.Name)
	if want == (schema.Limits{}) {
		why = because(s.v.At("limits"), "%s has no limits", s.v.Name)
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	return below
}
