package apply

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/go-multierror"

	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// ServeGuard is the guard: it takes note of what is held and locked until in ends,
// answers each line on out, and then lets the hosts go on that are still held. If
// in did not end in order, it frees the lock, too. connect is called once, with the
// configuration that comes first. moves is Options.Addresses, keys is Options.Keys.
func ServeGuard(ctx context.Context, in io.Reader, out io.Writer, connect func(*schema.Config) (map[lineage.Node]*spdk.Client, error), moves Addresses, keys Keys) error {
	g := guardServer{held: map[lineage.NQN]guardMessage{}, out: map[plan.HostExchange]bool{}, moves: moves, keys: keys}
	orderly := false
	lines := bufio.NewReader(in)
	for !orderly {
		// A line is read to its end before it is answered: who writes the end of it
		// still does not read yet.
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var m guardMessage
		if err := json.Unmarshal(line, &m); err != nil {
			break
		}
		if m.Config != nil && g.targets == nil {
			var err error
			if g.targets, err = connect(m.Config); err != nil {
				return err
			}
		}
		g.note(m)
		orderly = m.Done
		if _, err := fmt.Fprintln(out); err != nil {
			break
		}
	}
	var again sync.WaitGroup
	again.Go(func() { g.letIn(ctx) }) // on a node that hangs it takes its time, and the others' hosts wait
	g.resume()
	again.Wait()
	if g.lock != nil && !orderly {
		g.lock.Inherit(ctx)
		defer g.lock.End()
	}
	return g.finish(ctx)
}

// guardServer is what a guard knows.
type guardServer struct {
	cfg     *schema.Config
	opt     plan.Options
	targets map[lineage.Node]*spdk.Client
	lock    *lock.Lock // nil until nodes are locked
	held    map[lineage.NQN]guardMessage
	out     map[plan.HostExchange]bool // hosts that are shut out for a moment
	moves   Addresses
	keys    Keys
}

func (g *guardServer) note(m guardMessage) {
	switch {
	case m.Config != nil:
		g.cfg, g.opt = m.Config, *m.Plan
	case m.Lock != "":
		g.lock = &lock.Lock{Holder: m.Lock, Note: *m.Note, Wait: resumeTimeout}
		g.lock.Begin(g.cfg.Cluster, g.targets)
	case m.Hold != nil:
		if before := g.held[m.Hold.NQN].Hold; before != nil && before.Node == m.Hold.Node { // what was taken away is away still
			m.Hold.Portals = unite(before.Portals, m.Hold.Portals)
		}
		g.held[m.Hold.NQN] = m
	case m.Out != nil:
		g.out[*m.Out] = true
	case m.In != nil:
		delete(g.out, *m.In)
	case m.Resumed != "":
		delete(g.held, m.Resumed)
	}
}

// unite has what is in either.
func unite(some, more []lineage.Portal) []lineage.Portal {
	all := slices.Clone(some)
	for _, p := range more {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// resume ends the pauses: what was only paused is whole then. It fails where the
// listener is away already.
func (g *guardServer) resume() {
	if len(g.held) == 0 {
		return
	}
	c := newCaller(g.cfg, g.targets, newEvents(Options{}), newFences(g.cfg, Options{}), g.moves)
	c.keys = g.keys
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, m := range slices.Collect(maps.Values(g.held)) {
		wg.Go(func() {
			if c.resume(*m.Hold) == nil {
				mu.Lock()
				defer mu.Unlock()
				delete(g.held, m.Hold.NQN)
			}
		})
	}
	wg.Wait()
}

// finish carries out what is left to do until hosts have their volume again,
// and begins nothing.
func (g *guardServer) finish(ctx context.Context) error {
	if len(g.held) == 0 {
		return nil
	}
	var sections []plan.Key
	for _, m := range g.held {
		sections = append(sections, m.Volume)
	}
	whole := make(chan struct{})
	r, err := Run(ctx, g.cfg, g.targets, Options{Plan: resumeOnly(g.opt, sections), Parallelism: len(g.held), Lock: g.lock, Stop: whole, Addresses: g.moves, Keys: g.keys, Observe: func(e Event) {
		if e.Err == nil && g.held[e.Resumed].Hold != nil {
			if delete(g.held, e.Resumed); len(g.held) == 0 {
				close(whole)
			}
		}
	}})
	if err == nil && !r.Stopped {
		err = waits(r)
	}
	return err
}

// waits says what keeps the hosts waiting of volumes that could not be made
// whole; nil when nothing does.
func waits(r *Result) error {
	var why *multierror.Error
	for _, f := range r.Failures {
		why = multierror.Append(why, f)
	}
	for _, b := range r.Plan.Blocked {
		why = multierror.Append(why, errors.New(b.Text))
	}
	return why.ErrorOrNil()
}
