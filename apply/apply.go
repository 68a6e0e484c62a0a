// Package apply carries plans out: it looks, plans, carries out one pass, and
// looks again, until nothing is left to do. It decides nothing about what
// should be; a reply that was lost is settled by looking, never by repeating.
package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// Options of a Run.
type Options struct {
	Plan plan.Options
	// Parallelism bounds how many volumes at a time are held, copied, reduced
	// or destroyed. Steps that only create are sent as fast as targets take them.
	Parallelism int
	// Stop, when closed, ends the run after the steps in hand and after any
	// section that holds hosts' I/O.
	Stop <-chan struct{}
	// Starting is told of every step that is about to begin, with neither Took
	// nor Err; one at a time, and not at the same time as Observe; nil for nobody.
	Starting func(Event)
	// Observe is told of every event, one at a time; nil for nobody.
	Observe func(Event)
	// Progress is told how far copies are, one at a time; nil for nobody.
	Progress func(Copy)
	// Saved, if not nil, has the only steps that may be carried out. The
	// configuration and Plan are those it was made with.
	Saved *saved.Saved
	// Vet, if not nil, is shown what is planned before anything is locked or
	// done, then the whole plan, and before every pass. Its error ends the run.
	Vet func(*plan.Plan) error
	// Lock keeps others from changing the nodes meanwhile; nil for none.
	Lock *Lock
	// Guard ends pauses and frees the lock should this process die; nil for none.
	Guard *Guard
	// Confirm is shown the whole plan before anything is done, and again if it
	// was another by the time the nodes were locked; false ends the run. nil
	// confirms.
	Confirm func(*plan.Plan) bool
}

// Event is something that happened.
type Event struct {
	Pass    int
	Section string // key
	Step    plan.Step
	Start   time.Time // when the node was first called
	Took    time.Duration
	Err     error // nil when the step is done
}

// Copy is how far the copy of a layer is.
type Copy struct {
	Op            plan.ShallowCopy
	Copied, Total int64 // clusters
}

// Bytes is the size of some of the clusters.
func (c Copy) Bytes(clusters int64) int64 {
	if c.Total == 0 {
		return 0
	}
	return c.Op.Bytes / c.Total * clusters
}

// Result is what a Run came to.
type Result struct {
	Plan     *plan.Plan // the last, with what is still blocked
	Snapshot *state.Snapshot
	Passes   int
	Steps    int // done
	Failures []Failure
	// Deviations are steps that Options.Saved lacks, Others the sections it
	// knows nothing of that have something to do.
	Deviations []saved.Deviation
	Others     []string
	Stopped    bool // by Options.Stop
	Declined   bool // by Options.Confirm
	Converged  bool // nothing is left to do or blocked

	unused []plan.Finding // of what Options.Plan releases; later it may be gone
}

// Failure is a section that could not be carried out.
type Failure struct {
	Section string
	Step    plan.Step
	Err     error
}

func (f Failure) Error() string {
	return fmt.Sprintf("%s: step %d, node %s: %s: %v", f.Section, f.Step.Number, f.Step.Op.On(), plan.Words(f.Step.Op), f.Err)
}

// patience is how often the same step may fail before its section is given up,
// unless it was done meanwhile.
const patience = 2

// maxRepeats is how often a run may carry out the very same section within
// repeatsFor without an error: when that leads nowhere, targets do not become
// what plans expect.
const (
	maxRepeats = 5
	repeatsFor = 10 * time.Minute
)

// lookAgain is how often the nodes are looked at while copies are in hand.
const lookAgain = 2 * time.Second

