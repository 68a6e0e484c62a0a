package watch

import (
	"context"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

// config is a configuration of three nodes with these volumes.
func config(t *testing.T, volumes string) *schema.Config {
	t.Helper()
	return linked(t, "ctrlrLossTimeoutSec: 2, reconnectDelaySec: 1, fastIOFailTimeoutSec: 1", volumes)
}

// linked is one with these settings of links.
func linked(t *testing.T, links, volumes string) *schema.Config {
	t.Helper()
	text := "package lab\n\ncluster: \"lab\"\nlinks: {" + links + "}\n"
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

// scene is a watch of a simulated cluster in virtual time.
type scene struct {
	t       *testing.T
	cluster *sim.Cluster
	hangup  chan struct{}
	leave   func() error // ends the watch
	end     func() error // and the cluster

	mu      sync.Mutex
	away    bool // what is sent to nodes is lost
	cfg     *schema.Config
	targets map[lineage.Node]*spdk.Client // of the watch, as it last connected to them
	events  []Event
	seen    *state.Snapshot
}

// begin has a cluster watched until end is called.
func begin(t *testing.T, cfg *schema.Config, options ...func(*Options)) *scene {
	t.Helper()
	c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20, CopyRate: 1 << 20})
	for _, n := range []string{"n1", "n2", "n3"} {
		if _, err := c.Start(n, ""); err != nil {
			t.Fatal(err)
		}
	}
	return beginOn(t, c, cfg, options...)
}

func beginOn(t *testing.T, c *sim.Cluster, cfg *schema.Config, options ...func(*Options)) *scene {
	t.Helper()
	s := &scene{t: t, cluster: c, hangup: make(chan struct{}), cfg: cfg, targets: map[lineage.Node]*spdk.Client{}}
	stop, done := make(chan struct{}), make(chan error)
	opt := Options{
		Load: func() (*schema.Config, *schema.Sources, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.cfg, nil, nil
		},
		Connect: func(n *schema.Node) (*spdk.Client, error) {
			c, err := spdk.New(n.RPC, spdk.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				near, far := net.Pipe()
				go s.cluster.Target(path.Base(address)).Serve(far)
				return &wire{near, s}, nil
			}})
			s.mu.Lock()
			defer s.mu.Unlock()
			s.targets[n.Name] = c
			return c, err
		},
		Prepare: func(cfg *schema.Config) (apply.Options, error) {
			all := schema.AllDuties
			return apply.Options{
				Plan: plan.Options{Auto: cfg.Autos(&all)}, Parallelism: 4,
				Lock: &lock.Lock{Holder: "00000000-0000-4000-8000-000000000001", Wait: time.Minute, Note: lineage.LockNote{By: "watch@lab", PID: 1}},
			}, nil
		},
		Every: time.Minute, Hangup: s.hangup, Stop: stop, Polls: true,
		Observe: func(e Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
			if l, ok := e.(Looked); ok {
				s.seen = l.Snapshot
			}
		},
	}
	for _, o := range options {
		o(&opt)
	}
	go func() { done <- Run(t.Context(), opt) }()
	s.leave = func() error {
		close(stop)
		return <-done
	}
	s.end = func() error {
		defer s.cluster.Close()
		return s.leave()
	}
	return s
}

// wire is a connection of a watch that can be cut off.
type wire struct {
	net.Conn
	s *scene
}

func (w *wire) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	away := w.s.away
	w.s.mu.Unlock()
	if away {
		return len(p), nil
	}
	return w.Conn.Write(p)
}

