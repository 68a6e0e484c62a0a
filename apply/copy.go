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
		if err := c.follow(ctx, t, op, id, &moved); err == nil || ctx.Err() != nil || silent(err) {
			note.over(ctx, err)
			return err
		}
		// It failed, or its end was told to somebody who has not lived to use it.
		note.delete(ctx)
	}
	id, err := c.startCopy(ctx, t, src, dst)
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
	start := time.Now()
	heard := start
	for {
		at, err := t.CheckShallowCopy(ctx, id)
		if silent(err) && time.Since(heard) < copySilence {
			if err := sleep(ctx, pollEvery); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		heard = time.Now()
		now := Copy{Op: op, Copied: int64(at.CopiedClusters), Total: int64(at.TotalClusters)}
		moved.Store(now.Bytes(now.Copied))
		c.events.copying(now)
		switch at.State {
		case spdk.CopyComplete:
			return nil
		case spdk.CopyInProgress:
		default:
			return fmt.Errorf("copying %s to %s: %s after %d of %d clusters", c.alias(op.Node, op.Lvstore, op.Layer), op.Label, at.Error, at.CopiedClusters, at.TotalClusters)
		}
		if err := sleep(ctx, pollCopy(time.Since(start))); err != nil {
			return err
		}
	}
}

// silent reports whether a target said nothing.
func silent(err error) bool {
	return spdk.ClassOf(err) == spdk.Unreachable || spdk.ClassOf(err) == spdk.Unknown
}

// copySilence is how long a target that copies may say nothing: it goes on
// meanwhile, and one that has restarted knows of no copy.
const copySilence = 30 * time.Second

// pollCopy is when to ask again for a copy that has taken so long: soon enough
// that its end is not noticed late as copies go, and never more often than a
// target looks at its socket.
func pollCopy(took time.Duration) time.Duration {
	return min(max(took/40, 4*time.Millisecond), pollEvery)
}

// startCopy starts a copy. A bdev that has just appeared is looked into for a
// moment, and cannot be opened for writing meanwhile.
func (c *caller) startCopy(ctx context.Context, t *spdk.Client, src, dst string) (uint32, error) {
	if err := t.WaitForExamine(ctx); err != nil {
		return 0, err
	}
	for free := false; ; {
		id, err := t.StartShallowCopy(ctx, src, dst)
		if spdk.ClassOf(err) != spdk.NotPermitted {
			return id, err
		}
		b, gerr := t.GetBdev(ctx, dst)
		if gerr != nil {
			return 0, gerr
		}
		if !b.Claimed && free {
			return 0, err
		}
		free = !b.Claimed // who had it may just have let it go
		if err := sleep(ctx, pollEvery); err != nil {
			return 0, err
		}
	}
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

// left tells a copy that is waited for no longer from one that failed.
func left(op plan.Op, err error) error {
	switch op.(type) {
	case plan.ShallowCopy:
		if errors.Is(err, context.Canceled) {
			return ErrLeft
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
