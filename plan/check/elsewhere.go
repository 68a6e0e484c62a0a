package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
)

// place is where a replica is.
type place struct {
	node    lineage.Node
	lvstore string
}

// replicas are the places of the replicas of an incarnation that are current and were read.
func (c *Checker) replicas(id lineage.Volume) map[place]bool {
	found := map[place]bool{}
	if v := c.judge(id); v.Unknown == "" {
		for _, l := range v.Legs {
			if l.Head != nil {
				found[place{l.Node, l.Head.Lvol.Lvstore}] = true
			}
		}
	}
	return found
}

// elsewhere refuses to delete what was a current replica when the section began, and is none
// now, unless the volume has as many others as are configured. Who has released it by
// name has it deleted all the same.
func (c *Checker) elsewhere(s *plan.Section, id lineage.Volume, before map[place]bool, op plan.Op) error {
	del, ok := op.(plan.LvolDelete)
	v := c.cfg.Volume(id.Name)
	if !ok || v == nil || s.Name != v.Name || !before[place{del.Node, del.Lvstore}] {
		return nil
	}
	switch now := c.replicas(id); {
	case now[place{del.Node, del.Lvstore}], len(now) >= v.Replicas.Count, c.opt.AllowDestroy[plan.ReplicaGrant(v.Name, del.Node)]:
		return nil
	default:
		return fmt.Errorf("%s has %d current replicas beside that on %s, and is to have %d", v.Name, len(now), del.Node, v.Replicas.Count)
	}
}
