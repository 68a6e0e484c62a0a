package apply

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
)

// holds are the exports whose hosts a section makes wait.
type holds struct {
	mu     sync.Mutex
	paused map[lineage.NQN]plan.Pause // ANA state inaccessible
	hidden map[lineage.NQN]bool       // listener taken away
	until  time.Time                  // when the pause has lasted too long
}

func newHolds() *holds {
	return &holds{paused: map[lineage.NQN]plan.Pause{}, hidden: map[lineage.NQN]bool{}}
}

// inherit takes over the exports that a section before has left without a listener: what
// follows is one hold with it.
func (h *holds) inherit(before *holds) {
	if before == nil {
		return
	}
	before.mu.Lock()
	hidden := maps.Clone(before.hidden)
	before.mu.Unlock()
	h.mu.Lock()
	maps.Copy(h.hidden, hidden)
	h.mu.Unlock()
}

// any reports whether hosts wait for the section to go on.
func (h *holds) any() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.paused)+len(h.hidden) > 0
}

// context bounds what is done under a pause. Once the listener is away, going
// on is the shortest way back. The end of the run breaks off neither.
func (h *holds) context(ctx context.Context) context.Context {
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
func (h *holds) before(p plan.Pause) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused[p.NQN] = p
	h.until = time.Now().Add(time.Duration(p.LimitMs) * time.Millisecond)
}

// after notes what a step has changed that these stages follow, and returns the export
// whose hosts go on since; "" for none. They all do once it listens at all addresses: some
// may know one only.
func (h *holds) after(step plan.Step, later [][]plan.Step) lineage.NQN {
	h.mu.Lock()
	defer h.mu.Unlock()
	hosts := step.Op.Facts().Hosts
	switch hosts.Effect {
	case plan.IOGoesOn: // on whichever node
		delete(h.paused, hosts.NQN)
		if goesOn(hosts.NQN, later) {
			return ""
		}
		delete(h.hidden, hosts.NQN)
	case plan.PathTaken:
		h.taken(hosts.NQN, step.Op)
		if step.Begins() != "" {
			h.hidden[hosts.NQN] = true
		}
	case plan.PathGiven:
		if goesOn(hosts.NQN, later) {
			return ""
		}
		delete(h.hidden, hosts.NQN)
	}
	return hosts.Ends()
}

// goesOn reports whether more is done in these stages for an export's hosts to go on, before
// they are held again.
func goesOn(nqn lineage.NQN, stages [][]plan.Step) bool {
	for _, stage := range stages {
		for i := range stage {
			switch hosts := stage[i].Op.Facts().Hosts; {
			case hosts.NQN != nqn:
			case stage[i].Begins() != "":
				return false
			case hosts.Ends() != "":
				return true
			}
		}
	}
	return false
}

// taken leaves of a pause what is paused at other listeners than the one that was taken
// away: hosts that come by those are still to be let go on.
func (h *holds) taken(nqn lineage.NQN, op plan.Op) {
	p, paused := h.paused[nqn]
	gone, ok := op.(plan.ListenerRemove)
	if !paused || ok && gone.Node != p.Node {
		return
	}
	if ok {
		p.Portals = slices.DeleteFunc(slices.Clone(p.Portals), func(at lineage.Portal) bool { return at == gone.Portal() })
	}
	if h.paused[nqn] = p; !ok || len(p.Portals) == 0 {
		delete(h.paused, nqn)
	}
}

// end resumes what is still paused, whatever happened. An export without
// listener is made whole by the next pass, or by the guard when the run ends.
func (h *holds) end(resume func(plan.Pause)) {
	h.mu.Lock()
	paused := maps.Clone(h.paused)
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range paused {
		wg.Go(func() { resume(p) })
	}
	wg.Wait()
}

const resumeTimeout = 10 * time.Second

// resume ends a pause, though the run ends.
func (c *caller) resume(p plan.Pause) error {
	ctx, cancel := context.WithTimeout(context.Background(), resumeTimeout)
	defer cancel()
	return c.do(ctx, resumption(p))
}

// resumption is what ends a pause.
func resumption(p plan.Pause) plan.Resume {
	return plan.Resume{At: p.At, NQN: p.NQN, Portals: p.Portals}
}

// resume ends a pause of a section that has ended.
func (x *pass) resume(p plan.Pause) {
	step := plan.Step{
		Op:   resumption(p),
		Risk: plan.RiskCreate, Reason: "the section was given up", HostsWait: true, Copies: -1,
	}
	x.events.begins(Event{Pass: x.number, Step: step})
	start := time.Now()
	err := x.caller.resume(p)
	var resumed lineage.NQN
	if err == nil {
		resumed = p.NQN
		x.guard.resumed(resumed)
	}
	x.events.ended(Event{Pass: x.number, Step: step, Resumed: resumed, Start: start, Took: time.Since(start), Err: err})
}
