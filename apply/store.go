package apply

import (
	"context"
	"fmt"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// store carries out what is done to disks and lvstores.
func (c *caller) store(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.DiskDetach:
		switch op.Kind {
		case schema.AIO:
			return t.AIODelete(ctx, op.Bdev)
		case schema.Uring:
			return t.UringDelete(ctx, op.Bdev)
		case schema.NVMe:
			return t.DetachController(ctx, op.Bdev)
		}
	case plan.ExpectBlank:
		return expectBlank(ctx, t, op)
	case plan.LvstoreCreate:
		if unnamed(op.OnTarget) {
			return fmt.Errorf("the plan has no id for lvstore %s; it was made to be shown only", op.OnTarget)
		}
		create := spdk.LvstoreCreate{BdevName: op.Bdev, LvsName: op.OnTarget, ClusterSize: uint32(op.ClusterSize)}
		if op.Keeps {
			create.ClearMethod = "none"
		}
		if _, err := t.LvstoreCreate(ctx, create); err != nil {
			return err
		}
		c.lvstores.set(op.Node, op.Lvstore, op.OnTarget)
		return c.tryDisk(ctx, t, op.Lvstore, op.Bdev)
	case plan.LvstoreRename:
		if unnamed(op.To) {
			return fmt.Errorf("the plan has no id for lvstore %s; it was made to be shown only", op.To)
		}
		err := t.LvstoreRename(ctx, op.From, op.To)
		if err == nil {
			c.lvstores.set(op.Node, op.Lvstore, op.To)
		}
		return err
	case plan.TrialDelete:
		return t.LvolDelete(ctx, c.alias(op.Node, op.Lvstore, lineage.Trial))
	case plan.Remind:
		if op.Member.Is(lineage.PendingUUID) {
			return fmt.Errorf("the plan does not know the lvstore of %s yet; it was made to be shown only", op.Member.Node)
		}
		uuid, err := t.LvolCreate(ctx, spdk.LvolCreate{
			LvolName: string(op.Member.Lvol()), LvsName: c.lvstores.name(op.Node, op.Lvstore), SizeMiB: uint64((op.Size + mib - 1) / mib), ThinProvision: true,
		})
		if err == nil {
			c.bind(plan.Token(op.Node, op.Lvstore, op.Member.Lvol()), lineage.UUID(uuid))
		}
		return unless(spdk.Exists, err) // of that name it is one
	case plan.Forget:
		return t.LvolDelete(ctx, c.alias(op.Node, op.Lvstore, op.Member.Lvol()))
	}
	return fmt.Errorf("no call is known for %T", op)
}

func unnamed(lvstore string) bool { return strings.HasSuffix(lvstore, "."+string(lineage.Pending)) }

// expectBlank fails when anything stands on a disk once all of it has been looked into.
func expectBlank(ctx context.Context, t *spdk.Client, op plan.ExpectBlank) error {
	if err := t.WaitForExamine(ctx); err != nil {
		return err
	}
	var stores []spdk.Lvstore
	list := spdk.GetLvstores(&stores)
	if err := roundErr(ctx, t, list); err != nil {
		return err
	}
	for _, s := range stores {
		if s.BaseBdev == op.Bdev {
			return fmt.Errorf("%s has lvstore %s, which showed only now", op.Bdev, s.Name)
		}
	}
	b, err := t.GetBdev(ctx, op.Bdev)
	if err != nil {
		return err
	}
	if b.Claimed {
		return fmt.Errorf("something stands on %s", op.Bdev)
	}
	return nil
}
