package apply

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/retention"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// A Runner brings nodes to what a configuration asks for, driven step by step:
//
//	Settle  what has become of the passes so far: which sections are given up
//	Resume  the hosts go on that such a section holds
//	Look    all nodes are read
//	Plan    what is due is planned
//	Lock    the nodes are locked, before anything is done
//	Pass    the first pass of the plan is carried out
//	Wait    something that goes on in the background ends
//
// Copies go on after the pass that began them: what happens to other volumes, or
// to a leg of the one that is copied, does not wait for them. A Runner serves one
// driver: its steps are not to be called at the same time.
type Runner struct {
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client
	opt     Options

	looker   *looker
	patience *Patience
	planner  *planner
	approval *approval
	executor *executor
	attempts *attempts
	made     *made
	events   *events
	keys     knownKeys

	steps   int               // done
	failed  bool              // a step of the passes that Settle was last called for
	resumed map[plan.Key]bool // sections that Resume was called for
	// inherits: who had locked the nodes is dead, and what that run was at is to be planned now,
	// though nothing else has changed.
	inherits bool
	again    atomic.Bool  // the next look is to be at everything
	now      atomic.Int64 // plan.Options.Now from the next look on; 0: as it was
	closed   chan struct{}
}

// lookAgain is how often the nodes are looked at while copies are in hand.
const lookAgain = 2 * time.Second

// lookForPeer is how often they are while hosts wait for a peer.
const lookForPeer = 500 * time.Millisecond

// NewRunner readies a Runner. It is to be closed.
func NewRunner(cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt Options) *Runner {
	closed := make(chan struct{})
	if opt.Lock != nil {
		opt.Lock.Begin(cfg.Cluster, targets)
		opt.Stop = either(opt.Stop, opt.Lock.Wished(), closed)
	}
	e, m, a := newEvents(opt), newMade(cfg.Lvstores), newAttempts(opt.Repeats)
	c := newCaller(cfg, targets, e, newFences(cfg, opt), opt.Addresses)
	c.keys, c.hostKeys = opt.Keys, opt.HostKeys
	c.backups = newBackups(cfg, opt)
	if opt.Pace != nil {
		c.pace = &pace{cluster: cfg.Cluster, targets: targets, limits: c.limits, tell: opt.Pace, engines: map[lineage.Node]*engine{}}
	}
	p := cmp.Or(opt.Patience, &Patience{})
	p.cfg = cfg
	var serve func(context.Context)
	if c.backups.archives != nil && slices.ContainsFunc(cfg.Volumes, func(v *schema.Volume) bool { return v.Restore != nil && v.Restore.Instant }) {
		serve = c.serveAgain
	}
	return &Runner{
		cfg: cfg, targets: targets, opt: opt,
		looker:   &looker{cfg: cfg, targets: targets, unread: opt.Unread, made: m, lvstores: c.lvstores, unheard: newUnheard(targets), pace: c.pace, serve: serve},
		patience: p,
		planner:  newPlanner(cfg, opt),
		approval: &approval{confirm: opt.Confirm},
		executor: newExecutor(opt, c, a, m),
		attempts: a, made: m, events: e, keys: knownKeys{read: opt.HostKeys},
		resumed: map[plan.Key]bool{}, closed: closed,
	}
}

// Close waits until nothing is under way any more, and frees the nodes. A copy
// ends when the context of its Pass does, or by itself.
func (x *Runner) Close() {
	x.executor.waitAll()
	x.looker.unheard.close()
	x.opt.Lock.End()
	close(x.closed)
}

// Settle takes stock of the passes so far. A section with a step that has failed
// too often is given up: nothing is planned for it any more. Nor is for those
// that copy until they end. Sections that were given up and hold hosts are returned
// until Resume is called for them.
func (x *Runner) Settle() (waiting []plan.Key) {
	steps, failed, copying := x.executor.settle()
	x.steps += steps
	x.failed = len(failed) > 0
	for _, f := range failed {
		if x.attempts.failed(f) {
			x.giveUp(f)
		}
	}
	if x.planner.copying(copying); len(failed) > 0 {
		x.planner.lookAtAll()
	}
	return x.waiting()
}

// giveUp leaves a section alone from here on.
func (x *Runner) giveUp(f Failure) {
	x.attempts.giveUp(f)
	x.planner.opt.Skip[f.Section] = true
	x.planner.lookAtAll()
}

