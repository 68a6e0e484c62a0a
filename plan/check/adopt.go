package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// adopting finds the volume that the configuration makes of an lvol that is
// not strata's: no other of those may be touched.
func (c *Checker) adopting(n lineage.Node, lvstore string, name lineage.LvolName) (*schema.Volume, error) {
	i := slices.IndexFunc(c.cfg.Volumes, func(v *schema.Volume) bool {
		return v.Adopt != nil && *v.Adopt == schema.Adopt{Node: n, Lvstore: lvstore, Lvol: name}
	})
	if i < 0 {
		return nil, fmt.Errorf("lvol %s/%s is not strata's, and no volume adopts it", lvstore, name)
	}
	return c.cfg.Volumes[i], inPool(c.cfg.Node(n), lvstore)
}

// adopted refuses to give an lvol that is not strata's the name of a head
// unless it becomes the only one of the volume that adopts it, has all its data
// itself, and neither a RAID nor a subsystem has it.
func (c *Checker) adopted(op plan.LvolRename) error {
	v, err := c.adopting(op.Node, op.Lvstore, op.From)
	if err != nil {
		return err
	}
	head, ok := lineage.ParseHead(op.To)
	if !ok || head.Volume.Name != v.Name {
		return fmt.Errorf("%s is no head of volume %s", op.To, v.Name)
	}
	for _, id := range c.w.Incarnations(v.Name) {
		if inc := c.w.Incarnation(id); len(inc.Heads) > 0 {
			return fmt.Errorf("volume %s has a head already, %s", v.Name, inc.Heads[0].Lvol.Name)
		}
	}
	at := c.w.Nodes[op.Node]
	l, err := world.FindLvol(at, op.Lvstore, op.From)
	if err != nil {
		return err
	}
	if l.Snapshot || !l.Complete() || l.Parent != "" {
		return fmt.Errorf("lvol %s is a snapshot, or stands on one", l.Alias())
	}
	for _, r := range at.Raids {
		if slices.ContainsFunc(r.Legs, func(leg state.Leg) bool { return leg.UUID == l.UUID }) {
			return fmt.Errorf("lvol %s is a base of RAID %s", l.Alias(), r.Name)
		}
	}
	for nqn, sub := range at.Subsystems {
		for _, ns := range sub.Namespaces {
			if at.Backing(ns.Bdev) == l.UUID {
				return fmt.Errorf("subsystem %s shows lvol %s", nqn, l.Alias())
			}
		}
	}
	return nil
}
