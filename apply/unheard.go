package apply

import (
	"context"
	"sync"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// unheard has the nodes that a look has waited for in vain. Each is asked on and on whether
// it is there, and until it answers, or refuses to, looks are made without it: that it does
// not answer costs a run the time that a call may take once, and not in every look.
type unheard struct {
	targets map[lineage.Node]*spdk.Client
	ctx     context.Context // ends with the run
	end     context.CancelFunc
	asking  sync.WaitGroup

	mu  sync.Mutex
	why map[lineage.Node]string
}

func newUnheard(targets map[lineage.Node]*spdk.Client) *unheard {
	u := &unheard{targets: targets, why: map[lineage.Node]string{}}
	u.ctx, u.end = context.WithCancel(context.Background())
	return u
}

// close returns when none is asked any more.
func (u *unheard) close() {
	u.end()
	u.asking.Wait()
}

// except adds those that have not answered yet to nodes that are not to be read.
func (u *unheard) except(unread map[lineage.Node]string) map[lineage.Node]string {
	all := map[lineage.Node]string{}
	u.mu.Lock()
	for n, why := range u.why {
		all[n] = why
	}
	u.mu.Unlock()
	for n, why := range unread {
		all[n] = why
	}
	return all
}

// learn takes note of those that were waited for in vain.
func (u *unheard) learn(snap *state.Snapshot) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name, n := range snap.Nodes {
		t := u.targets[name]
		if _, known := u.why[name]; known || t == nil || n.Unknown == "" || !t.Silent() {
			continue
		}
		u.why[name] = n.Unknown
		u.asking.Go(func() {
			u.ask(t)
			u.mu.Lock()
			defer u.mu.Unlock()
			delete(u.why, name)
		})
	}
}

// ask returns once a node is silent no more.
func (u *unheard) ask(t *spdk.Client) {
	for t.Silent() && u.ctx.Err() == nil {
		var v spdk.Version
		_ = t.Round(u.ctx, spdk.GetVersion(&v))
	}
}
