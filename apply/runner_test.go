package apply

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
)

// due looks and plans, and returns the sections that are due in the next pass.
func due(t *testing.T, x *Runner) (sections []plan.Key) {
	t.Helper()
	if err := x.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.Plan(); err != nil {
		t.Fatal(err)
	}
	if r := x.Result(); !r.Plan.Empty() {
		for _, s := range r.Plan.Passes[0].Sections {
			sections = append(sections, s.Key())
		}
	}
	return sections
}

// converge carries out a configuration.
func converge(t *testing.T, cfg *schema.Config, targets map[lineage.Node]*spdk.Client) *Result {
	t.Helper()
	r, err := Run(t.Context(), cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 4})
	if err != nil || !r.Converged {
		t.Fatalf("%v, %+v", err, r)
	}
	return r
}

// TestGivenUp fails a step whenever it is tried: its section is planned again
// once, then no more, while the rest is carried out.
func TestGivenUp(t *testing.T) {
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n2"]}, logs: {size: 4Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		c.Inject(func(call sim.Call) sim.Fault {
			if call.Method == "bdev_lvol_create" && strings.Contains(string(call.Params), `"db.`) {
				return sim.Fault{Err: &sim.Error{Code: -28, Message: "No space left on device"}}
			}
			return sim.Fault{}
		})
		x := NewRunner(cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 4})
		defer x.Close()
		tried := 0
		for {
			if waiting := x.Settle(); len(waiting) > 0 {
				t.Errorf("no hosts are held, but those of %v", waiting)
			}
			sections := due(t, x)
			if len(sections) == 0 {
				break
			}
			if slices.Contains(sections, plan.VolumeKey("db")) {
				if tried++; len(x.Result().Failures) > 0 {
					t.Fatalf("planned although it was given up: %v", x.Result().Failures)
				}
			}
			if x.Result().Passes == 10 {
				t.Fatalf("still due after 10 passes: %v", sections)
			}
			x.Pass(t.Context())
		}
		r := x.Result()
		if tried != maxFailures || len(r.Failures) != 1 || r.Failures[0].Section != plan.VolumeKey("db") || spdk.ClassOf(r.Failures[0].Err) != spdk.NoSpace {
			t.Errorf("tried %d times: %v", tried, r.Failures)
		}
		if s := r.Snapshot.Nodes["n1"].Subsystems; len(s) == 0 {
			t.Error("the other volume is not served")
		}
	})
}

// TestGivenUpInAnyEpoch: each try of what failed is of a later epoch, and the same step for all
// that.
func TestGivenUpInAnyEpoch(t *testing.T) {
	a := newAttempts(0)
	rename := func(n lineage.Node, to lineage.LvolName) plan.Op {
		return plan.LvolRename{At: plan.At{Node: n}, Lvstore: "lab.fast", From: "db.k3f7#2.3q", To: to}
	}
	fails := func(to lineage.LvolName) bool {
		return a.failed(Failure{Section: plan.VolumeKey("db"), Step: plan.Step{Op: rename("n2", to)}, Err: errors.New("no")})
	}
	if fails("db.k3f7#3.2qs") {
		t.Error("given up at once")
	}
	a.done(plan.VolumeKey("db"), rename("n3", "db.k3f7#4x"))
	if !fails("db.k3f7#4.2qs") {
		t.Error("not given up when it failed again")
	}
	a.done(plan.VolumeKey("db"), rename("n2", "db.k3f7#5.2qs"))
	if fails("db.k3f7#6.2qs") {
		t.Error("given up although it was done meanwhile")
	}
}

// TestNoProgress undoes what a section does, again and again: it is given up.
func TestNoProgress(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		var nqn string
		for _, s := range converge(t, cfg, targets).Snapshot.Nodes["n1"].Subsystems {
			nqn = string(s.NQN)
		}
		x := NewRunner(cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Parallelism: 4})
		defer x.Close()
		for range maxRepeats + 1 {
			if err := targets["n1"].ListenerRemove(t.Context(), spdk.ListenerRemove{NQN: nqn, Address: address(lineage.Portal{Address: "10.0.0.1", Port: "4420"})}); err != nil {
				t.Fatal(err)
			}
			x.Settle()
			if sections := due(t, x); !slices.Equal(sections, []plan.Key{plan.VolumeKey("v")}) {
				t.Fatalf("due: %v", sections)
			}
			x.Pass(t.Context())
		}
		x.Settle()
		if sections := due(t, x); len(sections) > 0 {
			t.Errorf("still due: %v", sections)
		}
		r := x.Result()
		if r.Passes != maxRepeats || len(r.Failures) != 1 || r.Failures[0].Err.Error() != "no progress: repeated 5 times" {
			t.Errorf("%d passes, %v", r.Passes, r.Failures)
		}
	})
}

