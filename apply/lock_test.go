package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

// config makes a configuration of three nodes and some volumes.
func config(t *testing.T, volumes string) *schema.Config {
	t.Helper()
	text := "package lab\n\ncluster: \"lab\"\n"
	for i := range 3 {
		text += fmt.Sprintf("nodes: n%d: {rpc: \"unix:///n%d\", address: \"10.0.0.%d\", pools: fast: {aio: \"/dev/disk\", format: true}}\n", i+1, i+1, i+1)
	}
	file := filepath.Join(t.TempDir(), "lab.cue")
	if err := os.WriteFile(file, []byte(text+"volumes: "+volumes), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg, err := schema.Load([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func cluster(t *testing.T) *sim.Cluster {
	t.Helper()
	c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20})
	for _, n := range []string{"n1", "n2", "n3"} {
		if _, err := c.Start(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func connect(t *testing.T, c *sim.Cluster, cfg *schema.Config) (map[lineage.Node]*spdk.Client, func()) {
	t.Helper()
	targets := map[lineage.Node]*spdk.Client{}
	for _, n := range cfg.Nodes {
		client, err := spdk.New(n.RPC, spdk.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			near, far := net.Pipe()
			go c.Target(path.Base(address)).Serve(far)
			return near, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		targets[n.Name] = client
	}
	return targets, func() {
		for _, x := range targets {
			x.Close()
		}
	}
}

func holder(n int) *lock.Lock {
	return &lock.Lock{
		Holder: lineage.UUID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)), Wait: time.Hour,
		Note: lineage.LockNote{By: "test@lab", PID: n},
	}
}

// TestOneAtATime starts several applies at once. While one of them changes
// anything none of the others does, and what they all want is there in the end.
func TestOneAtATime(t *testing.T) {
	var volumes []string
	var cfgs []*schema.Config
	for i := range 4 {
		volumes = append(volumes, fmt.Sprintf("v%d: {size: 4Mi, replicas: 2, export: nvmf: hosts: \"any\"}", i))
		cfgs = append(cfgs, config(t, "{"+volumes[i]+"}"))
	}
	whole := config(t, "{"+strings.Join(volumes, ", ")+"}")
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		var mu sync.Mutex
		active, switches := -1, 0
		var all sync.WaitGroup
		for i, cfg := range cfgs {
			all.Go(func() {
				targets, done := connect(t, c, cfg)
				defer done()
				last := time.Time{}
				r, err := Run(t.Context(), cfg, targets, Options{
					Plan: plan.Options{Nonce: []byte{byte(i)}}, Parallelism: 4, Lock: holder(i + 1),
					Observe: func(e Event) {
						mu.Lock()
						defer mu.Unlock()
						if active != i {
							if !last.IsZero() {
								t.Errorf("apply %d has changed something between the steps of apply %d", active, i)
							}
							active = i
							switches++
						}
						last = e.Start
					},
				})
				if err != nil || len(r.Failures) > 0 {
					t.Errorf("apply %d: %v, %v", i, err, r.Failures)
				}
			})
		}
		all.Wait()
		if switches != len(cfgs) {
			t.Errorf("%d of %d had something to do, or they took turns", switches, len(cfgs))
		}
		targets, done := connect(t, c, whole)
		defer done()
		r, err := Run(t.Context(), whole, targets, Options{Plan: plan.Options{Nonce: []byte{9}}})
		if err != nil || !r.Converged || r.Steps != 0 {
			t.Errorf("in the end: %v, %+v", err, r)
		}
		for name, n := range r.Snapshot.Nodes {
			if n.Lock.Holder != "" || len(n.Lock.Notes) > 0 {
				t.Errorf("%s is still locked: %+v", name, n.Lock)
			}
		}
	})
}

// TestLockTakenAway gives a node to somebody else in the middle of a run: from
// then on the run changes nothing there, says why, and leaves the other's lock
// alone.
func TestLockTakenAway(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		var taken atomic.Bool
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Node == "n2" && call.Method == "bdev_lvol_create" && strings.Contains(string(call.Params), `"v.`) && !taken.Load() {
				taken.Store(true)
				return sim.Fault{Late: 5 * time.Second}
			}
			if call.Node == "n2" && taken.Load() && call.Writes && !strings.HasPrefix(call.Method, "bdev_null_") {
				t.Errorf("n2 got %s after its lock was gone", call.Method)
			}
			return sim.Fault{}
		})
		ours, theirs := holder(1), holder(2)
		ours.Wait = 0
		var unlocked sync.WaitGroup
		unlocked.Go(func() {
			for !taken.Load() {
				time.Sleep(100 * time.Millisecond)
			}
			if err := targets["n2"].NullDelete(t.Context(), string(ours.Holder)); err != nil {
				t.Error(err)
			}
			if _, err := targets["n2"].NullCreate(t.Context(), spdk.NullCreate{Name: "lab.lock", NumBlocks: 1, BlockSize: 512, UUID: string(theirs.Holder)}); err != nil {
				t.Error(err)
			}
		})
		r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: ours})
		unlocked.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Failures) == 0 || !strings.Contains(r.Failures[0].Err.Error(), "node n2: this run does not hold its lock") {
			t.Errorf("failures: %v", r.Failures)
		}
		if got, err := targets["n2"].GetBdev(t.Context(), "lab.lock"); err != nil || got.UUID != string(theirs.Holder) {
			t.Errorf("the lock of n2 is %+v, %v", got, err)
		}
	})
}

