package world

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

func (w *World) projectRaid(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.RaidCreate:
		r := &state.Raid{Name: op.Raid, UUID: op.UUID, State: "online"}
		for _, leg := range op.Legs {
			if n.Backing(string(leg)) == "" {
				return fmt.Errorf("%s: leg %s is not there on %s", op.Raid, leg, n.Name)
			}
			r.Legs = append(r.Legs, state.Leg{Base: string(leg), UUID: leg, Configured: true})
		}
		w.putRaid(n, r)
	case plan.RaidDelete:
		if r := n.Raids[op.Raid]; r != nil {
			w.index(n).dropRaid(r)
			delete(n.Raids, op.Raid)
			delete(n.Limits, op.Raid)
			w.gone(n, w.dropLeg(n, r.UUID)...)
		}
		w.gone(n, op.Raid)
	case plan.RaidGrow:
		r := n.Raids[op.Raid]
		if r == nil || r.State != "online" || n.Backing(string(op.Leg)) == "" {
			return fmt.Errorf("%s on %s cannot get leg %s: one of them is not there", op.Raid, n.Name, op.Leg)
		}
		r.Grow(op.Leg)
		w.index(n).addRaid(r)
	case plan.RaidRemoveLeg:
		w.index(n).dropRaid(n.Raids[op.Raid])
		n.Raids[op.Raid].Drop(op.Leg)
		w.index(n).addRaid(n.Raids[op.Raid])
		w.gone(n, w.legless(n, op.Raid)...)
	case plan.ExpectLegs:
		for _, leg := range op.Legs {
			if !n.Raids[op.Raid].Has(leg) {
				return fmt.Errorf("%s on %s has no leg %s", op.Raid, n.Name, leg)
			}
		}
	default:
		return unknown(op)
	}
	return nil
}

// putRaid puts a RAID on a node, in the place of one of its name.
func (w *World) putRaid(n *state.Node, r *state.Raid) {
	if old := n.Raids[r.Name]; old != nil {
		w.index(n).dropRaid(old)
	}
	n.Raids[r.Name] = r
	w.index(n).addRaid(r)
	if v, ok := w.cluster.ParseRaid(r.Name); ok {
		w.Saw(v, n.Name)
	}
}

// dropLeg takes a leg out of the RAIDs that have it, and returns those that have
// none left, and are gone.
func (w *World) dropLeg(n *state.Node, leg lineage.UUID) (gone []string) {
	if leg == "" {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(w.index(n).raids[leg])) {
		w.index(n).dropRaid(n.Raids[name])
		n.Raids[name].Drop(leg)
		w.index(n).addRaid(n.Raids[name])
		if n.Raids[name].Laid != nil {
			gone = append(gone, w.broken(n, name))
			continue
		}
		gone = append(gone, w.legless(n, name)...)
	}
	return gone
}

// legless removes a RAID that has no leg left, and returns its name then.
func (w *World) legless(n *state.Node, name string) []string {
	r := n.Raids[name]
	if slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.Configured }) {
		return nil
	}
	w.index(n).dropRaid(r)
	delete(n.Raids, name)
	delete(n.Limits, name)
	return append(w.dropLeg(n, r.UUID), name)
}
