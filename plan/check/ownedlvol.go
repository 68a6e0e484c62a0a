package check

import (
	"cmp"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// onLvol refuses an op on an lvol that lies outside the cluster's pools, or is not to be
// changed as it would be.
func (c *Checker) onLvol(node *schema.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolCreate:
		if s, is := lineage.ParseScrubbed(op.Name); is && s != (lineage.Scrubbed{Volume: s.Volume}) {
			return fmt.Errorf("%s says of layers that they were compared, and none was", op.Name)
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.LvolResize:
		if op.To <= op.From {
			return fmt.Errorf("from %d to %d bytes is no growth", op.From, op.To)
		}
		return c.changed(node, op.Lvstore, op.Name)
	case plan.LvolRename:
		if err := ours(node, op.Lvstore, op.To); err != nil {
			return err
		}
		from, _ := lineage.Parse(op.From)
		to, _ := lineage.Parse(op.To)
		if from == nil {
			return c.adopted(op)
		}
		if from.Of() != to.Of() {
			return fmt.Errorf("%s and %s are not of one volume", op.From, op.To)
		}
		return cmp.Or(c.renotes(op), c.whole(op), c.takeover(op), c.revive(op), c.authority(op), c.sameKey(op), c.changed(node, op.Lvstore, op.From))
	case plan.LvolDelete:
		return cmp.Or(c.changed(node, op.Lvstore, op.Name), c.notBackedUp(op), c.notOrphaned(op), c.lvolUnused(op))
	case plan.LvolSnapshot:
		return cmp.Or(ours(node, op.Lvstore, op.Layer), c.snapshotted(op), c.alike(op), c.changed(node, op.Lvstore, op.Lvol))
	case plan.LvolClone:
		return cmp.Or(ours(node, op.Lvstore, op.Layer), c.unserved(op), ours(node, op.Lvstore, op.Name))
	case plan.LvolCloneBdev:
		return cmp.Or(c.clonesImage(op), ours(node, op.Lvstore, op.Name))
	case plan.LvolSetParent:
		return cmp.Or(c.stands(op), c.changed(node, op.Lvstore, op.Name))
	case plan.ShallowCopy:
		if _, staging := c.lvol(op.To).(lineage.Staging); !staging {
			return fmt.Errorf("%s is no stack that is being copied: a copy would overwrite it", op.Label)
		}
		return cmp.Or(c.blocks(op), ours(node, op.Lvstore, op.Layer))
	case plan.LvolDecouple:
		if _, strange := c.adopting(op.Node, op.Lvstore, op.Name); strange == nil {
			return nil
		}
		return ours(node, op.Lvstore, op.Name)
	case plan.ExpectEmpty:
		return ours(node, op.Lvstore, op.Name)
	}
	return unknown(op)
}

// blocks refuses a copy between pools with blocks of different sizes: a target takes the
// addresses of one for those of the other, and says nothing.
func (c *Checker) blocks(op plan.ShallowCopy) error {
	from := c.w.Nodes[op.Node].BlockSize(op.Lvstore)
	for _, n := range c.w.Nodes {
		l := n.LvolByUUID(op.To)
		if l == nil {
			continue
		}
		if to := n.BlockSize(l.Lvstore); from != 0 && to != 0 && from != to {
			return fmt.Errorf("%s on %s has blocks of %d bytes, and %s on %s of %d: what is copied would be written elsewhere", op.Lvstore, op.Node, from, l.Lvstore, n.Name, to)
		}
	}
	return nil
}

// changed refuses to change an lvol that is not strata's, or that something uses
// which is not the cluster's.
func (c *Checker) changed(n *schema.Node, lvstore string, name lineage.LvolName) error {
	if err := ours(n, lvstore, name); err != nil {
		return err
	}
	at := c.w.Nodes[n.Name]
	if at == nil {
		return nil
	}
	if l := at.Lvols[lvstore+"/"+string(name)]; l != nil {
		if by := c.w.ForeignUse(at.Name, l.UUID); by != "" {
			return fmt.Errorf("%s on %s is used by %s, which is not the cluster's", name, at.Name, by)
		}
	}
	return nil
}

// lvol finds the name of an lvol in the cluster's pools by its UUID; nil for none,
// and for one that is in doubt.
func (c *Checker) lvol(u lineage.UUID) lineage.Name {
	for _, n := range c.cfg.Nodes {
		at := c.w.Nodes[n.Name]
		if at == nil {
			continue
		}
		if l := at.LvolByUUID(u); l != nil && l.Parsed != nil && inPool(n, l.Lvstore) == nil {
			return l.Parsed
		}
	}
	return nil
}

func inPool(n *schema.Node, lvstore string) error {
	for _, p := range n.Pools {
		if p.Lvstore == lvstore {
			return nil
		}
	}
	return fmt.Errorf("lvstore %s is no pool of %s", lvstore, n.Name)
}

func ours(n *schema.Node, lvstore string, name lineage.LvolName) error {
	if _, ok := lineage.Parse(name); !ok {
		return fmt.Errorf("lvol %s/%s is not strata's", lvstore, name)
	}
	return inPool(n, lvstore)
}
