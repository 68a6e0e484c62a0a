package apply

import (
	"context"
	"fmt"

	"strata/amount"
	"strata/plan"
	"strata/spdk"
)

// layOut makes one bdev of the parts of a volume, and makes sure that it is online and as
// large as it has to be: where one of its parts is missing the call succeeds all the same,
// and one of another size would move what lies behind it. What is not so is taken away.
func (c *caller) layOut(ctx context.Context, t *spdk.Client, op plan.LayOut) error {
	level := spdk.Concat
	if op.Striped {
		level = spdk.RAID0
	}
	var parts []string
	for _, p := range op.Parts {
		parts = append(parts, c.resolve(p))
	}
	if err := t.RaidCreate(ctx, spdk.RaidCreate{Name: op.Raid, Level: level, StripKiB: op.StripKiB, BaseBdevs: parts, UUID: string(op.UUID)}); err != nil {
		return err
	}
	err := laidAs(ctx, t, op)
	if err != nil {
		if gone := t.RaidDelete(ctx, op.Raid); gone != nil {
			return fmt.Errorf("%w; and it cannot be taken away: %w", err, gone)
		}
	}
	return err
}

func laidAs(ctx context.Context, t *spdk.Client, op plan.LayOut) error {
	var bdevs []spdk.Bdev
	get := spdk.NewReq(spdk.BdevGet{Name: op.Raid}, &bdevs)
	if t.Round(ctx, get); get.Err != nil {
		return fmt.Errorf("%s did not come online: %w", op.Raid, get.Err)
	}
	if len(bdevs) != 1 || int64(bdevs[0].Size()) != op.Size {
		size := "none"
		if len(bdevs) == 1 {
			size = amount.Bytes(int64(bdevs[0].Size()))
		}
		return fmt.Errorf("%s has %s, and its parts make %s: one of them is not what it was, so hosts would not find what they wrote", op.Raid, size, amount.Bytes(op.Size))
	}
	return nil
}
