package apply

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk/sim"
)

// TestCrossing makes volumes at once whose engines are one another's peers, grows them
// and rebuilds them: every node shows, withdraws and grows namespaces that others are
// attached to. None of them ever has an event of a node that has one of it, or both
// would stand still, and end.
func TestCrossing(t *testing.T) {
	volumes := func(size string, on func(i int) string) string {
		var all strings.Builder
		for i := range 12 {
			fmt.Fprintf(&all, "v%d: {size: %s, replicas: on: [%s], engine: \"n%d\", export: nvmf: hosts: \"any\"}\n", i, size, on(i), i%3+1)
		}
		return "{" + all.String() + "}"
	}
	here := func(i int) string { return fmt.Sprintf(`"n%d", "n%d"`, i%3+1, (i+1)%3+1) }
	all := func(int) string { return `"n1", "n2", "n3"` }
	steps := []string{volumes("8Mi", here), volumes("16Mi", here), volumes("16Mi", all)}
	for name, tick := range map[string]time.Duration{"quick": 9 * time.Millisecond, "slow": 2 * time.Second} {
		t.Run(name, func(t *testing.T) { crossing(t, tick, steps) })
	}
}

// crossing applies configurations to targets that look at their sockets once a tick. Slow
// ones take longer over an event than a node that hangs is waited for.
func crossing(t *testing.T, tick time.Duration, steps []string) {
	synctest.Test(t, func(t *testing.T) {
		c := sim.New(sim.Options{Tick: tick, DiskSize: 1 << 30})
		defer c.Close()
		for _, n := range []string{"n1", "n2", "n3"} {
			if _, err := c.Start(n, ""); err != nil {
				t.Fatal(err)
			}
		}
		targets, done := connect(t, c, config(t, steps[0]))
		defer done()
		for i, text := range steps {
			r, err := Run(t.Context(), config(t, text), targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 12})
			if err != nil || len(r.Failures) > 0 || len(r.Plan.Blocked) > 0 {
				t.Fatalf("step %d: %v %v %v", i, err, r.Failures, r.Plan.Blocked)
			}
			for _, n := range []string{"n1", "n2", "n3"} {
				if !c.Target(n).Running() {
					t.Fatalf("step %d: %s has ended", i, n)
				}
			}
		}
	})
}

// TestCrossingGone: an event for a target that is gone keeps no other waiting, for
// nobody hears of it.
func TestCrossingGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 1 << 30})
		defer c.Close()
		for _, n := range []string{"n1", "n2", "n3"} {
			if _, err := c.Start(n, ""); err != nil {
				t.Fatal(err)
			}
		}
		targets, done := connect(t, c, config(t, "{}"))
		defer done()
		c.Target("n3").Stop()
		x := newCrossings("lab", targets)
		event := func(from, to lineage.Node) {
			t.Helper()
			e := &nsEvent{Link: lineage.Link{From: from, To: to}, bdev: "u1", seen: shows}
			if err := x.raise(t.Context(), []*nsEvent{e}, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		event("n1", "n3")
		event("n2", "n1")
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("an event waited %v for a target that is gone", took)
		}
		time.Sleep(2 * seeFirst) // whoever looks after events has ended
	})
}
