package watch

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

const (
	// backOffFirst is when a section that failed is tried again; each time it fails
	// again it doubles.
	backOffFirst = 2 * time.Second
	backOffMost  = 5 * time.Minute
	// repeatsMost is how often a section is carried out without progress.
	repeatsMost = 3
)

// trouble is a section that could not be carried out.
type trouble struct {
	failure apply.Failure
	times   int
	until   time.Time // it is left alone
	halted  bool      // until somebody edits the configuration or asks
}

// troubles are by section, and end with the next success.
type troubles map[plan.Key]*trouble

// add takes note of a failure.
func (ts troubles) add(f apply.Failure, now time.Time) *trouble {
	t := ts[f.Section]
	if t == nil {
		t = &trouble{}
		ts[f.Section] = t
	}
	t.failure = f
	t.times++
	t.halted = errors.Is(f.Err, apply.ErrNoProgress)
	wait := min(backOffFirst<<min(t.times-1, 16), backOffMost)
	// Those that failed together are not tried together for ever.
	t.until = now.Add(wait + time.Duration(rand.Int64N(int64(wait/4))))
	return t
}

// settledBy reports whether a failure is none any more: a node that was to be switched off
// answers.
func settledBy(f apply.Failure, snap *state.Snapshot) bool {
	if _, off := f.Step.Op.(plan.NodeOff); !off || snap == nil {
		return false
	}
	n := snap.Nodes[f.Step.Op.On()]
	return n != nil && n.Unknown == ""
}

// skip are the sections that are left alone now.
func (ts troubles) skip(now time.Time) map[plan.Key]bool {
	skip := map[plan.Key]bool{}
	for key, t := range ts {
		if t.halted || now.Before(t.until) {
			skip[key] = true
		}
	}
	return skip
}

// next is when a section is to be tried again; zero for never.
func (ts troubles) next(now time.Time) (at time.Time) {
	for _, t := range ts {
		if !t.halted && now.Before(t.until) && (at.IsZero() || t.until.Before(at)) {
			at = t.until
		}
	}
	return at
}

// about has what failed at a node be tried at once: it is another one now.
func (ts troubles) about(n lineage.Node) {
	for _, t := range ts {
		if !t.halted && t.failure.Step.Op.On() == n {
			t.until, t.times = time.Time{}, 0
		}
	}
}

// retry has everything be tried again, once.
func (ts troubles) retry() {
	for _, t := range ts {
		t.until, t.halted = time.Time{}, false
	}
}

// afresh has everything be tried again as if it had never failed. That it did is known until
// it is done: who was told of it is told of that, too.
func (ts troubles) afresh() {
	for _, t := range ts {
		t.until, t.halted, t.times = time.Time{}, false, 0
	}
}

// done forgets the sections that a run has not left alone and did not fail in, and
// returns them, sorted.
func (ts troubles) done(skipped map[plan.Key]bool, failed []apply.Failure) (over []plan.Key) {
	for key := range ts {
		if !skipped[key] && !slices.ContainsFunc(failed, func(f apply.Failure) bool { return f.Section == key }) {
			over = append(over, key)
			delete(ts, key)
		}
	}
	slices.SortFunc(over, plan.Key.Compare)
	return over
}
