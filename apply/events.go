package apply

import (
	"sync"
	"time"

	"strata/lineage"
)

// events tells those who listen what happens, one thing at a time: sections run
// side by side, and passes overlap.
type events struct {
	mu       sync.Mutex
	starting func(Event)
	observe  func(Event)
	progress func(Copy)
	waits    func(Delay)
}

// Delay is that a step waits, for how long, and for what.
type Delay struct {
	Node lineage.Node
	For  time.Duration
	Why  string
}

func newEvents(opt Options) *events {
	return &events{starting: opt.Starting, observe: opt.Observe, progress: opt.Progress, waits: opt.Delayed}
}

// begins tells that a step is about to begin.
func (e *events) begins(ev Event) {
	if e.starting != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		ev.Start = time.Now()
		e.starting(ev)
	}
}

// ended tells what became of a step.
func (e *events) ended(ev Event) {
	if e.observe != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.observe(ev)
	}
}

// delayed tells that a step waits, if that is noticed.
func (e *events) delayed(d Delay) {
	if e != nil && e.waits != nil && d.For > time.Second {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.waits(d)
	}
}

// copying tells how far a copy is.
func (e *events) copying(c Copy) {
	if e.progress != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.progress(c)
	}
}