// Look reads all nodes. While passes do nothing but move copies of layers along, it
// only makes sure that they have left what they were to, and goes on from there, for
// a while (looker.recent), and as long as no peer is waited for no more. It fails only
// when ctx has ended.
func (x *Runner) Look(ctx context.Context) error {
	left, waits := x.patience.Next(time.Now())
	due := waits && left == 0
	if !x.again.Swap(false) && !due && x.looker.recent() && x.glance(ctx) {
		x.looker.same = false
		return ctx.Err()
	}
	x.planner.lookAtAll()
	if now := x.now.Load(); now != 0 {
		x.planner.opt.Now = now
	} else if x.opt.Saved != nil && retention.Late(x.planner.opt.Now, time.Now().Unix()) {
		x.planner.opt.Now = 0 // a snapshot would say that it is of another time than it is
	}
	b := x.executor.caller.backups
	var opening sync.WaitGroup
	if b.archives != nil && x.executor.begun == 0 {
		// To open an archive takes as long as to look at the nodes, and nothing is recorded yet.
		opening.Go(func() { x.planner.opt.Catalog = b.look(ctx) })
	}
	err := x.looker.look(ctx)
	opening.Wait()
	if err != nil {
		return err
	}
	x.patience.waits = x.looker.last.Waits(x.cfg.Cluster)
	now := time.Now()
	x.planner.opt.Peers = x.patience.look(slices.Concat(x.patience.waits, x.looker.last.Resets(x.cfg.Cluster)), x.looker.at, now)
	x.planner.opt.Silent = x.patience.miss(lost(x.cfg, x.looker.last), x.looker.at, now)
	x.planner.opt.Off = x.executor.caller.fences.look(x.looker.last)
	if b.archives != nil && x.executor.begun > 0 {
		x.planner.opt.Catalog = b.look(ctx)
	}
	x.planner.opt.Images, x.planner.opt.Keys = b.images(), x.keys.look(ctx, x.cfg)
	return nil
}

// glance reports whether it is known what there is to do, without a look at everything.
func (x *Runner) glance(ctx context.Context) bool {
	p := x.planner
	if p.going == nil || p.going.Over() {
		return false
	}
	left := p.trace.expected(p.going.World(), p.opt.Busy, x.executor.caller)
	return state.Glance(ctx, x.targets, left) == nil && p.goOn()
}

// Plan plans what is due by the last look: the whole plan before the first pass if
// somebody is to see it, else one pass. If the look found what the one before Lock
// did, the plan stays. It fails if nothing can be planned, or with the error of
// Options.Vet.
func (x *Runner) Plan() error {
	if x.looker.same && !x.inherits {
		return nil
	}
	x.inherits = false
	return x.planner.plan(x.looker.last, x.executor.begun > 0)
}

// Waits is what is to be done by the last look and waits for a person, as plan shows
// it: what Options.Plan.Auto allows, and is done by now, is not in it, nor what only
// waits for a peer.
func (x *Runner) Waits() (*plan.Plan, error) {
	opt := x.opt.Plan
	opt.Auto, opt.Away, opt.Skip, opt.Nonce = nil, nil, nil, nil
	opt.Catalog, opt.Images, opt.Keys = x.planner.opt.Catalog, x.planner.opt.Images, x.planner.opt.Keys
	opt.Peers, opt.Silent, opt.Off = x.planner.opt.Peers, x.planner.opt.Silent, x.planner.opt.Off
	return recipe.Build(x.cfg, x.looker.last, opt)
}

// Patient reports whether a peer was waited for at the last look, over a link that
// waits: what comes of it is not known yet.
func (x *Runner) Patient() bool {
	for _, p := range x.planner.opt.Peers {
		if p == plan.PeerWaits {
			return true
		}
	}
	for _, waits := range x.planner.opt.Silent {
		if waits {
			return true
		}
	}
	return false
}

// Over counts the peers that were waited for no more at the last look, and are not let
// go of yet.
func (x *Runner) Over() (n int) {
	for _, p := range x.planner.opt.Peers {
		if p == plan.PeerOver {
			n++
		}
	}
	return n
}

// Copying reports whether sections copied when the Runner was last settled.
func (x *Runner) Copying() bool { return len(x.planner.opt.Busy) > 0 }

// Approved asks for approval of the plan before the first pass, unless that was
// given to one that does the same.
func (x *Runner) Approved() bool {
	return x.executor.begun > 0 || x.approval.of(x.planner.last)
}

