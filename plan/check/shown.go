package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// raidUnused refuses to delete a RAID that anything on its node still shows: a
// target deletes it all the same, and hosts lose their disk in the middle of what
// they write.
func (c *Checker) raidUnused(op plan.RaidDelete) error {
	n := c.w.Nodes[op.Node]
	if n == nil || n.Unknown != "" {
		return nil // as the projection says
	}
	return notShown(n, op.Raid, func(bdev string) bool { return bdev == op.Raid })
}

// lvolUnused refuses the same for an lvol.
func (c *Checker) lvolUnused(op plan.LvolDelete) error {
	n := c.w.Nodes[op.Node]
	if n == nil || n.Unknown != "" {
		return nil
	}
	if l := n.Lvols[op.Lvstore+"/"+string(op.Name)]; l != nil {
		return notShown(n, op.Name, func(bdev string) bool { return n.Backing(bdev) == l.UUID })
	}
	return nil
}

func notShown[T string | lineage.LvolName](n *state.Node, what T, is func(bdev string) bool) error {
	var places []state.Shown
	for p := range n.Shows() {
		if is(p.Bdev) {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil
	}
	return fmt.Errorf("%s still shows %s on %s", slices.MinFunc(places, state.Shown.Compare), what, n.Name)
}
