package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"sync"
	"time"

	"strata/apply"
	"strata/backup"
	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/plan/recipe"
	"strata/schema"
	"strata/spdk"
	"strata/state"
)

// applier is a process that carries a configuration out. It can die.
type applier struct {
	w        *world
	pid      int
	ctx      context.Context
	cancel   context.CancelFunc
	targets  map[lineage.Node]*spdk.Client
	lock     *lock.Lock
	archives *backup.Archives // nil until they are needed

	mu    sync.Mutex
	dead  bool
	conns []io.Closer // to targets and guard
	guard chan struct{}
	stop  chan struct{}
}

func (w *world) applier(cfg *schema.Config) *applier {
	a := w.process()
	a.targets = w.connect(cfg, a.keep)
	return a
}

// process is one that is connected to nobody yet.
func (w *world) process() *applier {
	a := &applier{w: w, pid: w.newPID(), stop: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.lock = &lock.Lock{
		Holder: lineage.UUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", a.pid)), Wait: 5 * time.Minute,
		Note: lineage.LockNote{By: "sweep", PID: a.pid},
		Dead: func(n lineage.LockNote) bool { return !w.lives(n.PID) && !w.lives(n.Guard) },
	}
	return a
}

// connect makes clients of the simulated targets. What they connect by is
// handed to keep, which may refuse it.
func (w *world) connect(cfg *schema.Config, keep func(io.Closer) error) map[lineage.Node]*spdk.Client {
	targets := map[lineage.Node]*spdk.Client{}
	for _, n := range cfg.Nodes {
		c, err := w.client(n, keep)
		if err != nil {
			panic(err) // the configuration was checked
		}
		targets[n.Name] = c
	}
	return targets
}

func (w *world) client(n *schema.Node, keep func(io.Closer) error) (*spdk.Client, error) {
	return spdk.New("unix:///"+path.Base(n.RPC), spdk.Options{KeyFiles: w.keyFiles(n, keep), Trace: w.rpcs.Trace(string(n.Name)), Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		t := w.c.Target(path.Base(address))
		if !t.Running() {
			return nil, errors.New("connection refused")
		}
		near, far := net.Pipe()
		if err := keep(near); err != nil {
			return nil, err
		}
		go t.Serve(far)
		return near, nil
	}})
}

var errDead = errors.New("the process is dead")

func (a *applier) keep(c io.Closer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead {
		return errDead
	}
	a.conns = append(a.conns, c)
	return nil
}

// die ends the process as SIGKILL does. Whatever its goroutines do from here
// on reaches nobody.
func (a *applier) die() {
	a.w.ends(a.pid)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dead = true
	for _, c := range a.conns {
		c.Close()
	}
	a.cancel()
}

// interrupt ends it as ^C does.
func (a *applier) interrupt() { close(a.stop) }

// step carries a step of a scenario out.
func (a *applier) step(s step, nonce byte, guarded bool) (*apply.Result, error) {
	defer a.close()
	opt := s.options(nonce)
	if len(s.trim) > 0 {
		return a.trim(s, opt, guarded)
	}
	if s.within > 0 {
		snap := state.Read(a.ctx, s.cfg.Cluster, a.targets)
		opt.Wishes, _ = recipe.Rebalance(s.cfg, snap, state.ReadConnected(a.ctx, snap, s.cfg.Cluster, a.targets), opt, s.within)
	}
	return a.run(s.cfg, a.options(opt), guarded)
}

// run carries a configuration out.
func (a *applier) run(cfg *schema.Config, o apply.Options, guarded bool) (*apply.Result, error) {
	o.Observe, o.Stop = a.w.event, a.stop
	if guarded {
		o.Guard = &apply.Guard{Start: a.startGuard, Config: cfg, Plan: o.Plan}
		defer o.Guard.Close()
	}
	return apply.Run(a.ctx, cfg, a.targets, o)
}

// options are those of a run of the process, all of which have one lock.
func (a *applier) options(opt plan.Options) apply.Options {
	o := apply.Options{Plan: opt, Parallelism: 4, Lock: a.lock, Fence: a.w.fence, Keys: a.w.key, HostKeys: a.w.hostKey}
	if a.w.net != nil {
		if a.archives == nil {
			a.archives = a.w.archives(a)
		}
		o.Archives = a.archives
	}
	return o
}

func (a *applier) close() {
	a.w.ends(a.pid)
	a.cancel()
	a.archives.Close()
	for _, t := range a.targets {
		t.Close()
	}
}

// startGuard starts the guard as a process of its own: it has its own clients.
func (a *applier) startGuard() (apply.GuardConn, error) {
	in, to := io.Pipe()
	from, out := io.Pipe()
	g := &guard{WriteCloser: to, Reader: from, from: from, done: make(chan struct{}), pid: a.w.newPID()}
	if err := a.keep(g); err != nil {
		return nil, err
	}
	a.guard = g.done
	go func() {
		defer close(g.done)
		defer a.w.ends(g.pid)
		defer out.Close()
		var targets map[lineage.Node]*spdk.Client
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		err := apply.ServeGuard(ctx, in, out, func(cfg *schema.Config) (map[lineage.Node]*spdk.Client, error) {
			targets = a.w.connect(cfg, func(io.Closer) error { return nil })
			return targets, nil
		}, nil, a.w.key)
		for _, t := range targets {
			t.Close()
		}
		a.w.logf("the guard ended: %v", err)
	}()
	return ended{g}, nil
}

// guard is a guard's two streams. Close breaks them.
type guard struct {
	io.WriteCloser
	io.Reader
	from *io.PipeReader
	done chan struct{}
	pid  int
}

func (g *guard) PID() int { return g.pid }

func (g *guard) Close() error {
	return errors.Join(g.WriteCloser.Close(), g.from.Close())
}

// ended is a guard that Close waits for, as for a process.
type ended struct{ *guard }

func (g ended) Close() error {
	err := g.guard.Close()
	<-g.done
	return err
}