// Unsure reports whether what differs from the saved plan may be the doing of
// somebody who has locked a node, another apply or the guard of one that died, and
// not last; or whether what is left to whoever has locked one is left to nobody.
func (x *Runner) Unsure() bool {
	if x.looker.locked || x.executor.begun > 0 {
		return false
	}
	return len(x.planner.deviations) > 0 && x.opt.Lock.Others(x.looker.last) || x.orphaned()
}

// MustLock reports whether nodes are to be locked before anything else is done.
func (x *Runner) MustLock() bool {
	return x.Unsure() || x.opt.Lock != nil && !x.planner.last.Empty() && len(x.opt.Lock.Missing(x.looker.last)) > 0
}

// Lock locks the nodes that answered, all or none, and waits for others who have;
// false without an error is that Options.Stop has ended that. What was planned
// may be done by then: the next step is Look. Nodes that come back while others are
// locked already are not waited for: what is theirs to do fails.
func (x *Runner) Lock(ctx context.Context) (bool, error) {
	l := x.opt.Lock
	if err := x.opt.Guard.locking(l); err != nil {
		return false, err
	}
	nodes := l.Missing(x.looker.last)
	again := l.Held()
	x.inherits = x.orphaned()
	err := l.Take(ctx, nodes, x.looker.last, x.opt.Stop)
	switch {
	case errors.Is(err, lock.ErrStopped):
		return false, nil
	case again && lock.IsLocked(err):
		l.GiveUp(nodes, err)
	case err != nil:
		return false, err
	}
	x.looker.locking = true
	return true, nil
}

// Pass carries out the first pass of the plan, but for copies, which go on until
// they or ctx end. Where that would lead nowhere, for sections of it were carried
// out again and again, they are given up and nothing is done.
func (x *Runner) Pass(ctx context.Context) {
	p := x.planner.last.Passes[0]
	stuck := x.made.missing(p)
	if len(stuck) == 0 {
		stuck = x.attempts.repeat(p)
	}
	for _, f := range stuck {
		x.giveUp(f)
	}
	if len(stuck) == 0 {
		x.planner.trace.add(p)
		x.executor.carryOut(ctx, p)
	}
}

// Wait returns when a section ends that copies, when Options.Stop or ctx ends the
// run, and after 2 s: other volumes do not wait for a copy. While hosts wait for a
// peer it returns sooner, and as soon as that is waited for no more.
func (x *Runner) Wait(ctx context.Context) {
	d := lookAgain
	if left, waits := x.patience.Next(time.Now()); waits {
		d = min(left, lookForPeer)
		x.patience.tell(x.opt.Waiting)
	}
	x.executor.waitOne(ctx, d)
}

// Again has the next look be one at everything, and ends a Wait. Other than the
// steps it may be called at any time.
func (x *Runner) Again() {
	x.again.Store(true)
	x.executor.wakeUp()
}

// Until has plans made by a later time, in seconds since 1970, from the next look at
// everything on. Other than the steps it may be called at any time.
func (x *Runner) Until(now int64) { x.now.Store(now) }

// enough reports whether Options.Passes have been carried out. What has failed is tried again.
func (x *Runner) enough() bool {
	return x.opt.Passes > 0 && x.executor.begun >= x.opt.Passes && !x.failed
}

// Stopped reports whether Options.Stop has ended the run, or somebody who has asked a
// watch for the nodes.
func (x *Runner) Stopped() bool { return stopped(x.opt.Stop) }

// Result is what the steps so far came to, without the reason why there are no more.
func (x *Runner) Result() *Result {
	return &Result{
		Plan: x.planner.last, Snapshot: x.looker.last, Catalog: x.planner.opt.Catalog,
		Passes: x.executor.begun, Steps: x.steps, Failures: slices.Clone(x.attempts.givenUp),
		GaveWay:    stopped(x.opt.Lock.Wished()),
		Deviations: x.planner.deviations, Others: x.planner.others,
	}
}

// either is closed when one of two channels is, unless the third is first.
func either(a, b <-chan struct{}, end <-chan struct{}) <-chan struct{} {
	if b == nil {
		return a
	}
	both := make(chan struct{})
	go func() {
		select {
		case <-a:
		case <-b:
		case <-end:
			return
		}
		close(both)
	}()
	return both
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
