package apply

import (
	"context"
	"fmt"
	"time"

	"strata/amount"
	"strata/plan"
	"strata/spdk"
)

// pollEvery is how often a target is asked for what no call waits for.
const pollEvery = 50 * time.Millisecond

const legTimeout = 8 * time.Second

// askAgain is the least time between two such questions: a target that answers at once
// is not kept busy.
const askAgain = time.Millisecond

// soon is for how long a target is asked again and again for a bdev. Asked to wait for it
// (timeout of bdev_get_bdevs), it looks each 100 ms.
const soon = 100 * time.Millisecond

// soonest is when a bdev may be there that a peer has just been told to show: asking
// before is in vain.
const soonest = 7 * time.Millisecond

// waitFor returns when a bdev is there, and has size bytes or more. A peer's
// namespace appears, and grows, by an asynchronous event, 9 ms after it was
// added or some more.
func waitFor(ctx context.Context, t *spdk.Client, bdev string, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, legTimeout+time.Second)
	defer cancel()
	if err := sleep(ctx, soonest); err != nil {
		return err
	}
	for start := time.Now(); ; {
		var out []spdk.Bdev
		get := spdk.BdevGet{Name: bdev}
		patient := time.Since(start) >= soon
		if patient {
			get.Timeout = uint64(legTimeout / time.Millisecond)
		}
		if err := roundErr(ctx, t, spdk.NewReq(get, &out)); err != nil {
			if !patient && spdk.ClassOf(err) == spdk.NotFound && sleep(ctx, askAgain) == nil {
				continue
			}
			return err
		}
		// One that its peer came back without is listed all the while.
		shown := len(out) == 0 || out[0].ProductName != "NVMe disk" || len(out[0].Driver.NVMe) > 0
		large := len(out) == 0 || int64(out[0].Size()) >= size
		if shown && large {
			return nil
		}
		if err := sleep(ctx, pollEvery); err != nil {
			if !shown {
				return fmt.Errorf("its peer does not show %s again: %w", bdev, err)
			}
			return fmt.Errorf("%s has %s, not %s: %w", bdev, amount.Bytes(int64(out[0].Size())), amount.Bytes(size), err)
		}
	}
}

// waitGone returns when a bdev is not there any more.
func waitGone(ctx context.Context, t *spdk.Client, bdev string) error {
	ctx, cancel := context.WithTimeout(ctx, legTimeout)
	defer cancel()
	for {
		switch _, err := t.GetBdev(ctx, bdev); {
		case spdk.ClassOf(err) == spdk.NotFound:
			return nil
		case err != nil:
			return err
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return fmt.Errorf("%s is still there: %w", bdev, err)
		}
	}
}

// waitEnabled returns when a controller has reconnected. It takes two attempts
// at most, of which the second may wait for the target to give up the first.
func waitEnabled(ctx context.Context, t *spdk.Client, op plan.ControllerWait) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Duration(op.ReconnectDelaySec)*time.Second+legTimeout)
	defer cancel()
	for {
		at, err := stateOf(ctx, t, op.Controller)
		if err != nil {
			return err
		}
		switch at {
		case "enabled":
			return nil
		case "gone", "failed", "deleting":
			return fmt.Errorf("controller %s is %s", op.Controller, at)
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return fmt.Errorf("controller %s is still %s: %w", op.Controller, at, err)
		}
	}
}
