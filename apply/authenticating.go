package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// authTimeout is how long hosts that authenticate have for it before a listener is taken away:
// an SPDK host and target need 1 to 3 s where they share cores.
const authTimeout = 5 * time.Second

// unlisten takes a listener away, at a moment when no host authenticates: an SPDK host whose connection
// is cut meanwhile never gets through again, until its controller is detached and attached anew.
func (c *caller) unlisten(ctx context.Context, t *spdk.Client, op plan.ListenerRemove) error {
	if c.authenticates(op.NQN) {
		if err := whenAuthenticated(ctx, t, string(op.NQN)); err != nil {
			return err
		}
	}
	return t.ListenerRemove(ctx, spdk.ListenerRemove{NQN: string(op.NQN), Address: address(op.Portal())})
}

// authenticates reports whether an export has hosts that have to.
func (c *caller) authenticates(nqn lineage.NQN) bool {
	id, _ := c.cluster.ParseExport(nqn)
	v := c.cfg.Volume(id.Name)
	return v != nil && len(v.Export.Keys) > 0
}

// whenAuthenticated returns when no host of a subsystem is authenticating, or after
// authTimeout: one that hangs there must not keep all others from what is to be done.
func whenAuthenticated(ctx context.Context, t *spdk.Client, nqn string) error {
	for until := time.Now().Add(authTimeout); ; {
		pairs, err := t.GetQPairs(ctx, nqn)
		if err != nil {
			return fmt.Errorf("who authenticates is not known: %w", err)
		}
		if !slices.ContainsFunc(pairs, func(q spdk.QPair) bool { return q.Authenticates() }) || time.Now().After(until) {
			return nil
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}
