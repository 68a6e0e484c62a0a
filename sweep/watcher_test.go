package sweep

import (
	"fmt"
	"sync"
	"time"

	"strata/apply"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/state"
	"strata/state/worldtest"
	"strata/watch"
)

const (
	// startsAgain is how soon a watch that ended is started again.
	startsAgain = time.Second
	// quiet is how long nothing must be begun for a watch to be at rest: by then pulses,
	// each of which is waited for for 5 s, have found what has happened.
	quiet = 8 * time.Second
	// restMost is how long a watch may take to come to rest: a section that failed may
	// wait for minutes.
	restMost = 20 * time.Minute
)

// watcher is a process that keeps what is configured until it is ended. It can die.
type watcher struct {
	*applier
	guarded bool
	hangup  chan struct{}
	done    chan struct{}
	err     error // when done

	mu       sync.Mutex
	runs     bool
	last     watch.Ended
	since    time.Time         // the last run ended
	troubles map[plan.Key]bool // sections that are left alone for a while
	left     bool              // a plan waits for a person
}

// watcher starts one.
func (w *world) watcher(guarded bool) *watcher {
	v := &watcher{applier: w.process(), guarded: guarded, hangup: make(chan struct{}, 1), done: make(chan struct{}), troubles: map[plan.Key]bool{}}
	v.lock.Note.Watch = true
	w.mu.Lock()
	w.who, w.hangup = v.applier, v.hangup
	w.mu.Unlock()
	go func() {
		defer close(v.done)
		defer v.close()
		v.err = watch.Run(v.ctx, watch.Options{
			Load:    func() (*schema.Config, *schema.Sources, error) { return w.inForce(), nil, nil },
			Connect: func(n *schema.Node) (*spdk.Client, error) { return w.client(n, v.keep) },
			Prepare: v.prepare,
			Every:   time.Minute, Stop: v.stop, Hangup: v.hangup, Polls: true,
			Observe: v.observe,
		})
	}()
	return v
}

// prepare has everything done without a person that can be.
func (v *watcher) prepare(cfg *schema.Config) (apply.Options, error) {
	all := schema.AllDuties
	v.w.runs++
	o := v.options(plan.Options{Auto: cfg.Autos(&all), Nonce: []byte{255, byte(v.w.runs >> 8), byte(v.w.runs)}})
	if v.guarded {
		o.Guard = &apply.Guard{Start: v.startGuard}
	}
	return o, nil
}

func (v *watcher) observe(e watch.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := e.(type) {
	case watch.Began:
		v.runs = true
		v.w.logf("looking: %v", e.Why)
	case watch.Ended:
		v.runs, v.last, v.since = false, e, time.Now()
		v.w.logf("the run ended: %v %s", e.Err, outcome(e.Result))
	case watch.Stepped:
		v.w.event(e.Event)
	case watch.BackedOff:
		v.troubles[e.Failure.Section] = true
		v.w.logf("%s failed for the %d. time: %v", e.Failure.Section, e.Times, e.Failure.Err)
	case watch.Waiting:
		v.left = !e.Plan.Empty()
	case watch.Recovered:
		delete(v.troubles, e.Section)
	case watch.Halted:
		v.troubles[e.Failure.Section] = true
		v.w.logf("%s leads nowhere", e.Failure.Section)
	case watch.Silent, watch.Back, watch.Changed, watch.HeldDown, watch.Released:
		v.w.logf("%T %+v", e, e)
	}
}

func outcome(r *apply.Result) string {
	if r == nil || r.Plan == nil {
		return ""
	}
	return fmt.Sprintf("with %d steps, %d failures, blocked: %v", r.Steps, len(r.Failures), r.Plan.Blocked)
}

// rests reports whether there is nothing to do, and was not for a while.
func (v *watcher) rests() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.last.Result
	return !v.runs && len(v.troubles) == 0 && v.last.Err == nil && r != nil && !r.Stopped && len(r.Failures) == 0 && known(r.Snapshot) && linked(r.Snapshot) && time.Since(v.since) >= quiet
}

// linked reports whether no node waits for another: what becomes of a link that has lost
// its peer takes longer than it is quiet.
func linked(s *state.Snapshot) bool {
	for _, n := range s.Nodes {
		for _, c := range n.Controllers {
			if c.State != "enabled" {
				return false
			}
		}
	}
	return true
}

// end ends it as SIGTERM does.
func (v *watcher) end() error {
	v.interrupt()
	<-v.done
	return v.err
}

// watched keeps what is configured with a watch while the scenario's events happen and
// something goes wrong, until it is at rest. A watch that ends or dies is started again.
// Then nothing is left for an apply but what waits for a person.
func (w *world) watched(s step) (*apply.Result, error) {
	var reached map[string]bool
	if w.trouble != nil && w.trouble.stops && !w.sc.kills() {
		reached = w.reached()
	}
	w.edit(s.cfg)
	w.inject(true)
	v := w.watcher(w.trouble == nil || !w.trouble.alone)
	happened := make(chan error, 1)
	go func() { happened <- w.happen() }()
	for left, late := true, time.Now().Add(restMost); left || !w.came() || !v.rests(); {
		select {
		case err := <-happened:
			if left = false; err != nil {
				return nil, err
			}
		case <-v.done:
			if w.logf("the watch ended: %v", v.err); w.trouble == nil {
				return nil, fmt.Errorf("the watch ended: %w", v.err)
			}
			if v.guard != nil {
				<-v.guard
			}
			if err := w.reach(reached); err != nil {
				return nil, err
			}
			time.Sleep(startsAgain)
			v, reached = w.watcher(true), nil
		case <-time.After(time.Second):
			if time.Now().After(late) {
				v.end()
				w.logf("what is there:\n%s", worldtest.Write(v.last.Result.Snapshot))
				return nil, fmt.Errorf("the watch does not come to rest: its last run ended with %v, %s, and %v are left alone", v.last.Err, outcome(v.last.Result), v.troubles)
			}
		}
	}
	w.inject(false) // the watch is what is tried
	if err := v.end(); err != nil {
		return nil, fmt.Errorf("the watch ended: %w", err)
	}
	r, err := w.apply(step{verb: "apply", args: s.args[:1], cfg: w.sc.final(), now: s.now}, true)
	if err == nil && r.Steps+len(r.Failures) > 0 && !v.left {
		err = fmt.Errorf("the watch is at rest, and there is something to do: %d steps, failures %v", r.Steps, r.Failures)
	}
	return r, err
}

// came reports whether the trouble has come and is over, so that pulses have found what
// became of it, or will not come any more.
func (w *world) came() bool {
	if w.trouble == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hit && time.Since(w.until) > quiet || !w.hit && time.Since(w.start) > w.at.at+time.Minute
}

// happen has happen what does while a watch runs.
func (w *world) happen() error {
	for _, s := range w.sc.after {
		if s.happens() {
			w.logf("%s %v", s.verb, s.args)
			if err := w.do(s); err != nil {
				return fmt.Errorf("%s %v: %w", s.verb, s.args, err)
			}
		}
	}
	return nil
}

// edit has watches keep another configuration from here on.
func (w *world) edit(cfg *schema.Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cfg = cfg
	select {
	case w.hangup <- struct{}{}:
	default: // it is told so already, or there is none
	}
}

func (w *world) inForce() *schema.Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cfg
}
