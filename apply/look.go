package apply

import (
	"context"

	"strata/lineage"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// looker reads the nodes, and has what was read last.
type looker struct {
	cfg      *schema.Config
	targets  map[lineage.Node]*spdk.Client
	made     *made
	lvstores *lvstores

	last *state.Snapshot // nil before the first look
	// locking says that nodes were locked since the last look and nothing else was
	// done, locked that this was so before it, and same that it then found the same.
	locking, locked, same bool
}

// look reads all nodes. Right after the look before, a node that was found to hold
// hosts up is not asked once more. Its error is that of ctx.
func (l *looker) look(ctx context.Context) error {
	var before *state.Snapshot
	if l.locked, l.locking = l.locking, false; l.locked {
		before = l.last
	}
	l.made.beforeLook()
	l.last = state.ReadAgain(ctx, l.cfg.Cluster, l.targets, before)
	l.made.afterLook(l.last)
	if err := ctx.Err(); err != nil {
		return err
	}
	l.lvstores.learn(l.cfg, l.last)
	l.same = l.locked && l.last.Same(before)
	return nil
}
