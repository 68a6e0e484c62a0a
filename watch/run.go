package watch

import (
	"context"
	"crypto/rand"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// run is what is done from a reason to look until nothing is left to do. Others have
// the nodes in between.
type run struct {
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	opt     apply.Options
	skipped map[plan.Key]bool
	before  *apply.Result // of the run before, if it left nothing to do and only the nodes can have changed since
	tell    func(Event)
	over    int  // peers that were waited for no more at the last look, by a run before at first
	urgent  bool // one more is, for which sections that are left alone may be needed

	stop   chan struct{} // ends it after the steps in hand
	once   sync.Once
	runner atomic.Pointer[apply.Runner]
	unread atomic.Pointer[map[lineage.Node]string]
	silent atomic.Pointer[map[lineage.Node]time.Time] // since when nodes were not heard
	seen   atomic.Pointer[state.Snapshot]             // at the last look
	stale  atomic.Bool                                // something has changed since the last look began
}

// ended is what a run came to.
type ended struct {
	*run
	result *apply.Result
	waits  *plan.Plan // for a person; nil where that was not found out
	err    error
	began  time.Time
}

// end ends the run after the steps in hand, and after what holds hosts. Copies go on
// at their targets, and the next run takes them up.
func (r *run) end() { r.once.Do(func() { close(r.stop) }) }

// again has the next look be at everything.
func (r *run) again(unread map[lineage.Node]string, silent map[lineage.Node]time.Time) {
	r.unread.Store(&unread)
	r.silent.Store(&silent)
	r.stale.Store(true)
	if x := r.runner.Load(); x != nil {
		x.Again()
	}
}

// until has the run plan by a later time, from the next look on. It reports false if it
// has not begun yet.
func (r *run) until(now time.Time) bool {
	x := r.runner.Load()
	if x != nil {
		x.Until(now.Unix())
	}
	return x != nil
}

// prepare completes the options of a run.
func (r *run) prepare(may func(context.Context) error) error {
	if len(r.opt.Plan.Nonce) == 0 {
		r.opt.Plan.Nonce = make([]byte, 16)
		if _, err := rand.Read(r.opt.Plan.Nonce); err != nil {
			return err
		}
	}
	r.opt.Plan.Now = time.Now().Unix()
	r.opt.Plan.Skip = maps.Clone(r.skipped)
	r.opt.Stop, r.opt.Repeats = r.stop, repeatsMost
	if may != nil {
		r.opt.May = func(ctx context.Context) error { return r.seated(may(ctx)) }
	}
	r.opt.Unread = func() map[lineage.Node]string { return *r.unread.Load() }
	starting := r.opt.Starting
	r.opt.Starting = func(e apply.Event) {
		if starting != nil {
			starting(e)
		}
		r.tell(Starting{e})
	}
	r.opt.Observe = func(e apply.Event) {
		r.tell(Stepped{e})
		if t, is := r.tookOver(e); is {
			r.tell(t)
		}
	}
	r.opt.Progress = func(c apply.Copy) { r.tell(Copying{c}) }
	r.opt.Delayed = func(d apply.Delay) { r.tell(Delayed{d}) }
	r.opt.Pace = func(p apply.Paced) { r.tell(Paced{p}) }
	if r.opt.Lock != nil {
		r.opt.Lock.Tell = func(text string) { r.tell(Told{text}) }
	}
	if r.opt.Guard != nil {
		r.opt.Guard.Config, r.opt.Guard.Plan = r.cfg, r.opt.Plan
		r.opt.Guard.Plan.Auto = nil // hosts that wait are let go, whatever else may be done
	}
	return nil
}

// drive drives a Runner until nothing is left to do, or it is ended. Then the nodes
// are free.
func (r *run) drive(ctx context.Context) (result *apply.Result, waits *plan.Plan, err error) {
	x := apply.NewRunner(r.cfg, r.targets, r.opt)
	r.runner.Store(x)
	ctx, cancel := context.WithCancel(ctx)
	result, err = r.steps(ctx, x)
	cancel() // a copy that goes on is the target's
	x.Close()
	if err == nil && !result.Stopped && r.before == nil && r.opt.Plan.Auto != nil && len(r.opt.Plan.Quiet) == 0 {
		waits, err = x.Waits()
	}
	if gerr := r.opt.Guard.Close(); err == nil {
		err = gerr
	}
	return result, waits, err
}

func (r *run) steps(ctx context.Context, x *apply.Runner) (*apply.Result, error) {
	for {
		if waiting := x.Settle(); len(waiting) > 0 {
			x.Resume(ctx, waiting)
		}
		if x.Stopped() {
			return r.stopped(x), nil
		}
		start := time.Now()
		r.stale.Store(false)
		if err := x.Look(ctx); err != nil {
			return x.Result(), err
		}
		r.seen.Store(x.Result().Snapshot)
		r.tell(Looked{Config: r.cfg, Snapshot: x.Result().Snapshot, Catalog: x.Result().Catalog, Took: time.Since(start)})
		if r.before != nil && x.Result().Snapshot.Same(r.before.Snapshot) {
			return r.as(x), nil
		}
		r.before = nil
		if err := x.Plan(); err != nil {
			return x.Result(), err
		}
		result := x.Result()
		switch {
		case r.needed(x.Over()):
			return r.stopped(x), nil
		case result.Plan.Empty() && !x.Copying() && !x.Unsure():
			result.Converged = len(result.Plan.Blocked)+len(result.Failures)+len(r.skipped) == 0
			return result, nil
		case x.Stopped():
			return r.stopped(x), nil
		case !r.may(ctx):
			return r.stopped(x), nil
		case x.MustLock():
			if locked, err := x.Lock(ctx); err != nil {
				return result, err
			} else if !locked {
				return r.stopped(x), nil
			}
		case result.Plan.Empty():
			x.Wait(ctx)
		default:
			r.tell(Planned{result.Plan})
			x.Pass(ctx)
		}
	}
}

// needed reports whether sections are needed that are left alone: one peer more is
// waited for no longer, and the hosts of all volumes with a leg there wait until an epoch
// without it is minted for each of them.
func (r *run) needed(over int) bool {
	r.urgent = over > r.over && len(r.skipped) > 0
	r.over = over
	return r.urgent
}

// unseated is that the seat is, or may be, another's.
type unseated struct{ error }

// seated ends the run when the seat is another's.
func (r *run) seated(err error) error {
	if err == nil {
		return nil
	}
	r.end()
	return unseated{err}
}

// may reports whether this watch may go on.
func (r *run) may(ctx context.Context) bool { return r.opt.May == nil || r.opt.May(ctx) == nil }

// as is the result of a run that has found everything as the one before.
func (r *run) as(x *apply.Runner) *apply.Result {
	result := x.Result()
	result.Plan, result.Converged = r.before.Plan, r.before.Converged
	return result
}

// stopped is the result of a run that was ended.
func (r *run) stopped(x *apply.Runner) *apply.Result {
	result := x.Result()
	result.Stopped = true
	return result
}