// cut cuts the watch off from all nodes, or mends that.
func (s *scene) cut(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// edit puts another configuration in the place of the one.
func (s *scene) edit(cfg *schema.Config) {
	s.mu.Lock()
	s.cfg = cfg
	s.mu.Unlock()
	s.hangup <- struct{}{}
}

// after lets time go by and returns what happened meanwhile.
func (s *scene) after(d time.Duration) []Event {
	s.mu.Lock()
	s.events = nil
	s.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// write has hosts of a node's mirror write so much.
func (s *scene) write(n lineage.Node, size int) {
	s.t.Helper()
	for name := range s.seen.Nodes[n].Raids {
		if err := s.cluster.Target(string(n)).WriteBdev(s.t.Context(), name, make([]byte, size), 0); err != nil {
			s.t.Fatal(err)
		}
	}
}

// of returns the events of a type.
func of[E Event](events []Event) (all []E) {
	for _, e := range events {
		if x, ok := e.(E); ok {
			all = append(all, x)
		}
	}
	return all
}

// converged reports whether the last run left nothing to do.
func converged(events []Event) bool {
	ended := of[Ended](events)
	return len(ended) > 0 && ended[len(ended)-1].Err == nil && ended[len(ended)-1].Result.Converged
}

func (s *scene) mustConverge(d time.Duration) []Event {
	s.t.Helper()
	events := s.after(d)
	if !converged(events) {
		s.t.Fatalf("not converged after %v: %v", d, lines(events))
	}
	return events
}

func lines(events []Event) (all []string) {
	for _, e := range events {
		switch e := e.(type) {
		case Stepped:
			all = append(all, fmt.Sprintf("%s: %s: %v", e.Section, e.Step.Op.Words(), e.Err))
		case Ended:
			all = append(all, fmt.Sprintf("ended %v", e.Err))
			if e.Result != nil {
				all = append(all, fmt.Sprintf("  %v blocked %v", e.Result.Failures, e.Result.Plan.Blocked))
			}
		case Looked:
		default:
			all = append(all, fmt.Sprintf("%T %+v", e, e))
		}
	}
	return all
}

const two = `{db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}}`

// TestIdle has a cluster as it is to be: it is looked at each minute, locked never and
// not changed.
func TestIdle(t *testing.T) {
	cfg := config(t, two)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.mustConverge(10 * time.Second)
		for _, n := range []string{"n1", "n2", "n3"} {
			s.cluster.Target(n).ResetCalls()
		}
		events := s.after(10 * time.Minute)
		if looks := len(of[Looked](events)); looks < 9 || looks > 11 {
			t.Errorf("%d looks in 10 minutes", looks)
		}
		for _, n := range []string{"n1", "n2", "n3"} {
			if c := s.cluster.Target(n).Calls(); c.Writes != 0 || c.ByMethod["bdev_nvme_get_controllers"] < 590 {
				t.Errorf("%s: %d writes, %d pulses", n, c.Writes, c.ByMethod["bdev_nvme_get_controllers"])
			}
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
}

// TestRestarted ends the target of the engine, and starts it again, while another node
// hangs: hosts reach the volume again within seconds.
func TestRestarted(t *testing.T) {
	cfg := config(t, `{db: {size: 16Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.mustConverge(10 * time.Second)
		s.cluster.Target("n3").Freeze()
		if silent := of[Silent](s.after(20 * time.Second)); len(silent) != 1 || silent[0].Node != "n3" {
			t.Errorf("silent: %v", silent)
		}
		s.cluster.Target("n1").Stop()
		if silent := of[Silent](s.after(2 * time.Second)); len(silent) != 1 || silent[0].Node != "n1" {
			t.Errorf("silent: %v", silent)
		}
		if err := s.cluster.Target("n1").Restart(); err != nil {
			t.Fatal(err)
		}
		events := s.after(3 * time.Second)
		if !slices.ContainsFunc(of[Stepped](events), func(e Stepped) bool {
			_, listens := e.Step.Op.(plan.ListenerAdd)
			return listens && e.Section == plan.VolumeKey("db") && e.Err == nil
		}) {
			t.Errorf("not served after 3 s: %v", lines(events))
		}
		if back := of[Back](events); len(back) != 1 || back[0].Node != "n1" || !back[0].Restarted {
			t.Errorf("back: %+v", back)
		}
		s.cluster.Target("n3").Thaw()
		s.mustConverge(time.Minute)
		s.end()
	})
}

// TestUnreadable has one node not be read, though its pulse is heard: once, and what is on
// it is served soon; always, and it is tried less and less often.
func TestUnreadable(t *testing.T) {
	cfg := config(t, `{db: {size: 16Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.mustConverge(10 * time.Second)
		left := 2
		s.cluster.Inject(func(call sim.Call) sim.Fault {
			if call.Node == "n1" && call.Method == "bdev_lvol_get_lvols" && left > 0 {
				left--
				return sim.Fault{Err: &sim.Error{Code: -32603, Message: "Internal error"}}
			}
			return sim.Fault{}
		})
		s.cluster.Target("n1").Stop()
		if err := s.cluster.Target("n1").Restart(); err != nil {
			t.Fatal(err)
		}
		if events := s.after(6 * time.Second); !converged(events) || left > 0 {
			t.Errorf("not served after 6 s: %v", lines(events))
		}
		left = 1 << 30
		s.hangup <- struct{}{}
		if n := len(of[Looked](s.after(time.Hour))); n < 60 || n > 80 {
			t.Errorf("looked %d times in an hour", n)
		}
		left = 0
		s.mustConverge(2 * time.Minute)
		s.end()
	})
}

// TestBackOff fails whatever one volume needs: it is tried less and less often, the
// rest is done at once, and an edit has it tried at once.
func TestBackOff(t *testing.T) {
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n2"]}, logs: {size: 4Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.cluster.Inject(func(call sim.Call) sim.Fault {
			if call.Method == "bdev_lvol_create" && strings.Contains(string(call.Params), `"db.`) {
				return sim.Fault{Err: &sim.Error{Code: -28, Message: "No space left on device"}}
			}
			return sim.Fault{}
		})
		backed := of[BackedOff](s.after(time.Hour))
		if n := len(backed); n < 10 || n > 25 {
			t.Errorf("tried %d times in an hour", n)
		}
		for i, b := range backed {
			if b.Failure.Section != plan.VolumeKey("db") || b.Times != i+1 {
				t.Errorf("%d: %+v", i, b)
			}
		}
		events := s.after(4 * time.Minute)
		if last := of[Ended](events); len(last) > 0 && len(last[0].Result.Snapshot.Nodes["n1"].Subsystems) == 0 {
			t.Error("the other volume is not served")
		}
		s.cluster.Inject(nil)
		s.edit(cfg)
		events = s.after(5 * time.Second)
		if !converged(events) {
			t.Errorf("not tried again at once: %v", lines(events))
		}
		s.end()
	})
}

