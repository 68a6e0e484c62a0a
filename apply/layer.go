package apply

import (
	"context"
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// layer carries out an op on a stack's layers.
func (c *caller) layer(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolSnapshot:
		uuid, err := t.LvolSnapshot(ctx, c.alias(op.Node, op.Lvstore, op.Lvol), string(op.Layer))
		if err != nil {
			return err
		}
		c.bind(plan.Token(op.Node, op.Lvstore, op.Layer), lineage.UUID(uuid))
		return nil
	case plan.LvolClone:
		if n, ok := lineage.Parse(op.Name); !ok || n.Of().ID == lineage.Pending {
			return fmt.Errorf("the plan has no id for %s; it was made to be shown only", op.Name)
		}
		uuid, err := t.LvolClone(ctx, c.alias(op.Node, op.Lvstore, op.Layer), string(op.Name))
		if err != nil {
			return err
		}
		c.bind(plan.Token(op.Node, op.Lvstore, op.Name), lineage.UUID(uuid))
		return nil
	case plan.LvolCloneBdev:
		// A bdev that has just appeared is looked into for a moment: it is open
		// for writing meanwhile, and the clone could not claim it.
		if err := t.WaitForExamine(ctx); err != nil {
			return err
		}
		uuid, err := t.LvolCloneBdev(ctx, spdk.LvolCloneBdev{Bdev: c.resolve(string(op.Bdev)), LvsName: c.lvstores.name(op.Node, op.Lvstore), CloneName: string(op.Name)})
		if err != nil {
			return err
		}
		c.bind(plan.Token(op.Node, op.Lvstore, op.Name), lineage.UUID(uuid))
		return nil
	case plan.LvolSetParent:
		return unless(spdk.Exists, t.LvolSetParent(ctx, c.alias(op.Node, op.Lvstore, op.Name), c.alias(op.Node, op.Lvstore, op.Layer)))
	case plan.ShallowCopy:
		return c.copy(ctx, t, op)
	case plan.WriteLimit:
		return c.limits.enter(ctx, t, op, c.resolve(string(op.Bdev)))
	case plan.LvolDecouple:
		return t.LvolDecoupleParent(ctx, c.alias(op.Node, op.Lvstore, op.Name))
	}
	return fmt.Errorf("no call is known for %T", op)
}