// Run brings the nodes to what cfg asks for, as far as that can be done.
// Copies go on while it looks and plans again: what happens to other volumes,
// or to a leg of the one that is copied, does not wait for them.
func Run(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt Options) (*Result, error) {
	r := &Result{}
	opt.Plan.Skip, opt.Plan.Busy = map[string]bool{}, map[string][]lineage.Node{}
	x := newRunner(cfg, targets, opt)
	ctx, cancel := context.WithCancel(ctx)
	if opt.Lock != nil {
		opt.Lock.begin(cfg.Cluster, targets)
		defer opt.Lock.end()
	}
	defer x.wait()
	defer cancel()  // a copy that goes on is the target's; it is taken up again by the next run
	locked := false // since the last look
	for {
		x.settle(r, opt.Plan)
		if waiting := x.waiting(r.Failures); len(waiting) > 0 {
			r.Steps += x.relieve(ctx, waiting)
		}
		before := r.Snapshot
		r.Snapshot = x.look(ctx, before, locked)
		if err := ctx.Err(); err != nil {
			return r, err
		}
		x.lvstores.look(cfg, r.Snapshot)
		if !locked || !r.Snapshot.Same(before) {
			if err := r.plan(cfg, opt); err != nil {
				return r, err
			}
		}
		// What differs may be the doing of another apply, or of the guard of one
		// that died, and not last.
		unsure := !locked && r.Passes == 0 && len(r.Deviations) > 0 && opt.Lock.others(r.Snapshot)
		locked = false
		p := r.Plan
		switch {
		case len(r.Deviations) > 0 && r.Passes == 0 && !unsure:
			return r, nil
		case p.Empty() && len(opt.Plan.Busy) == 0 && !unsure:
			r.Converged = len(p.Blocked)+len(r.Failures)+len(r.Deviations) == 0
			return r, nil
		case r.Passes == 0 && !x.confirmed(p):
			r.Declined = true
			return r, nil
		case unsure || !p.Empty() && opt.Lock != nil && len(opt.Lock.missing(r.Snapshot)) > 0:
			// What was planned before the nodes were locked may be done by now.
			err := x.lock(ctx, r.Snapshot)
			if r.Stopped = errors.Is(err, errStopped); r.Stopped {
				return r, nil
			}
			if err != nil {
				return r, err
			}
			locked = true
			continue
		case stopped(opt.Stop):
			r.Stopped = true
			return r, nil
		case p.Empty():
			x.idle(ctx, lookAgain)
			continue
		}
		if worn := x.worn(p.Passes[0]); len(worn) > 0 {
			for _, f := range worn {
				r.giveUp(f, opt.Plan)
			}
			continue
		}
		r.Passes++
		x.pass(ctx, r.Passes, p.Passes[0])
	}
}

// giveUp leaves a section alone from here on.
func (r *Result) giveUp(f Failure, opt plan.Options) {
	r.Failures = append(r.Failures, f)
	opt.Skip[f.Section] = true
}

// plan plans what is due by the latest snapshot.
func (r *Result) plan(cfg *schema.Config, opt Options) (err error) {
	planOpt := opt.Plan
	planOpt.OnePass = r.Passes > 0 || opt.Confirm == nil && opt.Saved == nil && opt.Vet == nil
	if r.Plan, err = recipe.Build(cfg, r.Snapshot, planOpt); err == nil && opt.Saved != nil {
		r.Plan, r.Deviations, r.Others = opt.Saved.Admit(cfg, r.Snapshot, r.Plan)
	}
	if err == nil && opt.Saved == nil {
		if r.Passes == 0 {
			r.unused = recipe.Unused(cfg, r.Snapshot, opt.Plan)
		}
		r.Plan.Notes = append(r.Plan.Notes, r.unused...)
	}
	if err == nil && opt.Vet != nil {
		err = opt.Vet(r.Plan)
	}
	return err
}

// lock locks the nodes of a snapshot that answer. Nodes that come back while
// others are locked already are not waited for: what is theirs to do fails.
func (x *runner) lock(ctx context.Context, snap *state.Snapshot) error {
	l := x.opt.Lock
	if err := x.opt.Guard.locking(l); err != nil {
		return err
	}
	nodes := l.missing(snap)
	again := len(l.nodes()) > 0
	if err := l.take(ctx, nodes, snap, x.opt.Stop); err != nil && !(again && isLocked(err)) {
		return err
	} else if err != nil {
		l.giveUp(nodes, err)
	}
	return nil
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
