package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// runner keeps the passes of a run: sections of earlier ones may still copy.
type runner struct {
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	opt     Options
	risky   chan struct{}
	wake    chan struct{}
	limits  *limits
	telling sync.Mutex
	// relieved has the sections that were given up and whose hosts were let go on
	// since, as far as that could be done.
	relieved map[string]bool
	passes   []*pass
	tries    *tries
	lvstores *lvstores
	made     *made
	repeats  map[string]repeats // by what a section does
	// approved is what Options.Confirm has agreed to.
	approved string
}

func newRunner(cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt Options) *runner {
	return &runner{
		cfg: cfg, targets: targets, opt: opt,
		risky: make(chan struct{}, max(1, opt.Parallelism)), wake: make(chan struct{}, 1),
		relieved: map[string]bool{}, tries: newTries(), lvstores: newLvstores(), made: newMade(cfg.Lvstores), repeats: map[string]repeats{}, limits: newLimits(),
	}
}

// pass carries out one pass, but for copies that go on.
func (x *runner) pass(ctx context.Context, number int, p plan.Pass) {
	next := newPass(number, x.cfg, x.targets, x.opt)
	next.risky, next.wake, next.telling, next.limits, next.tries, next.lvstores, next.made = x.risky, x.wake, &x.telling, x.limits, x.tries, x.lvstores, x.made
	x.passes = append(x.passes, next)
	next.run(ctx, p)
}

// settle takes stock: what has been done, which sections have failed for good,
// and which are still copying.
func (x *runner) settle(r *Result, opt plan.Options) {
	clear(opt.Busy)
	var open []*pass
	for _, p := range x.passes {
		p.mu.Lock()
		r.Steps += p.steps
		p.steps = 0
		for _, f := range p.failed {
			if x.tries.failed(f.Section, f.Step.Op) == patience {
				r.giveUp(f, opt)
			}
		}
		p.failed = nil
		busy := false
		for key, s := range p.sections {
			select {
			case <-s.ended:
			default:
				opt.Busy[key] = s.nodes
				busy = true
			}
		}
		if busy {
			open = append(open, p)
		}
		p.mu.Unlock()
	}
	x.passes = open
	slices.SortFunc(r.Failures, func(a, b Failure) int { return cmp.Compare(a.Section, b.Section) })
}

// tries counts how often steps have failed since they were last done.
type tries struct {
	mu sync.Mutex
	n  map[string]int
}

func newTries() *tries { return &tries{n: map[string]int{}} }

func (t *tries) failed(section string, op plan.Op) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	what := stepKey(section, op)
	t.n[what]++
	return t.n[what]
}

func (t *tries) done(section string, op plan.Op) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.n) > 0 {
		delete(t.n, stepKey(section, op))
	}
}

func stepKey(section string, op plan.Op) string {
	return section + ", " + string(op.On()) + ": " + plan.Words(op)
}

// idle waits until a copy ends, or for a while.
func (x *runner) idle(ctx context.Context, d time.Duration) {
	select {
	case <-x.wake:
	case <-ctx.Done():
	case <-x.opt.Stop:
	case <-time.After(d):
	}
}

// wait returns when nothing is under way any more.
func (x *runner) wait() {
	for _, p := range x.passes {
		for _, s := range p.sections {
			<-s.ended
		}
	}
}

// repeats is how often something was done since then.
type repeats struct {
	n     int
	since time.Time
}

// look reads the nodes again; like ReadAgain, right after the look before if
// again is set.
func (x *runner) look(ctx context.Context, before *state.Snapshot, again bool) *state.Snapshot {
	if !again {
		before = nil
	}
	x.made.looking()
	snap := state.ReadAgain(ctx, x.cfg.Cluster, x.targets, before)
	x.made.looked(snap)
	return snap
}

// worn counts how often the sections of a pass were carried out, and returns
// those that it leads nowhere with.
func (x *runner) worn(p plan.Pass) (worn []Failure) {
	if worn = x.made.missing(p); len(worn) > 0 {
		return worn
	}
	for _, s := range p.Sections {
		what := fingerprint(s)
		seen := x.repeats[what]
		if time.Since(seen.since) > repeatsFor {
			seen = repeats{since: time.Now()}
		}
		if seen.n++; seen.n > maxRepeats {
			worn = append(worn, Failure{Section: s.Key(), Step: s.Stages[0][0], Err: errors.New("this was done again and again, and it is due still")})
		}
		x.repeats[what] = seen
	}
	return worn
}

// confirmed asks for approval of a plan, unless that was given already.
func (x *runner) confirmed(p *plan.Plan) bool {
	if x.opt.Confirm == nil || p.Empty() {
		return true
	}
	var all []string
	for _, pass := range p.Passes {
		for _, s := range pass.Sections {
			all = append(all, fingerprint(s))
		}
		all = append(all, "")
	}
	if what := strings.Join(all, "\n"); what != x.approved {
		if !x.opt.Confirm(p) {
			return false
		}
		x.approved = what
	}
	return true
}

// fingerprint tells sections apart by what they do.
func fingerprint(s plan.Section) string {
	var words []string
	for _, stage := range s.Stages {
		for _, step := range stage {
			words = append(words, string(step.Op.On())+": "+plan.Words(step.Op))
		}
	}
	return strings.Join(words, "; ")
}
