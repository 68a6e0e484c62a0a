package sweep

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	full  = flag.Bool("full", false, "sweep every call instead of a sample")
	every = flag.Int("every", 1, "with -full, only one call in so many")
	only  = flag.Int("at", 0, "only the call of that number")
	trace = flag.Bool("show", false, "show what happens in each case")
)

// sample is how many cases of a scenario and a kind of trouble make test has.
const sample = 2

// TestSweep breaks every scenario in every way at every call, or a sample. It
// prints what it has tried.
func TestSweep(t *testing.T) {
	all, err := scenarios(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var cases, points atomic.Int64
	start := time.Now()
	t.Cleanup(func() {
		t.Logf("%d scenarios with %d calls, %d kinds of trouble: %d cases in %v",
			len(all), points.Load(), len(troubles), cases.Load(), time.Since(start).Round(time.Second))
	})
	for _, sc := range all {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			calls, want := undisturbed(t, sc)
			points.Add(int64(len(calls)))
			for i, tr := range troubles {
				t.Run(tr.name, func(t *testing.T) {
					t.Parallel()
					for _, n := range chosen(len(calls), i) {
						cases.Add(1)
						disturbed(t, sc, tr, n, calls[n-1], want)
					}
				})
			}
		})
	}
}

// chosen are the numbers of the calls to break.
func chosen(calls, salt int) []int {
	var ns []int
	switch {
	case *only > 0:
		return []int{*only}
	case *full:
		for n := salt % *every; n < calls; n += *every {
			ns = append(ns, n+1)
		}
	default:
		for i := range sample {
			ns = append(ns, (i*calls/sample+salt*7919)%calls+1)
		}
	}
	return ns
}

// undisturbed carries a scenario out without trouble and returns the calls of
// its last step, in an order that stays, and how it ends.
func undisturbed(t *testing.T, sc *scenario) (calls []callID, want ending) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(sc)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		last := sc.steps[len(sc.steps)-1]
		if err = w.story(); err == nil {
			_, err = w.sweep()
		}
		if err == nil {
			want, err = w.finish(last.cfg)
		}
		if err = cmp.Or(err, w.err); err != nil {
			t.Fatalf("%s\n%s\n%v", strings.Join(w.log, "\n"), want, err)
		}
		calls = w.calls
		slices.SortStableFunc(calls, func(a, b callID) int {
			return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.call, b.call), cmp.Compare(a.nth, b.nth))
		})
		t.Logf("%d calls; in the end there is\n%s", len(calls), want)
	})
	return calls, want
}

// disturbed carries a scenario out with trouble at one call.
func disturbed(t *testing.T, sc *scenario, tr *trouble, n int, at callID, want ending) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(sc)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		last := sc.steps[len(sc.steps)-1]
		var got ending
		err = w.story()
		if err == nil {
			w.trouble, w.at, w.until = tr, at, time.Now().Add(tr.lasts)
			r, serr := w.sweep()
			if err = serr; err == nil {
				if got, err = w.finish(last.cfg); err == nil {
					if err = accept(got, want); err != nil {
						err = fmt.Errorf("%w\nblocked: %v\nthere is\n%sand should be\n%s", err, r.Plan.Blocked, got, want)
					}
				}
			}
		}
		if err = cmp.Or(w.err, err); err != nil {
			t.Errorf("%s: %s at call %d: %s (its %d.)\n%s\n%v\nagain: go test ./sweep -run 'TestSweep/%s/%s$' -at %d -show",
				sc.name, tr.name, n, at.call, at.nth, strings.Join(w.log, "\n"), err, sc.name, tr.name, n)
		} else if *trace {
			t.Logf("%s", strings.Join(w.log, "\n"))
		}
	})
}