// TestNoProgress undoes what a volume needs, again and again: it is left alone until
// somebody asks.
func TestNoProgress(t *testing.T) {
	cfg := config(t, two)
	synctest.Test(t, func(t *testing.T) {
		var s *scene
		undo := true
		s = begin(t, cfg, func(o *Options) {
			observe := o.Observe
			o.Observe = func(e Event) {
				observe(e)
				if x, ok := e.(Stepped); ok && undo {
					if add, ok := x.Step.Op.(plan.ListenerAdd); ok && x.Section == plan.VolumeKey("db") {
						near, far := net.Pipe()
						go s.cluster.Target("n1").Serve(far)
						c, _ := spdk.New("unix:///n1", spdk.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil }})
						c.ListenerRemove(context.Background(), spdk.ListenerRemove{NQN: string(add.NQN), Address: spdk.Address{TrType: "TCP", AdrFam: "IPv4", TrAddr: add.Address, TrSvcID: add.Port}})
						c.Close()
					}
				}
			}
		})
		events := s.after(30 * time.Second)
		halted := of[Halted](events)
		if len(halted) != 1 || halted[0].Failure.Section != plan.VolumeKey("db") {
			t.Fatalf("halted: %v: %v", halted, lines(events))
		}
		if steps := of[Stepped](s.after(time.Hour)); len(steps) > 0 {
			t.Errorf("it goes on: %v", steps)
		}
		undo = false
		s.edit(cfg)
		s.mustConverge(5 * time.Second)
		s.end()
	})
}

