package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"strata/plan"
	"strata/spdk"
)

// shutOut shuts a host out of a subsystem, and sees that it has no controller there any
// more: what it had sent is done then, and nothing else reaches what is shown. A reply
// that was lost, or a run that ended, may have it shut out already.
func shutOut(ctx context.Context, t *spdk.Client, op plan.Fence) error {
	out := t.HostFence(ctx, string(op.NQN), string(op.Host), op.TimeoutMs)
	until := time.Now().Add(time.Duration(op.TimeoutMs) * time.Millisecond)
	for {
		hosts, err := connectedTo(ctx, t, string(op.NQN))
		if err != nil {
			return err
		}
		if !slices.Contains(hosts, string(op.Host)) {
			break
		}
		if out != nil || time.Now().After(until) {
			return fmt.Errorf("%s is still connected to %s: %w", op.Host, op.NQN, orLate(out))
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	if out == nil {
		return nil
	}
	var subs []spdk.Subsystem
	if err := roundErr(ctx, t, spdk.GetSubsystems(&subs)); err != nil {
		return err
	}
	for _, s := range subs {
		if s.NQN == string(op.NQN) && !s.AllowAnyHost && !slices.ContainsFunc(s.Hosts, func(h spdk.Host) bool { return h.NQN == string(op.Host) }) {
			return nil
		}
	}
	return out
}

func orLate(err error) error {
	if err == nil {
		return context.DeadlineExceeded
	}
	return err
}
