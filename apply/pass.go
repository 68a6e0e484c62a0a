package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
)

// pass carries out one pass of a plan: sections side by side as far as they do
// not wait for one another, the stages of each in order.
type pass struct {
	*shared
	number int
	caller *caller

	mu       sync.Mutex
	steps    int // done, and failed, since they were last settled
	failed   []Failure
	sections map[plan.Key]*running
}

// running is a section that is being carried out.
type running struct {
	yielded chan struct{} // closed when the pass need not wait for it: it has ended, or copies
	ended   chan struct{}
	copying bool
	nodes   []lineage.Node // that copy
	slot    bool           // it counts among the risky
	held    *holds         // nil until it begins
	err     error
}

// errSkipped ends a section whose predecessor failed; it is no failure itself.
var errSkipped = errors.New("skipped: what it builds on failed")

// run carries the pass out. It returns when every section has ended or copies.
func (x *pass) run(ctx context.Context, p plan.Pass) {
	for i := range p.Sections {
		x.sections[p.Sections[i].Key()] = &running{yielded: make(chan struct{}), ended: make(chan struct{})}
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
		<-x.sections[p.Sections[i].Key()].yielded
	}
}

func (x *pass) end(key plan.Key, err error) {
	x.mu.Lock()
	r := x.sections[key]
	r.err = err
	if !r.copying {
		close(r.yielded)
	}
	close(r.ended)
	x.mu.Unlock()
	x.wakeUp()
}

// yield lets the pass end while a section copies, or an archive is pruned, which counts among the risky no
// longer: how many copies there are at a time is in the configuration.
func (x *pass) yield(key plan.Key, op plan.Op) {
	nodes := op.Facts().Copy.Nodes
	if _, prunes := op.(plan.ArchivePrune); len(nodes) == 0 && !prunes {
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
	close(r.yielded)
}

// leave has another section be risky in the place of one. x.mu is held.
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
		x.lock.Verify(ctx, nodesOf(s))
		if x.may != nil {
			if err := x.may(ctx); err != nil {
				return err
			}
		}
	}
	held := x.holds(s)
	defer held.end(x.resume)
	for i, stage := range s.Stages {
		if !held.any() && (stopped(x.stop) || ctx.Err() != nil) {
			return errSkipped
		}
		if err := x.stage(held.context(ctx), s.Key(), stage, s.Stages[i+1:], held); err != nil {
			return err
		}
	}
	return nil
}

// holds are those of a section: at first what the sections that it builds on have left. Parts
// of a volume that is laid out are taken down one after the other, and hosts go on when all
// are there again.
func (x *pass) holds(s *plan.Section) *holds {
	held := newHolds()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, key := range s.After {
		held.inherit(x.sections[key].held)
	}
	x.sections[s.Key()].held = held
	return held
}

// nodesOf are those that a section changes.
func nodesOf(s *plan.Section) map[lineage.Node]bool {
	nodes := map[lineage.Node]bool{}
	for step := range s.Steps() {
		if _, off := step.Op.(plan.NodeOff); !off && !plan.InArchive(step.Op) { // it does not answer
			nodes[step.Op.On()] = true
		}
	}
	return nodes
}

// allows says why an op must not be carried out. To let hosts go on is never
// forbidden.
func (x *pass) allows(op plan.Op) error {
	switch op.(type) {
	case plan.Resume:
		return nil
	case plan.NodeOff:
		return x.lock.AllowsWithout(op.On())
	case plan.RecordForget, plan.ArchivePrune:
		return x.lock.AllowsWithout("")
	default: // the node answers, and is locked
	}
	return x.lock.Allows(op.On())
}

func risky(s *plan.Section) bool {
	for step := range s.Steps() {
		if step.Risk != plan.RiskCreate {
			return true
		}
	}
	return false
}

// stage carries out independent steps together, which others follow, and returns the first error.
func (x *pass) stage(ctx context.Context, key plan.Key, steps []plan.Step, later [][]plan.Step, held *holds) error {
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i := range steps[1:] {
		wg.Go(func() { errs[i+1] = x.step(ctx, key, steps[i+1], later, held) })
	}
	errs[0] = x.step(ctx, key, steps[0], later, held)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *pass) step(ctx context.Context, key plan.Key, step plan.Step, later [][]plan.Step, held *holds) error {
	x.events.begins(Event{Pass: x.number, Section: key, Step: step})
	err := x.allows(step.Op)
	if err == nil {
		err = x.begin(key, step, held)
	}
	start := time.Now()
	if err == nil {
		x.yield(key, step.Op)
		err = left(step.Op, x.caller.do(ctx, step.Op))
	}
	took := time.Since(start)
	if op, is := step.Op.(plan.HostExchange); is && err == nil {
		err = x.guard.shuts(op, true)
	}
	var resumed lineage.NQN
	if err == nil {
		resumed = held.after(step, later)
		x.guard.resumed(resumed)
		x.attempts.done(key, step.Op)
		x.made.done(key, step, x.caller.resolve)
	}
	x.mu.Lock()
	if err == nil {
		x.steps++
	} else {
		x.failed = append(x.failed, Failure{Section: key, Step: step, Err: err})
	}
	x.mu.Unlock()
	x.events.ended(Event{Pass: x.number, Section: key, Step: step, Resumed: resumed, Start: start, Took: took, Err: err})
	return err
}

// begin prepares for an op: a pause is announced before it begins, for it may
// take effect although its reply is lost.
func (x *pass) begin(key plan.Key, step plan.Step, held *holds) error {
	if op, is := step.Op.(plan.HostExchange); is {
		return x.guard.shuts(op, false)
	}
	if step.Begins() == "" {
		return nil
	}
	switch op := step.Op.(type) {
	case plan.Pause:
		if err := x.guard.hold(key, op); err != nil {
			return err
		}
		held.before(op)
		return nil
	case plan.ListenerRemove:
		return x.guard.hold(key, plan.Pause{At: op.At, NQN: op.NQN, Portals: []lineage.Portal{op.Portal()}})
	default:
		return fmt.Errorf("hosts wait from %T on, and it is not known how they are let go", op)
	}
}

// settle returns what has become of the steps since it was last called, and the
// nodes of the sections that copy.
func (x *pass) settle() (steps int, failed []Failure, copying map[plan.Key][]lineage.Node) {
	x.mu.Lock()
	defer x.mu.Unlock()
	steps, failed, copying = x.steps, x.failed, map[plan.Key][]lineage.Node{}
	x.steps, x.failed = 0, nil
	for key, s := range x.sections {
		select {
		case <-s.ended:
		default:
			copying[key] = s.nodes
		}
	}
	return steps, failed, copying
}

// wait returns when all sections have ended.
func (x *pass) wait() {
	for _, s := range x.sections {
		<-s.ended
	}
}
