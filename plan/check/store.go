package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
)

// store checks what is done to disks and lvstores.
func (c *Checker) store(n *schema.Node, op plan.Op) error {
	at := c.w.Nodes[n.Name]
	switch op := op.(type) {
	case plan.DiskDetach, plan.ExpectBlank:
		return nil // only of a disk that nothing stands on, as the projection sees to
	case plan.TrialDelete:
		return inPool(n, op.Lvstore)
	case plan.LvstoreCreate:
		if p := poolOn(n, op.Lvstore); p != nil && op.Keeps && !p.Keeps {
			return fmt.Errorf("pool %s is to discard what was on its disk", p.Name)
		}
		for _, r := range c.w.Reminders() {
			m := r.Member
			if p := n.Pool(m.Pool); m.Node == n.Name && p != nil && p.Lvstore == op.Lvstore && !c.w.HasStore(m) && !c.cfg.Retires(m.Node, m.Pool) {
				return fmt.Errorf("pool %s of %s has another lvstore, which was not found", m.Pool, n.Name)
			}
		}
		if d := at.Disks[op.Bdev]; d != nil && !d.Unread && d.Kind != string(schema.Malloc) && !c.opt.AllowDestroy[diskGrant(n, op.Lvstore)] && len(world.Loaded(at)) > 0 {
			return fmt.Errorf("%s was not looked into again, and what shows on it may not be all", op.Bdev)
		}
		return inPool(n, op.Lvstore)
	case plan.LvstoreRename:
		if slices.ContainsFunc(n.Pools, func(p *schema.Pool) bool { return p.Lvstore == op.Lvstore && p.Named(c.cfg.Cluster) }) {
			return fmt.Errorf("lvstore %s has its name from the configuration", op.Lvstore)
		}
		if s, ok := lineage.ParseStore(op.From); !ok || s.Cluster != c.cfg.Cluster {
			return fmt.Errorf("lvstore %s is not the cluster's", op.From)
		}
		if at != nil && !world.Renamable(at, op.Lvstore) {
			return fmt.Errorf("an lvol in lvstore %s has no bdev: renaming it ends the target", op.From)
		}
		return inPool(n, op.Lvstore)
	case plan.Remind:
		return inPool(n, op.Lvstore)
	case plan.Forget:
		node, pool := op.Member.Node, op.Member.Pool
		if at != nil && !c.cfg.Retires(node, pool) && !c.w.HasStore(op.Member) {
			return fmt.Errorf("pool %s of %s is not known to be gone for good", pool, node)
		}
		return inPool(n, op.Lvstore)
	}
	return unknown(op)
}

// poolOn is the pool with an lvstore; nil for none.
func poolOn(n *schema.Node, lvstore string) *schema.Pool {
	for _, p := range n.Pools {
		if p.Lvstore == lvstore {
			return p
		}
	}
	return nil
}

// diskGrant releases the disk of the pool with an lvstore.
func diskGrant(n *schema.Node, lvstore string) plan.Grant {
	if p := poolOn(n, lvstore); p != nil {
		return plan.DiskGrant(n.Name, p.Name)
	}
	return plan.Grant{}
}
