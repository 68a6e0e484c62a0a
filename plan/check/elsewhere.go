package check

import (
	"fmt"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
)

// replicas are the places of the replicas of an incarnation that are current and were read.
func (c *Checker) replicas(id lineage.Volume) map[lineage.Place]bool {
	found := map[lineage.Place]bool{}
	if v := c.judge(id); v.Unknown == "" {
		for _, l := range v.Legs {
			if l.Head != nil {
				found[lineage.Place{Node: l.Node, Lvstore: l.Head.Lvol.Lvstore}] = true
			}
		}
	}
	return found
}

// elsewhere refuses to delete what was a current replica when the section began, and is none
// now, unless the volume has as many others as are configured, which are not damaged if it is not. Who has released it by
// name has it deleted all the same.
func (c *Checker) elsewhere(s *plan.Section, id lineage.Volume, before map[lineage.Place]bool, op plan.Op) error {
	del, ok := op.(plan.LvolDelete)
	v, at := c.cfg.Volume(id.Name), lineage.Place{Node: del.Node, Lvstore: del.Lvstore}
	if !ok || v == nil || s.Name != v.Name || !before[at] {
		return nil
	}
	now, on := c.replicas(id), map[lineage.Node]bool{}
	well := func(p lineage.Place) bool { return c.w.Incarnation(id).ScrubbedAt(p).Hurt() == 0 }
	for p := range now {
		if well(p) || !well(at) {
			on[p.Node] = true // of several on one node, one counts: they go together
		}
	}
	switch {
	case now[at], len(on) >= v.Replicas.Count, c.granted(plan.ReplicaGrant(v.Name, del.Node)):
		return nil
	default:
		return fmt.Errorf("%s has current replicas on %s beside that on %s, and is to have %d", v.Name, amount.Of(len(on), "node"), del.Node, v.Replicas.Count)
	}
}
