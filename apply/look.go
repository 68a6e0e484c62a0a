package apply

import (
	"context"
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// looker reads the nodes, and has what was read last.
type looker struct {
	cfg      *schema.Config
	targets  map[lineage.Node]*spdk.Client
	unread   func() map[lineage.Node]string // see Options.Unread
	made     *made
	lvstores *lvstores
	unheard  *unheard
	pace     *pace
	serve    func(context.Context) // see servingAgain; nil: nothing is served

	last *state.Snapshot // nil before the first look
	at   time.Time       // when that began
	took time.Duration
	all  bool // nodes answered
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
	l.at = time.Now()
	var unread map[lineage.Node]string
	if l.unread != nil {
		unread = l.unread()
	}
	end := l.servingAgain(ctx)
	l.last = state.ReadBut(ctx, l.cfg.Cluster, l.targets, before, l.last, l.unheard.except(unread))
	end()
	l.unheard.learn(l.last)
	l.took, l.all = time.Since(l.at), true
	for _, n := range l.last.Nodes {
		l.all = l.all && n.Unknown == ""
	}
	l.made.afterLook(l.last)
	if err := ctx.Err(); err != nil {
		return err
	}
	l.lvstores.learn(l.cfg, l.last)
	if l.pace != nil {
		l.pace.seen.Store(l.last)
	}
	l.same = l.locked && l.last.Same(before)
	return nil
}

// glances are how many times as long as a look took nodes are only glanced at.
const glances = 5

// recent reports whether the last look serves a while longer for what was not
// touched since. How long it took is no measure where a node was waited for that did
// not answer.
func (l *looker) recent() bool {
	limit := max(lookAgain, glances*l.took)
	if !l.all {
		limit = l.took + lookAgain
	}
	return !l.locking && time.Since(l.at) < limit
}
