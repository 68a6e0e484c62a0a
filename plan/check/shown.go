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
	if over := n.Over(op.Raid); over != nil {
		return fmt.Errorf("%s on %s is laid out over %s", over.Name, op.Node, op.Raid)
	}
	if err := unencrypted(n, op.Raid, ""); err != nil {
		return err
	}
	return notShown(op, op.Raid, c.w.Shows(op.Node, op.Raid))
}

// lvolUnused refuses the same for an lvol.
func (c *Checker) lvolUnused(op plan.LvolDelete) error {
	n := c.w.Nodes[op.Node]
	if n == nil || n.Unknown != "" {
		return nil
	}
	if l := n.Lvols[op.Lvstore+"/"+string(op.Name)]; l != nil {
		if over := n.Over(string(l.UUID)); over != nil {
			return fmt.Errorf("%s on %s is laid out over %s", over.Name, op.Node, op.Name)
		}
		if err := unencrypted(n, string(op.Name), l.UUID); err != nil {
			return err
		}
		return notShown(op, op.Name, c.w.ShowsLvol(op.Node, l.UUID))
	}
	return nil
}

// notShown refuses an op that deletes what any of these places show.
func notShown[T string | lineage.LvolName](op plan.Op, what T, places []state.Shown) error {
	if len(places) == 0 {
		return nil
	}
	return fmt.Errorf("%s still shows %s on %s", slices.MinFunc(places, state.Shown.Compare), what, op.On())
}
