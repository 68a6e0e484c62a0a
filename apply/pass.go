package apply

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// pass carries out one pass of a plan: sections side by side as far as they do
// not wait for one another, the stages of each in order.
type pass struct {
	number   int
	cfg      *schema.Config
	targets  map[lineage.Node]*spdk.Client
	opt      Options
	risky    chan struct{} // a place for each section that may be risky at a time
	wake     chan struct{} // told when a section that was left copying has ended
	limits   *limits
	tries    *tries
	lvstores *lvstores
	made     *made
	telling  *sync.Mutex // held while somebody is told; passes may overlap

	mu       sync.Mutex
	tokens   map[lineage.UUID]lineage.UUID // what the lvols made in this pass are called
	steps    int
	failed   []Failure
	sections map[string]*running
}

// running is a section that is being carried out.
type running struct {
	nodes   []lineage.Node // that copy
	settled chan struct{}  // closed when it has ended, or has begun to copy
	ended   chan struct{}
	copying bool
	slot    bool // it has a place among the risky
	err     error
}

func newPass(number int, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt Options) *pass {
	return &pass{
		number: number, cfg: cfg, targets: targets, opt: opt,
		risky:    make(chan struct{}, max(1, opt.Parallelism)),
		wake:     make(chan struct{}, 1),
		telling:  &sync.Mutex{},
		limits:   newLimits(),
		tries:    newTries(),
		lvstores: newLvstores(),
		made:     newMade(cfg.Lvstores),
		tokens:   map[lineage.UUID]lineage.UUID{},
		sections: map[string]*running{},
	}
}

// errSkipped ends a section whose predecessor failed; it is no failure itself.
var errSkipped = errors.New("skipped: what it builds on failed")

// run carries the pass out. It returns when every section has ended or copies.
func (x *pass) run(ctx context.Context, p plan.Pass) {
	for i := range p.Sections {
		x.sections[p.Sections[i].Key()] = &running{settled: make(chan struct{}), ended: make(chan struct{})}
	}
	for i := range p.Sections {
		s := &p.Sections[i]
		go func() {
			err := x.upstream(s)
			if err == nil {
				err = x.section(ctx, s)
			}
			x.end(s.Key(), err)
		}()
	}
	for i := range p.Sections {
		<-x.sections[p.Sections[i].Key()].settled
	}
}

