package sweep

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/spdk/rpclog"
)

var (
	full  = flag.Bool("full", false, "sweep every call instead of a sample")
	every = flag.Int("every", 1, "with -full, only one call in so many")
	share = flag.Int("share", 0, "with -every, which of as many shares: they are all there is, and none has a case of another's")
	only  = flag.Int("at", 0, "only the call of that number")
	call  = flag.String("call", "", "only that call, as a failure has it: runs do not number all calls alike")
	waits = flag.Bool("wait", false, "links wait for a lost peer, 2 s, in every scenario that does not say what they do")
	trace = flag.Bool("show", false, "show what happens in each case")
	rpcs  = flag.String("debug-rpc", "", "write the exchanges of each case to a file in that directory, as strata --debug-rpc does")
)

// tries is how often a case is tried whose call does not come: what happens at
// one moment of virtual time happens in any order, and so a run may have a pass
// more or less than another.
const tries = 5

// TestSweep breaks every scenario in every way at every call, or a sample. It
// prints what it has tried.
func TestSweep(t *testing.T) {
	all, err := scenarios(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var cases, points, missed atomic.Int64
	start := time.Now()
	t.Cleanup(func() {
		t.Logf("%d scenarios with %d calls, %d kinds of trouble: %d cases in %v; in %d of them the call did not come",
			len(all), points.Load(), len(troubles), cases.Load(), time.Since(start).Round(time.Second), missed.Load())
		if missed.Load() > cases.Load()/100 {
			t.Errorf("that is too many")
		}
		if (*only > 0 || *call != "") && cases.Load() == 0 {
			t.Errorf("-at %d, -call %q: there is no such call in these scenarios, or none at which such trouble can be", *only, *call)
		}
	})
	for i, sc := range all {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			calls, want := undisturbed(t, sc)
			points.Add(int64(len(calls)))
			for j, tr := range sc.troubles() {
				t.Run(tr.name, func(t *testing.T) {
					t.Parallel()
					for _, n := range chosen(sc, calls, tr, i, j) {
						cases.Add(1)
						hit := false
						for range tries {
							if hit = disturbed(t, sc, tr, n, calls[n-1], want); hit {
								break
							}
						}
						if !hit {
							missed.Add(1)
						}
					}
				})
			}
		})
	}
}

// troubles are the kinds that there can be.
func (sc *scenario) troubles() []*trouble {
	if len(sc.final().Archives) > 0 {
		return slices.Concat(troubles, atArchives)
	}
	return troubles
}

// chosen are the numbers of the calls to break. A sample has one for every third
// kind of trouble, spread over the calls. A call that only reads has no effect.
func chosen(sc *scenario, calls []callID, tr *trouble, scenario, kind int) []int {
	var all, ns []int
	if tr.heals && !(sc.watched() && sc.kills()) {
		return nil
	}
	for i, c := range calls {
		if (c.writes || !tr.after) && (c.told() || !tr.tells) && tr.breaks(c) {
			all = append(all, i+1)
		}
	}
	switch {
	case len(all) == 0:
	case *call != "":
		for _, n := range all {
			if calls[n-1].String() == *call {
				return []int{n}
			}
		}
	case *only > 0:
		if slices.Contains(all, *only) {
			return []int{*only}
		}
	case *full:
		for i := (scenario + kind + *share) % *every; i < len(all); i += *every {
			ns = append(ns, all[i])
		}
	case (scenario+kind)%3 == 0:
		ns = append(ns, all[(kind*len(all)/len(troubles)+scenario*7919)%len(all)])
	}
	return ns
}

// carryOut does all of a scenario, and returns how it ends.
func (w *world) carryOut() (end ending, err error) {
	if err = w.story(); err == nil {
		_, err = w.sweep()
	}
	if err == nil {
		end, err = w.finish(w.sc.final())
	}
	return end, cmp.Or(w.err, err)
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
		if want, err = w.carryOut(); err != nil {
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

// disturbed carries a scenario out with trouble at one call. It reports whether
// the call came.
func disturbed(t *testing.T, sc *scenario, tr *trouble, n int, at callID, want ending) (hit bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(sc)
		if err != nil {
			t.Fatal(err)
		}
		if *rpcs != "" {
			if w.rpcs, err = exchanges(filepath.Join(*rpcs, fmt.Sprintf("%s-%s-%d.jsonl", sc.name, tr.name, n))); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := w.rpcs.Close(); err != nil {
					t.Error(err)
				}
			}()
		}
		defer w.close()
		var got ending
		err = w.story()
		if err == nil {
			w.trouble, w.at = tr, at
			r, serr := w.sweep()
			hit = w.hit
			if err = serr; err == nil {
				if got, err = w.finish(sc.final()); err == nil {
					if err = w.accept(got, want); err != nil {
						err = fmt.Errorf("%w\nblocked: %v\nthere is\n%sand should be\n%s", err, r.Plan.Blocked, got, want)
					}
				}
			}
		}
		if err = cmp.Or(w.err, err); err != nil {
			t.Errorf("%s: %s at call %d: %v\n%s\n%v\nagain: go test -count=1 ./sweep -run 'TestSweep/^%s$/^%s$' -call '%v' -show -v -wait=%v",
				sc.name, tr.name, n, at, strings.Join(w.log, "\n"), err, sc.name, tr.name, at, *waits)
		} else if *trace {
			t.Logf("%s", strings.Join(w.log, "\n"))
		}
	})
	return hit
}

// exchanges opens a file for the exchanges of one try.
func exchanges(name string) (*rpclog.File, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return rpclog.Open(name)
}
