package sweep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/spdk/sim"
)

// Machines that reach a volume by one node each, and share it: what one of them was told
// is written all of them see, and the host of the volume does. So of two engines that
// serve at once one of them tells. A node that does not serve the volume keeps its machine
// waiting for as long as that lasts.

const (
	sideBlocks = 3
	sideThink  = 150 * time.Millisecond
	// sideAgain is how long a machine without its path waits before it looks for it.
	sideAgain = 200 * time.Millisecond
	// inTurn is within what time no two nodes acknowledge writes in turn, for no engine
	// moves there and back in it.
	inTurn = 500 * time.Millisecond
)

// newSides lets a machine begin to use a volume at each node.
func (w *world) newSides(volume string) error {
	for i, n := range nodes {
		h, err := w.idle(volume, false)
		if err != nil {
			return err
		}
		h.side, h.node, h.think = true, i, sideThink
		h.base, h.count = blocks+i*sideBlocks, sideBlocks
		w.hosts[volume+" at "+n] = h
		h.begin()
	}
	return nil
}

// share reads what the machines and the host have written, also while a write waits: a node
// may show what it has and take no more.
func (h *host) share(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	by := &host{w: h.w, nqn: h.nqn, side: true, node: h.node, paths: make([]*sim.Conn, len(nodes))} // a connection of its own
	defer by.close()
	r := rand.New(rand.NewPCG(2, uint64(h.node)))
	for h.going(ctx) {
		all := h.w.users(h.volume)
		o := all[r.IntN(len(all))]
		h.fail(by.readOf(ctx, o, r.IntN(o.count)))
		select {
		case <-ctx.Done():
		case <-time.After(h.think):
		}
	}
}

// readOf reads a block that another writes.
func (h *host) readOf(ctx context.Context, o *host, b int) error {
	o.mu.Lock()
	least := o.acked[b]
	o.mu.Unlock()
	p := make([]byte, blockSize)
	if err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, p, offset(o.base+b)) }); err != nil || least == 0 {
		return err
	}
	got, err := parseBlock(p)
	o.mu.Lock()
	most := o.under[b]
	o.mu.Unlock()
	if err != nil || got.volume != o.volume[0] || int(got.at) != o.base+b || got.n < least || got.n > most {
		return fmt.Errorf("%s shows %v (%v), and before it was asked write %d was acknowledged", nodes[h.node], got, err, least)
	}
	return nil
}

// users are the hosts that share a volume.
func (w *world) users(volume string) (all []*host) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shared[volume]
}

// turn is when a node acknowledged writes, while no other did.
type turn struct {
	node int
	last time.Time
}

// acknowledged notes that a node has acknowledged a write, and refuses that two do.
func (w *world) acknowledged(volume string, node int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	turns := w.turns[volume]
	if n := len(turns); n > 0 && turns[n-1].node == node {
		turns[n-1].last = time.Now()
		return nil
	}
	for _, t := range turns {
		if t.node == node && time.Since(t.last) < inTurn {
			return fmt.Errorf("%s and %s acknowledge writes in turn", nodes[node], nodes[turns[len(turns)-1].node])
		}
	}
	w.turns[volume] = append(turns, turn{node, time.Now()})
	return nil
}

// alone does one I/O by the path of a machine that has no other, once that takes it,
// whatever became of it before.
func (h *host) alone(ctx context.Context, f func(context.Context, *sim.Namespace) error) error {
	for ctx.Err() == nil {
		if ns := h.path(h.node); ns != nil && f(ctx, ns) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(sideAgain):
		}
	}
	return ctx.Err()
}

// TestTwoEngines: where two engines serve a volume at once, for a fence agent is wrong, a
// machine that reads by the old one sees it.
func TestTwoEngines(t *testing.T) {
	all, err := scenarios(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.name != "watched-fenced" {
			continue
		}
		for i, s := range sc.steps {
			if s.verb == "agent" {
				sc.steps[i].args = []string{s.args[0], "cheats"}
			}
		}
		synctest.Test(t, func(t *testing.T) {
			w, err := newWorld(sc)
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			if _, err = w.carryOut(); err == nil || !strings.Contains(err.Error(), "n1 shows write") {
				t.Errorf("got %v", err)
			}
		})
		return
	}
	t.Fatal("the scenario is gone")
}

// TestInTurn: no two nodes acknowledge writes at once.
func TestInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{turns: map[string][]turn{}}
		for i, c := range []struct {
			after time.Duration
			node  int
			wrong bool
		}{{0, 0, false}, {inTurn, 1, false}, {time.Millisecond, 1, false}, {time.Millisecond, 0, false}, {time.Millisecond, 1, true}} {
			time.Sleep(c.after)
			if err := w.acknowledged("db", c.node); (err != nil) != c.wrong {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}
