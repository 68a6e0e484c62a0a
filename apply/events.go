package apply

import (
	"sync"
	"time"
)

// events tells those who listen what happens, one thing at a time: sections run
// side by side, and passes overlap.
type events struct {
	mu       sync.Mutex
	starting func(Event)
	observe  func(Event)
	progress func(Copy)
}

func newEvents(opt Options) *events {
	return &events{starting: opt.Starting, observe: opt.Observe, progress: opt.Progress}
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

// copying tells how far a copy is.
func (e *events) copying(c Copy) {
	if e.progress != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.progress(c)
	}
}
