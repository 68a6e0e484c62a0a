package apply

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/schema"
)

// A Guard is a process of its own that is told of the lock, and of every pause
// before it begins and when it has ended. When this process dies, the pipe
// between the two breaks, and the guard ends what was left open: hosts do not
// wait until somebody comes back, and the next apply finds no lock. A run that
// ends while hosts wait, because it was stopped or could not go on, leaves them
// to it as well. It is started when nodes are locked, or by the first pause.
type Guard struct {
	// Start starts the guard, which calls ServeGuard with the other ends of what is
	// returned: what is written there and what comes back. Closing it ends its
	// input and waits for it to end. See GuardProcess.
	Start func() (GuardConn, error)
	// Config and Plan are what it needs to make an export whole again.
	Config *schema.Config
	Plan   plan.Options

	mu    sync.Mutex
	to    GuardConn // nil until it is started
	out   *bufio.Reader
	knows bool                     // it was told of the volumes
	held  map[lineage.NQN]plan.Key // section that holds each export
}

// GuardConn is what a running guard is told by.
type GuardConn interface {
	io.ReadWriteCloser
	PID() int
}

// guardMessage is a line to the guard. It answers each with an empty line.
type guardMessage struct {
	Config  *schema.Config     `json:",omitempty"` // the first; without volumes until one is held
	Plan    *plan.Options      `json:",omitempty"`
	Hold    *plan.Pause        `json:",omitempty"` // this is about to be paused
	Volume  plan.Key           `json:",omitzero"`  // section that holds
	Resumed lineage.NQN        `json:",omitempty"` // this is in use again
	Out     *plan.HostExchange `json:",omitempty"` // this host is about to be shut out for a moment
	In      *plan.HostExchange `json:",omitempty"` // it is let in again
	Lock    lineage.UUID       `json:",omitempty"` // holder of the locks from here on
	Note    *lineage.LockNote  `json:",omitempty"` // what it writes
	Done    bool               `json:",omitempty"` // the end, in order: the locks are free
}

// hold tells the guard that an export is about to be held, and waits until it
// knows. Hosts of a suspended node are to wait, whatever becomes of this process.
func (g *Guard) hold(section plan.Key, p plan.Pause) error {
	if g == nil || g.Config.Suspended(p.Node) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.start(); err != nil {
		return err
	}
	if !g.knows {
		if err := g.tell(guardMessage{Config: g.Config, Plan: &g.Plan}); err != nil {
			return err
		}
		g.knows = true
	}
	g.held[p.NQN] = section
	return g.tell(guardMessage{Hold: &p, Volume: section})
}

// Holding are the sections whose hosts are held, sorted.
func (g *Guard) Holding() []plan.Key {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Compact(slices.SortedFunc(maps.Values(g.held), plan.Key.Compare))
}

// locking tells the guard that a lock is about to be taken. The holder's note
// names both.
func (g *Guard) locking(l *lock.Lock) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.start(); err != nil || l.Note.Guard == g.to.PID() {
		return err
	}
	l.Note.Guard = g.to.PID()
	return g.tell(guardMessage{Lock: l.Holder, Note: &l.Note})
}

// resumed tells the guard that hosts use an export again that was held.
func (g *Guard) resumed(nqn lineage.NQN) {
	if g == nil || nqn == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, held := g.held[nqn]; held && g.to != nil {
		delete(g.held, nqn)
		g.tell(guardMessage{Resumed: nqn})
	}
}

// Close ends the guard, once it has let the hosts go on that are held. The nodes
// are no longer locked.
func (g *Guard) Close() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.to == nil {
		return nil
	}
	err := g.tell(guardMessage{Done: true})
	if cerr := g.to.Close(); err == nil {
		err = cerr
	}
	g.to = nil
	return err
}

// start starts the guard unless it runs.
func (g *Guard) start() (err error) {
	if g.to != nil {
		return nil
	}
	if g.to, err = g.Start(); err != nil {
		g.to = nil
		return fmt.Errorf("starting the guard that ends pauses should strata die: %w", err)
	}
	g.out, g.knows, g.held = bufio.NewReader(g.to), false, map[lineage.NQN]plan.Key{}
	nodes := *g.Config
	nodes.Volumes = nil
	return g.tell(guardMessage{Config: &nodes, Plan: &g.Plan})
}

func (g *Guard) tell(m guardMessage) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := g.to.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the guard is gone: %w", err)
	}
	if _, err := g.out.ReadString('\n'); err != nil {
		return fmt.Errorf("the guard is gone: %w", err)
	}
	return nil
}
