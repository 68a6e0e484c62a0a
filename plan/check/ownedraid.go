package check

import (
	"cmp"
	"fmt"

	"strata/plan"
)

// onRaid refuses an op on a RAID that is not the cluster's, or is not to be what it would
// become.
func (c *Checker) onRaid(op plan.Op) error {
	switch op := op.(type) {
	case plan.RaidCreate:
		return cmp.Or(c.oneKey(op), c.raid(op.Raid))
	case plan.LayOut:
		return cmp.Or(c.raid(op.Raid), c.laid(op))
	case plan.RaidDelete:
		return cmp.Or(c.raid(op.Raid), c.raidUnused(op))
	case plan.ExpectLegs:
		return c.raid(op.Raid)
	case plan.RaidGrow:
		return c.raid(op.Raid)
	case plan.RaidRemoveLeg:
		return c.raid(op.Raid)
	}
	return unknown(op)
}

func (c *Checker) raid(name string) error {
	if _, ok := c.cfg.Cluster.ParseRaid(name); !ok {
		return fmt.Errorf("RAID %s is not the cluster's", name)
	}
	return nil
}
