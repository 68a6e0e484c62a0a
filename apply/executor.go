package apply

import (
	"context"
	"maps"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/plan"
)

// executor carries out pass after pass, and keeps those of which sections still
// copy.
type executor struct {
	shared
	caller *caller
	begun  int // passes
	open   []*pass
}

// shared is what the passes of a run have in common.
type shared struct {
	lock     *lock.Lock
	guard    *Guard
	may      func(context.Context) error
	stop     <-chan struct{}
	events   *events
	attempts *attempts
	made     *made
	risky    chan struct{} // has an element for each section that is risky and under way
	wake     chan struct{} // told when a section has ended
}

func newExecutor(opt Options, c *caller, a *attempts, m *made) *executor {
	return &executor{caller: c, shared: shared{
		lock: opt.Lock, guard: opt.Guard, may: opt.May, stop: opt.Stop, events: c.events, attempts: a, made: m,
		risky: make(chan struct{}, max(1, opt.Parallelism)), wake: make(chan struct{}, 1),
	}}
}

// carryOut carries out one pass, but for copies that go on.
func (e *executor) carryOut(ctx context.Context, p plan.Pass) {
	e.begun++
	x := &pass{shared: &e.shared, number: e.begun, caller: e.caller, sections: map[plan.Key]*running{}}
	e.open = append(e.open, x)
	x.run(ctx, p)
}

// settle returns how many steps were done and which failed since it was last
// called, and the nodes of the sections that copy.
func (e *executor) settle() (steps int, failed []Failure, copying map[plan.Key][]lineage.Node) {
	copying = map[plan.Key][]lineage.Node{}
	var open []*pass
	for _, x := range e.open {
		done, f, c := x.settle()
		steps += done
		failed = append(failed, f...)
		maps.Copy(copying, c)
		if len(c) > 0 {
			open = append(open, x)
		}
	}
	e.open = open
	return steps, failed, copying
}

// wakeUp ends a wait.
func (s *shared) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// waitOne waits until a section ends, or the run is to, or for a while.
func (e *executor) waitOne(ctx context.Context, d time.Duration) {
	select {
	case <-e.wake:
	case <-ctx.Done():
	case <-e.stop:
	case <-time.After(d):
	}
}

// waitAll returns when nothing is under way any more.
func (e *executor) waitAll() {
	for _, x := range e.open {
		x.wait()
	}
}