// TestRepeatsForWhatFailed: a section is not given up that is carried out again and
// again for others that fail. It is once nothing fails any more.
func TestRepeatsForWhatFailed(t *testing.T) {
	step := func(n lineage.Node) plan.Step { return plan.Step{Op: plan.InitiatorOptions{At: plan.At{Node: n}}} }
	section := plan.Section{Kind: plan.KindNode, Name: "n1", Stages: [][]plan.Step{{step("n1")}}}
	a := newAttempts(2)
	for range 3 {
		for range 2 {
			if stuck := a.repeat(plan.Pass{Sections: []plan.Section{section}}); len(stuck) > 0 {
				t.Fatalf("given up: %v", stuck)
			}
		}
		a.failed(Failure{Section: plan.NodeKey("n2"), Step: step("n2"), Err: errors.New("no")})
	}
	for range 2 {
		a.repeat(plan.Pass{Sections: []plan.Section{section}})
	}
	if stuck := a.repeat(plan.Pass{Sections: []plan.Section{section}}); len(stuck) != 1 || !errors.Is(stuck[0].Err, ErrNoProgress) {
		t.Errorf("not given up: %v", stuck)
	}
}

// TestPlannedAgainAfterLock locks what is planned: the plan stays if nothing else
// has changed until then.
func TestPlannedAgainAfterLock(t *testing.T) {
	cfg := config(t, `{v: {size: 4Mi, replicas: on: ["n1"]}}`)
	for _, changed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := cluster(t)
			defer c.Close()
			targets, done := connect(t, c, cfg)
			defer done()
			plans := 0
			x := NewRunner(cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}, Lock: holder(1), Vet: func(*plan.Plan) error { plans++; return nil }})
			defer x.Close()
			due(t, x)
			if !x.MustLock() {
				t.Fatal("something is due, and no node needs to be locked")
			}
			if changed {
				if _, err := targets["n2"].MallocCreate(t.Context(), spdk.MallocCreate{Name: "other", NumBlocks: 2048, BlockSize: 512}); err != nil {
					t.Fatal(err)
				}
			}
			if locked, err := x.Lock(t.Context()); err != nil || !locked {
				t.Fatal(locked, err)
			}
			due(t, x)
			if want := map[bool]int{false: 1, true: 2}[changed]; plans != want || x.MustLock() {
				t.Errorf("changed meanwhile: %v; planned %d times; to be locked again: %v", changed, plans, x.MustLock())
			}
			due(t, x)
			if want := map[bool]int{false: 2, true: 3}[changed]; plans != want {
				t.Errorf("changed meanwhile: %v; after another look planned %d times, not %d", changed, plans, want)
			}
		})
	}
}

// TestCopyGoesOn begins a copy of 3 s: its pass ends at once, nothing is planned for
// that volume meanwhile, and Wait returns when the copy ends, or 2 s are over.
func TestCopyGoesOn(t *testing.T) {
	volume := func(rest string) *schema.Config {
		return config(t, `{db: {size: 16Mi, engine: "n1", export: nvmf: hosts: "any", `+rest+`}}`)
	}
	empty, taken, wider := volume(`replicas: on: ["n1"]`), volume(`replicas: on: ["n1"], snapshots: ["base"]`), volume(`replicas: on: ["n1", "n2"], snapshots: ["base"]`)
	synctest.Test(t, func(t *testing.T) {
		c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20, CopyRate: 4 << 20})
		defer c.Close()
		for _, n := range []string{"n1", "n2", "n3"} {
			if _, err := c.Start(n, ""); err != nil {
				t.Fatal(err)
			}
		}
		targets, done := connect(t, c, empty)
		defer done()
		for name, l := range converge(t, empty, targets).Snapshot.Nodes["n1"].Lvols {
			if strings.Contains(name, "/db.") {
				if err := c.Target("n1").WriteBdev(t.Context(), string(l.UUID), bytes.Repeat([]byte{1}, 12<<20), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		converge(t, taken, targets)
		x := NewRunner(wider, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4})
		defer x.Close()
		begun, took := time.Now(), time.Duration(0) // the longest copy
		for {
			x.Settle()
			sections := due(t, x)
			if !x.Copying() {
				took = max(took, time.Since(begun))
			}
			switch {
			case x.Copying() && slices.Contains(sections, plan.VolumeKey("db")):
				t.Fatalf("planned while it copies: %v", sections)
			case len(sections) > 0:
				begun = time.Now()
				x.Pass(t.Context())
				if d := time.Since(begun); d > time.Second {
					t.Fatalf("pass %d took %v", x.Result().Passes, d)
				}
				continue
			case x.Copying():
				x.Wait(t.Context())
				continue
			}
			break
		}
		if took < 2500*time.Millisecond || took > 3500*time.Millisecond {
			t.Errorf("the copy was over after %v", took)
		}
		if r := x.Result(); len(r.Failures)+len(r.Plan.Blocked) > 0 {
			t.Errorf("%v, %v", r.Failures, r.Plan.Blocked)
		}
		converge(t, wider, targets)
	})
}

