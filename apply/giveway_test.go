package apply

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
)

// TestGivesWay has an apply come while a watch copies a layer for half a minute. The
// watch ends within seconds, the apply goes on with the copy by its note, and nothing is
// copied twice. Then the watch has the nodes again and finds nothing left to do.
func TestGivesWay(t *testing.T) {
	volumes := func(rest, more string) *schema.Config {
		return config(t, `{db: {size: 16Mi, engine: "n1", snapshots: ["base"], export: nvmf: hosts: "any", `+rest+`}`+more+`}`)
	}
	before := volumes(`replicas: on: ["n1"]`, "")
	after := volumes(`replicas: on: ["n1", "n2"]`, "")
	more := volumes(`replicas: on: ["n1", "n2"]`, `, logs: {size: 4Mi, replicas: on: ["n3"]}`)
	synctest.Test(t, func(t *testing.T) {
		c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20, CopyRate: 1 << 20 / 2})
		defer c.Close()
		for _, n := range []string{"n1", "n2", "n3"} {
			if _, err := c.Start(n, ""); err != nil {
				t.Fatal(err)
			}
		}
		targets, done := connect(t, c, before)
		defer done()
		without := volumes(`replicas: on: ["n1"]`, "")
		without.Volumes[0].Snapshots = nil
		for name, l := range converge(t, without, targets).Snapshot.Nodes["n1"].Lvols {
			if strings.Contains(name, "/db.") {
				if err := c.Target("n1").WriteBdev(t.Context(), string(l.UUID), bytes.Repeat([]byte{1}, 12<<20), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		converge(t, before, targets)
		var copies atomic.Int32
		begun := make(chan struct{})
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Method == "bdev_lvol_start_shallow_copy" && copies.Add(1) == 1 {
				close(begun)
			}
			return sim.Fault{}
		})
		gave, ended := make(chan time.Time, 10), make(chan *Result, 1)
		watch := holder(1)
		watch.Note.Watch = true
		go func() {
			for {
				r, err := Run(t.Context(), after, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4, Lock: watch})
				if err != nil || !r.GaveWay {
					ended <- r
					return
				}
				if !r.Stopped || len(r.Failures) > 0 {
					t.Errorf("it gave way: %+v", r)
				}
				gave <- time.Now()
			}
		}()
		<-begun
		time.Sleep(3 * time.Second)
		theirs, doneTheirs := connect(t, c, more)
		defer doneTheirs()
		apply := holder(2)
		apply.Wait = 10 * time.Second
		start := time.Now()
		r, err := Run(t.Context(), more, theirs, Options{Plan: plan.Options{Nonce: []byte{3}}, Parallelism: 4, Lock: apply})
		if err != nil || !r.Converged {
			t.Errorf("the apply: %v, %+v", err, r)
		}
		if after := (<-gave).Sub(start); after > 2*time.Second {
			t.Errorf("the watch gave way after %v", after)
		}
		if len(gave) > 0 {
			t.Errorf("it gave way %d times more", len(gave))
		}
		if r := <-ended; !r.Converged {
			t.Errorf("the watch, in the end: %+v", r)
		}
		if n := copies.Load(); n != 1 {
			t.Errorf("%d copies were begun", n)
		}
	})
}
