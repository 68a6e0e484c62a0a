package watch

import (
	"flag"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/spdk"
)

var passes = flag.Int("passes", 200, "how many passes TestSoak has a watch make")

// TestSoak takes away what a watch has made, again and again: what the watch has in
// memory and at work does not grow.
func TestSoak(t *testing.T) {
	cfg := config(t, two)
	synctest.Test(t, func(t *testing.T) {
		made := 0
		s := begin(t, cfg, func(o *Options) {
			o.Observe = func(e Event) {
				if x, ok := e.(Ended); ok && x.Result != nil {
					made += x.Result.Passes
				}
			}
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		target := s.targets["n1"]
		type use struct {
			heap       uint64
			goroutines int
		}
		now := func() use {
			runtime.GC()
			runtime.GC() // what a first one finalizes
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return use{m.HeapAlloc, runtime.NumGoroutine()}
		}
		var first use
		made = 0
		for i := range *passes {
			if i == *passes/4 {
				first = now()
			}
			for _, l := range listeners(t, target, cfg.Cluster) {
				if err := target.ListenerRemove(t.Context(), l); err != nil {
					t.Fatal(err)
				}
			}
			s.hangup <- struct{}{}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		last := now()
		t.Logf("after %d of %d passes: heap %d KiB, %d goroutines; at the end %d KiB, %d", *passes/4, made, first.heap>>10, first.goroutines, last.heap>>10, last.goroutines)
		if made < *passes {
			t.Errorf("%d passes, and not %d", made, *passes)
		}
		if last.goroutines > first.goroutines+2 {
			t.Errorf("goroutines: %d, and %d later", first.goroutines, last.goroutines)
		}
		if last.heap > first.heap+first.heap/10+3<<20 {
			t.Errorf("heap: %d KiB, and %d later", first.heap>>10, last.heap>>10)
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
}

// listeners are those of a node's exports.
func listeners(t *testing.T, target *spdk.Client, c lineage.Cluster) (all []spdk.ListenerRemove) {
	t.Helper()
	subsystems, err := target.GetSubsystems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range subsystems {
		if _, export := c.ParseExport(lineage.NQN(s.NQN)); export {
			for _, a := range s.ListenAddresses {
				all = append(all, spdk.ListenerRemove{NQN: s.NQN, Address: a})
			}
		}
	}
	return all
}
