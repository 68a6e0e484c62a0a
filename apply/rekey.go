package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// rekey carries out an op by which replicas get another key.
func (c *caller) rekey(ctx context.Context, t *spdk.Client, op plan.Op) error {
	switch op := op.(type) {
	case plan.KeyedCreate:
		return c.createKeyed(ctx, t, op)
	case plan.MirrorApart:
		return c.mirrorApart(ctx, t, op)
	case plan.LegFill:
		return c.fillLeg(ctx, t, op)
	}
	return fmt.Errorf("no call is known for %T", op)
}

// createKeyed makes the lvol that a replica is written to anew, under the name that its key gives it.
func (c *caller) createKeyed(ctx context.Context, t *spdk.Client, op plan.KeyedCreate) error {
	id := op.Volume()
	if id.ID == lineage.Pending {
		return fmt.Errorf("the plan has no id for %s; it was made to be shown only", id)
	}
	k, err := c.key(ctx, id, lineage.Unkeyed)
	if err != nil {
		return err
	}
	check := k.Check(c.cluster, id)
	if v := c.cfg.Volume(id.Name); v.Encryption.Former != nil && v.Encryption.Former.Check == check {
		return fmt.Errorf("the new key of %s is the one that it has: both have check %s. Put another key where key says it is", id.Name, check)
	}
	uuid, err := t.LvolCreate(ctx, spdk.LvolCreate{LvolName: string(op.Keyed(check)), LvsName: c.lvstores.name(op.Node, op.Lvstore), SizeMiB: uint64((op.Size + mib - 1) / mib), ThinProvision: true})
	if err != nil {
		return err
	}
	c.bind(plan.Token(op.Node, op.Lvstore, op.Name), lineage.UUID(uuid))
	return nil
}

// mirrorApart makes a mirror with room for a leg more. What is in the way of that an earlier try has left.
func (c *caller) mirrorApart(ctx context.Context, t *spdk.Client, op plan.MirrorApart) error {
	var bases []string
	for _, b := range op.Bases {
		bases = append(bases, c.resolve(b))
	}
	b, err := t.GetBdev(ctx, bases[0])
	if err != nil {
		return err
	}
	room := lineage.Room(op.Raid)
	if err := unless(spdk.NotFound, t.NullDelete(ctx, room)); err != nil {
		return err
	}
	if _, err := t.NullCreate(ctx, spdk.NullCreate{Name: room, NumBlocks: b.NumBlocks, BlockSize: b.BlockSize}); err != nil {
		return err
	}
	if err := t.RaidCreate(ctx, spdk.RaidCreate{Name: op.Raid, Level: spdk.RAID1, BaseBdevs: append(bases, room), UUID: string(op.UUID)}); err != nil {
		return errors.Join(err, t.NullDelete(ctx, room))
	}
	if _, err := t.GetBdev(ctx, op.Raid); err != nil {
		return fmt.Errorf("the RAID did not come online: %w", err)
	}
	if err := t.RaidRemoveBase(ctx, room); err != nil {
		return err
	}
	if err := t.NullDelete(ctx, room); err != nil {
		return err
	}
	return roundErr(ctx, t, spdk.NewReq(spdk.QDSampling{Name: op.Raid, Period: qdPeriod}, nil))
}

// fillLeg has a mirror take a leg and write all to it, and waits until it has.
func (c *caller) fillLeg(ctx context.Context, t *spdk.Client, op plan.LegFill) error {
	b, err := t.GetBdev(ctx, c.resolve(op.Base))
	if err != nil {
		return err
	}
	base := b.Name // as the RAID calls it, also where it is a peer's
	now, _ := CopyOf(op)
	r, err := raidNamed(ctx, t, op.Raid)
	if err != nil {
		return err
	}
	if r.Process == nil || r.Process.Target != base {
		if err := t.RaidAddBase(ctx, op.Raid, base); err != nil {
			return err
		}
	}
	// One that the target gives up on is listed for a moment longer, with no process.
	for over := false; ; {
		switch r, err = raidNamed(ctx, t, op.Raid); {
		case err != nil:
			return err
		case r.Process == nil && !slices.ContainsFunc(r.Bases, func(b spdk.RaidBase) bool { return b.Name == base && b.Configured }):
			return fmt.Errorf("%s has let %s go before all was written to it", op.Raid, op.Label)
		case r.Process == nil && over:
			return nil
		case r.Process == nil:
			over = true
		default:
			now.Copied, now.Total = int64(r.Process.Progress.Percent), 100
			c.events.copying(now)
		}
		if err := sleep(ctx, fillPoll); err != nil {
			return ErrLeft
		}
	}
}

// fillPoll is how often a target is asked how far it is with a leg.
const fillPoll = 4 * pollEvery