// TestFlap has a node come and go: it is held down, longer each time, and served when
// it has answered long enough.
func TestFlap(t *testing.T) {
	cfg := config(t, `{db: {size: 16Mi, replicas: on: ["n2"], export: nvmf: hosts: "any"}, logs: {size: 16Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg)
		s.mustConverge(10 * time.Second)
		var held []HeldDown
		for range flapTimes + 1 {
			s.cluster.Target("n2").Stop()
			s.after(5 * time.Second)
			if err := s.cluster.Target("n2").Restart(); err != nil {
				t.Fatal(err)
			}
			held = append(held, of[HeldDown](s.after(10*time.Second))...)
		}
		if len(held) != 2 || held[0].For != holdFirst || held[1].For != 2*holdFirst {
			t.Fatalf("held down: %+v", held)
		}
		if steps := of[Stepped](s.after(2*holdFirst - 15*time.Second)); len(steps) > 0 {
			t.Errorf("served while held down: %v", lines([]Event{steps[0]}))
		}
		events := s.after(30 * time.Second)
		if r := of[Released](events); len(r) != 1 || !converged(events) {
			t.Errorf("not served after: %v", lines(events))
		}
		s.end()
	})
}

// TestSchedule has a snapshot taken when it is due, and not by looking for it.
func TestSchedule(t *testing.T) {
	cfg := config(t, `{db: {size: 16Mi, replicas: on: ["n1"], every: "1h", keep: hourly: 3}}`)
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, cfg, func(o *Options) { o.Every = 24 * time.Hour })
		s.after(10 * time.Second)
		next := time.Now().Truncate(time.Hour).Add(time.Hour)
		if looks := of[Looked](s.after(time.Until(next) - time.Second)); len(looks) > 0 {
			t.Errorf("%d looks before it is due", len(looks))
		}
		events := s.after(3 * time.Second)
		if !slices.ContainsFunc(of[Stepped](events), func(e Stepped) bool {
			_, cuts := e.Step.Op.(plan.LvolSnapshot)
			return cuts && e.Err == nil
		}) {
			t.Errorf("no snapshot is taken: %v", lines(events))
		}
		s.end()
	})
}

// TestEditWhileCopying edits the configuration while a replica is copied: the edit is
// carried out at once, and the copy is taken up.
func TestEditWhileCopying(t *testing.T) {
	one := config(t, two)
	more := config(t, strings.Replace(two, `["n1", "n2"]`, `["n1", "n2", "n3"]`, 1))
	most := config(t, strings.Replace(strings.Replace(two, `["n1", "n2"]`, `["n1", "n2", "n3"]`, 1), "{db", `{logs: {size: 4Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}, db`, 1))
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, one)
		s.mustConverge(10 * time.Second)
		s.write("n1", 12<<20)
		s.edit(more)
		events := s.after(4 * time.Second)
		if len(of[Copying](events)) == 0 {
			t.Fatalf("nothing is copied: %v", lines(events))
		}
		s.edit(most)
		events = s.after(2 * time.Second)
		if !slices.ContainsFunc(of[Stepped](events), func(e Stepped) bool { return e.Section == plan.VolumeKey("logs") && e.Err == nil }) {
			t.Errorf("the edit waits: %v", lines(events))
		}
		s.mustConverge(2 * time.Minute)
		if c := s.cluster.Target("n1").Calls().ByMethod["bdev_lvol_start_shallow_copy"] + s.cluster.Target("n2").Calls().ByMethod["bdev_lvol_start_shallow_copy"]; c != 1 {
			t.Errorf("%d copies were begun, and the first was to be taken up", c)
		}
		s.end()
	})
}

// TestChangeAtTheEnd has something change when a run has looked for the last time: it
// is looked at again.
func TestChangeAtTheEnd(t *testing.T) {
	h := &hub{peers: &apply.Patience{}, reasons: map[string]bool{}, trouble: troubles{}, run: &run{stop: make(chan struct{})}}
	r := h.run
	h.look("n1 has changed", true)
	if len(h.reasons) > 0 {
		t.Errorf("the run in hand sees to it: %v", h.reasons)
	}
	h.settle(t.Context(), ended{run: r, result: &apply.Result{Plan: &plan.Plan{}}})
	if len(h.reasons) == 0 {
		t.Error("nobody looks at what has changed")
	}
	h.reasons, h.run = map[string]bool{}, r
	h.look("n1 has changed", true)
	r.stale.Store(false) // a look has begun
	h.settle(t.Context(), ended{run: r, result: &apply.Result{Plan: &plan.Plan{}}})
	if len(h.reasons) > 0 {
		t.Errorf("it was looked at: %v", h.reasons)
	}
}
