package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// Call is one request as a target took it up.
type Call struct {
	Node   string
	Method string
	Params json.RawMessage
	// Seq counts the calls of that target from 1.
	Seq int
	// Writes is false for methods that only read.
	Writes bool
}

// Fault is what should go wrong with a call. The zero value is nothing.
type Fault struct {
	// Delay holds the call back before it takes effect.
	Delay time.Duration
	// Err is answered instead of doing anything.
	Err *Error
	// LoseBefore drops the call: no effect, no answer.
	LoseBefore bool
	// LoseAfter drops the answer: the call has its effect.
	LoseAfter bool
	// Late holds the answer back: the call has its effect at once.
	Late time.Duration
	// Cut closes the connection once the call was handled or lost.
	Cut bool
	// KillCaller kills the process that made the call once it was handled,
	// before any answer.
	KillCaller bool
	// Hang makes the target hang for so long as it takes up the call, as
	// Freeze does: the call has its effect afterwards.
	Hang time.Duration
	// Kill stops the target once the call was handled or lost, before any answer.
	Kill bool
}

// Hook sees every call and says what goes wrong with it. It runs under the
// cluster's lock and must not call into the package.
type Hook func(Call) Fault

// Inject sets the hook of all targets; nil removes it.
func (c *Cluster) Inject(h Hook) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = h
}

// Calls is what a target was asked for.
type Calls struct {
	// ByMethod counts calls, refused ones included.
	ByMethod map[string]int
	// Reads and Writes are their sums.
	Reads, Writes int
	// Recent holds the last 4,096 calls, oldest first.
	Recent []Call
}

const recentCalls = 4096

type callLog struct {
	mu  sync.Mutex
	seq int
	all Calls
}

func newCallLog() *callLog { return &callLog{all: Calls{ByMethod: map[string]int{}}} }

func (l *callLog) add(c Call) Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	c.Seq = l.seq
	l.all.ByMethod[c.Method]++
	if c.Writes {
		l.all.Writes++
	} else {
		l.all.Reads++
	}
	if len(l.all.Recent) == 2*recentCalls {
		l.all.Recent = append(l.all.Recent[:0], l.all.Recent[recentCalls:]...)
	}
	l.all.Recent = append(l.all.Recent, c)
	return c
}

// Calls returns what was asked since the start or the last ResetCalls,
// restarts included.
func (t *Target) Calls() Calls {
	l := t.calls
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.all
	r.ByMethod = maps.Clone(r.ByMethod)
	r.Recent = slices.Clone(r.Recent[max(0, len(r.Recent)-recentCalls):])
	return r
}

// ResetCalls forgets the calls so far.
func (t *Target) ResetCalls() {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	t.calls.all = Calls{ByMethod: map[string]int{}}
}