func (x *pass) end(key string, err error) {
	x.mu.Lock()
	r := x.sections[key]
	r.err = err
	if !r.copying {
		close(r.settled)
	}
	x.mu.Unlock()
	close(r.ended)
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// park lets the pass end while a section copies. Its place among the risky is
// free: how many copies there are at a time is in the configuration.
func (x *pass) park(key string, op plan.Op) {
	var nodes []lineage.Node
	switch op := op.(type) {
	case plan.ShallowCopy:
		nodes = []lineage.Node{op.Node, op.Dest}
	case plan.LvolDecouple:
		nodes = []lineage.Node{op.Node}
	default:
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.sections[key]
	if r == nil || r.copying {
		return
	}
	r.copying, r.nodes = true, nodes
	x.leave(r)
	close(r.settled)
}

// leave gives a section's place among the risky back. The lock is held.
func (x *pass) leave(r *running) {
	if r.slot {
		r.slot = false
		<-x.risky
	}
}

// upstream waits for the sections that s builds on.
func (x *pass) upstream(s *plan.Section) error {
	for _, key := range s.After {
		r := x.sections[key]
		<-r.ended
		if r.err != nil {
			return errSkipped
		}
	}
	return nil
}

// section carries out the stages of a section in order.
func (x *pass) section(ctx context.Context, s *plan.Section) error {
	if risky(s) {
		x.risky <- struct{}{}
		x.mu.Lock()
		x.sections[s.Key()].slot = true
		x.mu.Unlock()
		defer func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.leave(x.sections[s.Key()])
		}()
	}
	if risky(s) {
		x.opt.Lock.verify(ctx, s)
	}
	held := newHeld()
	defer held.release(x)
	for _, stage := range s.Stages {
		if !held.any() && (stopped(x.opt.Stop) || ctx.Err() != nil) {
			return errSkipped
		}
		if err := x.stage(held.context(ctx), s.Key(), stage, held); err != nil {
			return err
		}
	}
	return nil
}

func risky(s *plan.Section) bool {
	for _, stage := range s.Stages {
		for _, step := range stage {
			if step.Risk != plan.RiskCreate {
				return true
			}
		}
	}
	return false
}

// stage carries out independent steps together and returns the first error.
func (x *pass) stage(ctx context.Context, key string, steps []plan.Step, held *held) error {
	if len(steps) == 1 {
		return x.step(ctx, key, steps[0], held)
	}
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, step := range steps {
		wg.Go(func() { errs[i] = x.step(ctx, key, step, held) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *pass) step(ctx context.Context, key string, step plan.Step, held *held) error {
	x.starting(key, step)
	err := x.opt.Lock.allows(step.Op)
	if err == nil {
		err = x.begin(key, step, held)
	}
	start := time.Now()
	if err == nil {
		x.park(key, step.Op)
		err = left(step.Op, x.do(ctx, step.Op))
	}
	took := time.Since(start)
	if err == nil {
		x.ended(held.after(step))
		x.tries.done(key, step.Op)
		x.made.done(key, step, x.resolve)
	}
	x.mu.Lock()
	if err == nil {
		x.steps++
	} else {
		x.failed = append(x.failed, Failure{Section: key, Step: step, Err: err})
	}
	x.mu.Unlock()
	x.observe(Event{Pass: x.number, Section: key, Step: step, Start: start, Took: took, Err: err})
	return err
}

// starting tells that a step is about to begin.
func (x *pass) starting(key string, step plan.Step) {
	if x.opt.Starting != nil {
		x.telling.Lock()
		defer x.telling.Unlock()
		x.opt.Starting(Event{Pass: x.number, Section: key, Step: step, Start: time.Now()})
	}
}

// observe tells what became of a step.
func (x *pass) observe(e Event) {
	if x.opt.Observe != nil {
		x.telling.Lock()
		defer x.telling.Unlock()
		x.opt.Observe(e)
	}
}

// begin prepares for an op: a pause is announced before it begins, for it may
// take effect although its reply is lost.
func (x *pass) begin(key string, step plan.Step, held *held) error {
	switch op := step.Op.(type) {
	case plan.Pause:
		if err := x.opt.Guard.hold(key, op); err != nil {
			return err
		}
		held.before(op)
	case plan.ListenerRemove:
		if step.Risk == plan.RiskPause {
			return x.opt.Guard.hold(key, plan.Pause{At: op.At, NQN: op.NQN, Address: op.Address, Port: op.Port})
		}
	}
	return nil
}

// ended tells the guard of an export that hosts use again.
func (x *pass) ended(nqn lineage.NQN) {
	if nqn != "" {
		x.opt.Guard.resumed(nqn)
	}
}

// bind remembers the UUID of an lvol that was made.
func (x *pass) bind(token, uuid lineage.UUID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tokens[token] = uuid
}

// resolve gives the real name of a bdev that a plan may know by token.
func (x *pass) resolve(bdev string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if u, ok := x.tokens[lineage.UUID(bdev)]; ok {
		return string(u)
	}
	return bdev
}

// held follows which exports a section holds.
type held struct {
	mu     sync.Mutex
	paused map[lineage.NQN]plan.Pause // ANA state inaccessible
	hidden map[lineage.NQN]bool       // listener taken away
	until  time.Time                  // when the pause has lasted too long
}

func newHeld() *held {
	return &held{paused: map[lineage.NQN]plan.Pause{}, hidden: map[lineage.NQN]bool{}}
}

// any reports whether hosts wait for the section to go on.
func (h *held) any() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.paused)+len(h.hidden) > 0
}

// context bounds what is done under a pause. Once the listener is away, going
// on is the shortest way back. The end of the run breaks off neither.
func (h *held) context(ctx context.Context) context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.paused)+len(h.hidden) == 0 {
		return ctx
	}
	ctx = context.WithoutCancel(ctx)
	if len(h.hidden) > 0 {
		return ctx
	}
	ctx, cancel := context.WithDeadline(ctx, h.until)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// before notes a pause that is about to begin.
func (h *held) before(p plan.Pause) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused[p.NQN] = p
	h.until = time.Now().Add(time.Duration(p.LimitMs) * time.Millisecond)
}

// after notes what a step has changed, and returns the export that hosts can
// use again since.
func (h *held) after(step plan.Step) (free lineage.NQN) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch op := step.Op.(type) {
	case plan.Resume:
		delete(h.paused, op.NQN)
	case plan.ListenerRemove:
		delete(h.paused, op.NQN)
		if step.Risk == plan.RiskPause {
			h.hidden[op.NQN] = true
		}
	case plan.ListenerAdd: // on whichever node: the volume may move
		delete(h.hidden, op.NQN)
	}
	return letsGo(step.Op)
}

// letsGo is the export whose hosts go on with an op; "" for none.
func letsGo(op plan.Op) lineage.NQN {
	switch op := op.(type) {
	case plan.Resume:
		return op.NQN
	case plan.ListenerAdd:
		return op.NQN
	}
	return ""
}

// release resumes what is still paused, whatever happened. An export without
// listener is made whole by the next pass, or by the guard when the run ends.
func (h *held) release(x *pass) {
	h.mu.Lock()
	paused := maps.Clone(h.paused)
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range paused {
		wg.Go(func() { x.resume(p) })
	}
	wg.Wait()
}

const resumeTimeout = 10 * time.Second

func (x *pass) resume(p plan.Pause) (done bool) {
	ctx, cancel := context.WithTimeout(context.Background(), resumeTimeout)
	defer cancel()
	step := plan.Step{
		Op:   plan.Resume{At: p.At, NQN: p.NQN, Address: p.Address, Port: p.Port},
		Risk: plan.RiskCreate, Reason: "the section was given up", Held: true, Copies: -1,
	}
	x.starting("", step)
	start := time.Now()
	err := x.do(ctx, step.Op)
	if err == nil {
		x.opt.Guard.resumed(p.NQN)
	}
	x.observe(Event{Pass: x.number, Step: step, Start: start, Took: time.Since(start), Err: err})
	return err == nil
}
