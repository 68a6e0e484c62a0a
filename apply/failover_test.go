package apply

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
)

// failoverGoal is how many round trips it takes at most from the first fence until hosts go
// on, once it is known that the engine is gone.
const failoverGoal = 10

// TestFailoverOfHung has the engine of a volume hang that has no replica of its own, and a
// person say that another takes over. The engine's node is waited for once, for as long as a
// call may take, however often nodes are looked at, and then hosts go on soon.
func TestFailoverOfHung(t *testing.T) {
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 2}}}
links: loss: "wait"`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		converge(t, cfg, targets)
		trip := roundTrip(t, targets["n1"])
		c.Target("n3").Freeze()
		const timeout = 10 * time.Second // of a client
		start := time.Now()
		var steps []string
		var fenced, on time.Time
		r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{2}, Failover: map[string]bool{"db": true}}, Parallelism: 4, Observe: func(ev Event) {
			from := ev.Start.Sub(start) - timeout
			if _, is := ev.Step.Op.(plan.Fence); is && fenced.IsZero() {
				fenced = ev.Start
			}
			if _, is := ev.Step.Op.(plan.Resume); is && on.IsZero() {
				on = ev.Start.Add(ev.Took)
			}
			steps = append(steps, fmt.Sprintf("%5.1f to %5.1f  %d %s: %s", ratio(from, trip), ratio(from+ev.Took, trip), ev.Pass, ev.Step.Op.On(), ev.Step.Op.Words()))
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("round trips of %v after %v:\n%s", trip, timeout, strings.Join(steps, "\n"))
		if trips := ratio(on.Sub(fenced), trip); fenced.IsZero() || on.IsZero() || trips > failoverGoal {
			t.Errorf("hosts went on %.1f round trips after the first call of the failover, and %d are promised", trips, failoverGoal)
		}
		if took := time.Since(start); took > timeout+time.Second || took < timeout {
			t.Errorf("it took %v, and its node was to be waited for once, for %v", took, timeout)
		}
		if n := r.Snapshot.Nodes["n3"]; n.Unknown == "" {
			t.Error("n3 was read")
		}
		c.Target("n3").Thaw()
		converge(t, cfg, targets)
	})
}

// TestSilentNodeIsWaitedForOnce has a node hang: only the first look waits for it, and one
// after it is back finds it.
func TestSilentNodeIsWaitedForOnce(t *testing.T) {
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		converge(t, cfg, targets)
		x := NewRunner(cfg, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4})
		defer x.Close()
		look := func(unknown bool, least, most time.Duration) {
			t.Helper()
			start := time.Now()
			x.Again()
			if err := x.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < least || took > most {
				t.Errorf("a look took %v", took)
			}
			if why := x.Result().Snapshot.Nodes["n3"].Unknown; (why != "") != unknown {
				t.Errorf("n3 is unknown because %q", why)
			}
		}
		look(false, 0, time.Second)
		c.Target("n3").Freeze()
		look(true, 10*time.Second, 11*time.Second)
		for range 3 {
			look(true, 0, time.Second)
			time.Sleep(20 * time.Second)
		}
		c.Target("n3").Thaw()
		time.Sleep(time.Second)
		look(false, 0, time.Second)
	})
}