// TestHostsGoOn gives a section up that holds hosts: Settle names it, Resume lets
// them go on. Where that fails, too, it is not tried again; the guard does, when the
// run has ended.
func TestHostsGoOn(t *testing.T) {
	on := func(engine string) *schema.Config {
		return config(t, `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "`+engine+`", export: nvmf: hosts: "any"}}`)
	}
	before, after := on("n1"), on("n2")
	for _, refused := range [][]string{{"bdev_lvol_rename"}, {"bdev_lvol_rename", "nvmf_subsystem_add_listener"}} {
		resumes := len(refused) == 1
		synctest.Test(t, func(t *testing.T) {
			c := cluster(t)
			defer c.Close()
			targets, done := connect(t, c, before)
			defer done()
			converge(t, before, targets)
			c.Inject(func(call sim.Call) sim.Fault {
				if slices.Contains(refused, call.Method) && !strings.Contains(string(call.Params), ":n1:n2") { // the link is none of it
					return sim.Fault{Err: &sim.Error{Code: -16, Message: "Device or resource busy"}}
				}
				return sim.Fault{}
			})
			opt := plan.Options{Nonce: []byte{1}}
			g, ended := guarded(after, opt, targets)
			x := NewRunner(after, targets, Options{Plan: opt, Parallelism: 4, Guard: g})
			defer x.Close()
			for range maxFailures {
				if waiting := x.Settle(); len(waiting) > 0 {
					t.Fatalf("named before it was given up: %v", waiting)
				}
				due(t, x)
				x.Pass(t.Context())
			}
			waiting := x.Settle()
			if !slices.Equal(waiting, []plan.Key{plan.VolumeKey("db")}) || !slices.Equal(g.Holding(), waiting) {
				t.Fatalf("given up while hosts wait: %v; held: %v", waiting, g.Holding())
			}
			x.Resume(t.Context(), waiting)
			if held := g.Holding(); (len(held) == 0) != resumes {
				t.Errorf("%v refused; held after Resume: %v", refused, held)
			}
			if again := x.Settle(); len(again) > 0 {
				t.Errorf("to be resumed once more: %v", again)
			}
			if sections := due(t, x); slices.Contains(sections, plan.VolumeKey("db")) {
				t.Errorf("planned although it was given up: %v", sections)
			}
			if serves(x.Result()) != resumes {
				t.Errorf("%v refused; the volume is served: %v", refused, !resumes)
			}
			c.Inject(nil)
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if due(t, x); !serves(x.Result()) {
				t.Error("the guard has ended, and the volume is not served")
			}
		})
	}
}

// serves reports whether n1 lets hosts use volume db.
func serves(r *Result) bool {
	for nqn, s := range r.Snapshot.Nodes["n1"].Subsystems {
		if strings.Contains(string(nqn), ":db.") {
			return len(s.Listeners) == 1 && len(s.Namespaces) == 1
		}
	}
	return false
}

// guarded is a guard in this process, and what it ends with.
func guarded(cfg *schema.Config, opt plan.Options, targets map[lineage.Node]*spdk.Client) (*Guard, <-chan error) {
	in, to := io.Pipe()
	from, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- ServeGuard(context.Background(), in, out, func(*schema.Config) (map[lineage.Node]*spdk.Client, error) { return targets, nil }, nil, nil)
	}()
	return &Guard{Config: cfg, Plan: opt, Start: func() (GuardConn, error) { return pipe{to, from, func() { to.Close() }}, nil }}, ended
}
