package apply

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
	"strata/spdk/shallow"
)

// copy copies a layer and waits until it is done. A copy that an earlier run left
// going is taken up: its target tells how it is to who knows its number, which a
// note says. Only a copy whose target says so is complete. One that nobody knows
// the number of is waited for and then repeated, which does no harm.
func (c *caller) copy(ctx context.Context, t *spdk.Client, op plan.ShallowCopy) error {
	src, dst := c.alias(op.Node, op.Lvstore, op.Layer), c.resolve(string(op.To))
	if to := c.targets[op.Dest]; to != nil {
		defer c.limits.leave(ctx, to, op.Dest, dst)
	}
	var moved atomic.Int64
	if name, ok := lineage.Parse(op.Layer); ok && c.pace != nil {
		c.limits.join(op.Dest, dst)
		defer c.pace.begin(ctx, name.Of(), op.Dest, moved.Load)()
	}
	note := copyNote{t, c.cluster.CopyNote(lineage.UUID(dst)), op.Lvstore + "/" + string(op.Layer)}
	if id, found, err := note.read(ctx); err != nil {
		return err
	} else if found {
		if err := c.follow(ctx, t, op, id, &moved); err == nil || ctx.Err() != nil || shallow.Silent(err) {
			note.over(ctx, err)
			return err
		}
		// It failed, or its end was told to somebody who has not lived to use it.
		note.delete(ctx)
	}
	id, err := shallow.Start(ctx, t, src, dst)
	if err != nil {
		return err
	}
	note.write(ctx, id)
	err = c.follow(ctx, t, op, id, &moved)
	note.over(ctx, err)
	return err
}

// follow waits for the end of a copy, and has in moved how many bytes are copied.
func (c *caller) follow(ctx context.Context, t *spdk.Client, op plan.ShallowCopy, id uint32, moved *atomic.Int64) error {
	now, _ := CopyOf(op)
	err := shallow.Follow(ctx, t, id, func(copied, total uint64) {
		now.Copied, now.Total = int64(copied), int64(total)
		moved.Store(now.Bytes(now.Copied))
		c.events.copying(now)
	})
	if failed := (*shallow.Failed)(nil); errors.As(err, &failed) {
		return fmt.Errorf("copying %s to %s: %w", c.alias(op.Node, op.Lvstore, op.Layer), op.Label, err)
	}
	return err
}

// ErrLeft is the error of a copy that was under way when the run ended.
var ErrLeft = errors.New("the run ends here, and the copy goes on at its target; the next apply takes it up")

// leftAlone is ErrLeft of a copy that is not found again: a target tells nobody how
// far it is, and refuses another until it is over.
type leftAlone struct{}

func (leftAlone) Error() string {
	return "the run ends here, and the copy goes on at its target; apply again when it is over"
}

func (leftAlone) Is(err error) bool { return err == ErrLeft }

// errBackupLeft is of a copy into an archive: it ends with the run.
var errBackupLeft = errors.New("the run ends here, and so does what it copies from or into an archive: what is stored there already the next one uses again")

// errPruneLeft is of freeing space in an archive.
var errPruneLeft = errors.New("the run ends here, and so does freeing space: the repository is whole, and what is left is freed the next time")

// errScrubLeft is of a layer that is read: what was read of it is of no use.
var errScrubLeft = errors.New("the run ends here, and so does the reading of the layer")

// left tells a copy that is waited for no longer from one that failed.
func left(op plan.Op, err error) error {
	switch op.(type) {
	case plan.ShallowCopy:
		if errors.Is(err, context.Canceled) {
			return ErrLeft
		}
	case plan.Scrub:
		if errors.Is(err, context.Canceled) {
			return errScrubLeft
		}
	case plan.Backup, plan.Fill:
		if errors.Is(err, context.Canceled) {
			return errBackupLeft
		}
	case plan.ArchivePrune:
		if errors.Is(err, context.Canceled) {
			return errPruneLeft
		}
	case plan.LvolDecouple:
		if errors.Is(err, context.Canceled) {
			return leftAlone{}
		}
	default: // ends with its call
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