// TestLockRefused has a node refuse the lock: what is not done there says why.
func TestLockRefused(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi, replicas: on: ["n2"]}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Node == "n2" && call.Method == "bdev_null_create" {
				return sim.Fault{Err: &sim.Error{Code: -12, Message: "Cannot allocate memory"}}
			}
			return sim.Fault{}
		})
		r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: holder(1)})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Failures) == 0 || !strings.Contains(r.Failures[0].Err.Error(), "node n2: this run does not hold its lock, so nothing is changed there: bdev_null_create") {
			t.Errorf("failures: %v", r.Failures)
		}
	})
}

// takenBy has a holder lock nodes. It can die.
func takenBy(t *testing.T, l *lock.Lock, cfg *schema.Config, c *sim.Cluster, nodes ...lineage.Node) (die func()) {
	t.Helper()
	targets, done := connect(t, c, cfg)
	l.Begin(cfg.Cluster, targets)
	if err := l.Take(t.Context(), nodes, read(t, cfg, targets), nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		done()
		l.End() // which reaches nobody
	}
}

func read(t *testing.T, cfg *schema.Config, targets map[lineage.Node]*spdk.Client) *state.Snapshot {
	t.Helper()
	return state.Read(t.Context(), cfg.Cluster, targets)
}

// TestStopWaitingForLock interrupts a run that waits for another's lock: it ends
// at once and has done nothing.
func TestStopWaitingForLock(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		defer takenBy(t, holder(2), cfg, c, "n1", "n2", "n3")()
		stop := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stop) })
		start := time.Now()
		r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: holder(1), Stop: stop})
		if err != nil || !r.Stopped || r.Steps > 0 {
			t.Errorf("%v, %+v", err, r)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

// TestTakeOverRefused has a target refuse to free the lock of a dead holder: it
// is tried again now and then, and no longer than another would be waited for.
func TestTakeOverRefused(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		other := holder(2)
		takenBy(t, other, cfg, c, "n1")()
		tries := 0
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Method == "bdev_null_delete" && strings.Contains(string(call.Params), string(other.Holder)) {
				tries++
				return sim.Fault{Err: &sim.Error{Code: -16, Message: "Device or resource busy"}}
			}
			return sim.Fault{}
		})
		ours := holder(1)
		ours.Wait, ours.Dead = lock.ApplySilent+time.Second, func(lineage.LockNote) bool { return true }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := Run(ctx, cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: ours})
		if !lock.IsLocked(err) || !strings.Contains(err.Error(), "which is dead, and the lock cannot be taken over: bdev_null_delete") {
			t.Errorf("%v", err)
		}
		if tries > 6 {
			t.Errorf("tried %d times in a second", tries)
		}
	})
}

// TestTakeOver has a machine believe that a holder is dead: that is taken for
// true only of one that does not renew its notes either, however short the wait
// for others is.
func TestTakeOver(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi}}`)
	for _, lives := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := cluster(t)
			defer c.Close()
			targets, done := connect(t, c, cfg)
			defer done()
			die := takenBy(t, holder(2), cfg, c, "n1", "n2", "n3")
			if lives {
				defer die()
			} else {
				die()
			}
			ours := holder(1)
			ours.Wait, ours.Dead = 0, func(lineage.LockNote) bool { return true }
			start := time.Now()
			r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: ours})
			took := time.Since(start)
			switch {
			case lives && (!lock.IsLocked(err) || took > lock.ApplySilent):
				t.Errorf("a living holder's lock: %v after %v", err, took)
			case !lives && (err != nil || !r.Converged || took < lock.ApplySilent || took > 2*lock.ApplySilent):
				t.Errorf("a dead holder's locks on three nodes: %v after %v, %+v", err, took, r)
			}
		})
	}
}

// pipe is a guard in this process.
type pipe struct {
	io.Writer
	io.Reader
	close func()
}

func (p pipe) PID() int     { return 7 }
func (p pipe) Close() error { p.close(); return nil }

// TestGuardFreesLock breaks the pipe to the guard without a word: the nodes are
// free again, whenever that happens.
func TestGuardFreesLock(t *testing.T) {
	cfg := config(t, `{}`)
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := cluster(t)
			defer c.Close()
			targets, done := connect(t, c, cfg)
			defer done()
			in, to := io.Pipe()
			from, out := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				targets, done := connect(t, c, cfg)
				defer done()
				ended <- ServeGuard(context.Background(), in, out, func(*schema.Config) (map[lineage.Node]*spdk.Client, error) { return targets, nil }, nil, nil)
			}()
			ours := holder(1)
			ours.Begin(cfg.Cluster, targets)
			g := &Guard{Config: cfg, Start: func() (GuardConn, error) { return pipe{to, from, func() { to.Close() }}, nil }}
			if err := g.locking(ours); err != nil {
				t.Fatal(err)
			}
			nodes := []lineage.Node{"n1", "n2", "n3"}
			if !taken {
				nodes = nodes[:1]
			}
			if err := ours.Take(t.Context(), nodes, read(t, cfg, targets), nil); err != nil {
				t.Fatal(err)
			}
			to.Close()
			if err := <-ended; err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Error(err)
			}
			other := holder(2)
			other.Wait = 0
			other.Begin(cfg.Cluster, targets)
			if err := other.Take(t.Context(), []lineage.Node{"n1", "n2", "n3"}, read(t, cfg, targets), nil); err != nil {
				t.Errorf("after the guard has ended: %v", err)
			}
			other.End()
			ours.End()
		})
	}
}
