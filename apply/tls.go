package apply

import (
	"context"
	"fmt"
	"sync"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// exchange shuts a host out and lets it in with other keys. Both calls go out together, so that
// nothing comes between. Where it is not let in so, as with a file in which there is no key, it is
// let in as before.
func exchange(ctx context.Context, t *spdk.Client, op plan.HostExchange) error {
	out := spdk.NewReq(spdk.HostRemove{NQN: string(op.NQN), Host: string(op.Host)}, nil)
	in := spdk.NewReq(hostAdd(op.NQN, op.Host, op.Keys), nil)
	if err := t.Round(ctx, out, in); err != nil {
		return err
	}
	if out.Err != nil {
		return out.Err
	}
	if in.Err == nil {
		return nil
	}
	if err := t.HostAdd(ctx, hostAdd(op.NQN, op.Host, op.Former)); err != nil {
		return fmt.Errorf("%w; and it is not let in as before, either: %w", in.Err, err)
	}
	return fmt.Errorf("%w; it is let in as before", in.Err)
}

func hostAdd(nqn, host lineage.NQN, k lineage.HostKeys) spdk.HostAdd {
	return spdk.HostAdd{NQN: string(nqn), Host: string(host), Key: k.Key, CtrlKey: k.CtrlKey, PSK: k.PSK}
}

// shuts tells the guard that a host is about to be shut out for a moment, or is let in again.
func (g *Guard) shuts(op plan.HostExchange, over bool) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if over && g.to == nil {
		return nil
	}
	if err := g.start(); err != nil {
		return err
	}
	if over {
		return g.tell(guardMessage{In: &op})
	}
	return g.tell(guardMessage{Out: &op})
}

// letIn lets hosts in again that were shut out when strata died: with the keys that they were to
// have, or with those from before where the target refuses these. One that is let in already is
// left as it is.
func (g *guardServer) letIn(ctx context.Context) {
	var wg sync.WaitGroup
	for op := range g.out {
		t := g.targets[op.Node]
		if t == nil {
			continue
		}
		wg.Go(func() {
			keys := op.Keys
			for range 2 {
				err := t.HostAdd(ctx, hostAdd(op.NQN, op.Host, keys))
				if err == nil {
					return
				}
				if c := spdk.ClassOf(err); c != spdk.Unreachable && c != spdk.Unknown {
					keys = op.Former
				}
			}
		})
	}
	wg.Wait()
}
