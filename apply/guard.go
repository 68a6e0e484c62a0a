package apply

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// A Guard is a process of its own that is told of the lock, and of every pause
// before it begins and when it has ended. When this process dies, the pipe
// between the two breaks, and the guard ends what was left open: hosts do not
// wait until somebody comes back, and the next apply finds no lock. It is
// started when nodes are locked, or by the first pause.
type Guard struct {
	// Start starts the guard, which calls Stand with the other ends of what is
	// returned: what is written there and what comes back. Closing it ends its
	// input and waits for it to end. See GuardProcess.
	Start func() (GuardConn, error)
	// Config and Plan are what it needs to make an export whole again.
	Config *schema.Config
	Plan   plan.Options

	mu    sync.Mutex
	to    GuardConn // nil until it is started
	out   *bufio.Reader
	knows bool // it was told of the volumes
}

// GuardConn is what a running guard is told by.
type GuardConn interface {
	io.ReadWriteCloser
	PID() int
}

// guardMessage is a line to the guard. It answers each with an empty line.
type guardMessage struct {
	Config *schema.Config `json:",omitempty"` // the first; without volumes until one is held
	Plan   *plan.Options  `json:",omitempty"`
	Hold   *plan.Pause    `json:",omitempty"` // this is about to be paused
	Volume string         `json:",omitempty"` // key of the section that holds
	Free   lineage.NQN    `json:",omitempty"` // this is in use again
	Lock   lineage.UUID   `json:",omitempty"` // holder of the locks from here on
	Done   bool           `json:",omitempty"` // the end, in order
}

// hold tells the guard that an export is about to be held, and waits until it
// knows.
func (g *Guard) hold(section string, p plan.Pause) error {
	if g == nil {
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
	return g.tell(guardMessage{Hold: &p, Volume: section})
}

// stand starts the guard of a lock that is about to be taken. The holder's note
// names both.
func (g *Guard) stand(l *Lock) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.start(); err != nil || l.Note.Guard == g.to.PID() {
		return err
	}
	l.Note.Guard = g.to.PID()
	return g.tell(guardMessage{Lock: l.Holder})
}

// free tells the guard that hosts use an export again.
func (g *Guard) free(nqn lineage.NQN) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.to != nil {
		g.tell(guardMessage{Free: nqn})
	}
}

// Close ends the guard; nothing may be held any more.
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

// start starts the guard unless it stands.
func (g *Guard) start() (err error) {
	if g.to != nil {
		return nil
	}
	if g.to, err = g.Start(); err != nil {
		g.to = nil
		return fmt.Errorf("starting the guard that ends pauses should strata die: %w", err)
	}
	g.out, g.knows = bufio.NewReader(g.to), false
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

// Stand is the guard's life: it takes note of what is held and locked until in
// ends, and then, if that was not in order, resumes what is paused, carries out
// what the volumes need to be served again, and frees the lock.
func Stand(ctx context.Context, in io.Reader, out io.Writer, connect func(*schema.Config) (map[lineage.Node]*spdk.Client, error)) error {
	held := map[lineage.NQN]guardMessage{}
	var cfg *schema.Config
	var opt plan.Options
	var targets map[lineage.Node]*spdk.Client
	var lock *Lock
	dec := json.NewDecoder(in)
	for {
		var m guardMessage
		if err := dec.Decode(&m); err != nil {
			break
		}
		switch {
		case m.Config != nil:
			cfg, opt = m.Config, *m.Plan
			if targets != nil {
				break
			}
			var err error
			if targets, err = connect(cfg); err != nil {
				return err
			}
		case m.Lock != "":
			lock = &Lock{Holder: m.Lock}
			lock.begin(cfg.Cluster, targets)
		case m.Hold != nil:
			held[m.Hold.NQN] = m
		case m.Free != "":
			delete(held, m.Free)
		case m.Done:
			return nil
		}
		if _, err := fmt.Fprintln(out); err != nil {
			break
		}
	}
	if lock != nil {
		lock.inherit(ctx)
		defer lock.end()
	}
	if len(held) == 0 || cfg == nil {
		return nil
	}
	return relieve(ctx, cfg, targets, opt, lock, held)
}

// relieve lets the hosts of held exports go on.
func relieve(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt plan.Options, lock *Lock, held map[lineage.NQN]guardMessage) error {
	x := newPass(0, cfg, targets, Options{})
	var wg sync.WaitGroup
	opt.Only = map[string]bool{}
	for _, m := range held {
		opt.Only[m.Volume] = true
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, resumeTimeout)
			defer cancel()
			x.resume(ctx, *m.Hold) // fails where the listener is away already
		})
	}
	wg.Wait()
	// What is left of a swap is finished, and nothing else is begun.
	_, err := Run(ctx, cfg, targets, Options{Plan: opt, Parallelism: len(held), Lock: lock})
	return err
}
