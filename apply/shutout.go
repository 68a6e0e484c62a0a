package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"strata/lineage"
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
	is, err := subsystemOf(ctx, t, op.NQN)
	switch {
	case err != nil:
		return err
	case is != nil && !is.AllowAnyHost && !slices.Contains(listedIn(is), string(op.Host)):
		return nil
	}
	return out
}

// subsystemOf reads a subsystem; nil where there is none of that name.
func subsystemOf(ctx context.Context, t *spdk.Client, nqn lineage.NQN) (*spdk.Subsystem, error) {
	var subs []spdk.Subsystem
	if err := roundErr(ctx, t, spdk.GetSubsystems(&subs)); err != nil {
		return nil, err
	}
	for _, s := range subs {
		if s.NQN == string(nqn) {
			return &s, nil
		}
	}
	return nil, nil
}

// listedIn are the hosts that a subsystem lets in by name.
func listedIn(s *spdk.Subsystem) (hosts []string) {
	for _, h := range s.Hosts {
		hosts = append(hosts, h.NQN)
	}
	return hosts
}

func orLate(err error) error {
	if err == nil {
		return context.DeadlineExceeded
	}
	return err
}

// allowAny lets every host in to a subsystem, or none but those that are listed there. These
// stay; the connections of others end. A run that ends between two calls leaves some of these
// listed, and they are refused as hosts that are not to be there.
func allowAny(ctx context.Context, t *spdk.Client, op plan.AnyHost) error {
	if op.Allow {
		return t.AllowAnyHost(ctx, string(op.NQN), true)
	}
	is, err := subsystemOf(ctx, t, op.NQN)
	switch {
	case err != nil:
		return err
	case is == nil:
		return fmt.Errorf("there is no subsystem %s", op.NQN)
	}
	listed, strangers := listedIn(is), []string(nil)
	// list has those refused later that are connected by now.
	list := func() error {
		hosts, err := connectedTo(ctx, t, string(op.NQN))
		for _, h := range hosts {
			if err != nil || slices.Contains(listed, h) || slices.Contains(strangers, h) {
				continue
			}
			if err = t.HostAdd(ctx, spdk.HostAdd{NQN: string(op.NQN), Host: h}); err == nil {
				strangers = append(strangers, h)
			}
		}
		return err
	}
	if err := list(); err != nil {
		return err
	}
	if err := t.AllowAnyHost(ctx, string(op.NQN), false); err != nil {
		return err
	}
	err = list()
	for _, h := range strangers {
		err = errors.Join(err, t.HostRemove(ctx, string(op.NQN), h))
	}
	return err
}
