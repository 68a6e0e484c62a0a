package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/fence"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
)

// fencing is a run of which the next pass is to switch n1 off, which does not answer.
type fencing struct {
	*Runner
	c       *sim.Cluster
	targets map[lineage.Node]*spdk.Client
	asked   int
	says    error // of the agent
}

func fencingTest(t *testing.T, opt Options, test func(t *testing.T, f *fencing)) {
	cfg := config(t, `{v: {size: 4Mi, replicas: on: ["n2"]}}`)
	cfg.Nodes[0].Fence = &schema.Fence{Command: []string{"fence_dummy"}, TimeoutMs: 1000}
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		c.Target("n1").Stop()
		f := &fencing{c: c, targets: targets}
		opt.Plan.Nonce, opt.Lock = []byte{1}, holder(1)
		if opt.Fence == nil {
			opt.Fence = func(_ context.Context, n *schema.Node) (fence.Evidence, error) {
				f.asked++
				return fence.Evidence{Node: n.Name, Agent: n.Fence.Agent(), At: time.Now(), How: "it was told to be"}, f.says
			}
		}
		f.Runner = NewRunner(cfg, targets, opt)
		defer f.Close()
		f.look(t)
		f.plan()
		if locked, err := f.Lock(t.Context()); !locked || err != nil {
			t.Fatal(err)
		}
		f.look(t)
		test(t, f)
	})
}

func (f *fencing) look(t *testing.T) {
	t.Helper()
	if err := f.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// plan has the next pass switch n1 off, and something wait for that.
func (f *fencing) plan() {
	off := plan.Step{Op: plan.NodeOff{At: plan.At{Node: "n1"}, Agent: "fence_dummy"}, Risk: plan.RiskReduce, Copies: -1}
	then := plan.Step{Op: plan.TransportCreate{At: plan.At{Node: "n2"}}, Risk: plan.RiskCreate, Copies: -1}
	f.planner.last = &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{
		{Kind: plan.KindNode, Name: "n1", Stages: [][]plan.Step{{off}}},
		{Kind: plan.KindVolume, Name: "v", After: []plan.Key{plan.NodeKey("n1")}, Stages: [][]plan.Step{{then}}},
	}}}}
}

// pass carries that out, and says what failed.
func (f *fencing) pass(t *testing.T) (steps int, failed string) {
	t.Helper()
	f.plan()
	f.Pass(t.Context())
	steps, failures, _ := f.executor.settle()
	for _, x := range failures {
		failed += x.Error()
	}
	f.look(t)
	return steps, failed
}

// TestNodeOff: that a node is off is known until it answers.
func TestNodeOff(t *testing.T) {
	fencingTest(t, Options{}, func(t *testing.T, f *fencing) {
		if off := f.planner.opt.Off; off != nil {
			t.Errorf("before anything is done: %v", off)
		}
		at := time.Now().UTC().Format(time.RFC3339)
		if steps, failed := f.pass(t); steps != 2 || failed != "" {
			t.Errorf("%d steps, %s", steps, failed)
		}
		for range 3 {
			want := "fence_dummy said at " + at + " that n1 is off; it was told to be"
			if off := f.planner.opt.Off; len(off) != 1 || off["n1"] != want {
				t.Errorf("%v", off)
			}
			time.Sleep(time.Minute)
			f.look(t)
		}
		if err := f.c.Target("n1").Restart(); err != nil {
			t.Fatal(err)
		}
		f.look(t)
		f.c.Target("n1").Stop()
		f.look(t)
		if off := f.planner.opt.Off; off != nil {
			t.Errorf("it has answered since: %v", off)
		}
		if f.asked != 1 {
			t.Errorf("it was asked %d times", f.asked)
		}
	})
}

// TestNodeOffFails: nothing that waits for a node to be off is done when it may not be.
func TestNodeOffFails(t *testing.T) {
	fencingTest(t, Options{}, func(t *testing.T, f *fencing) {
		f.says = errors.New("it is not known to be off: fence_dummy: status: exit code 1")
		if steps, failed := f.pass(t); steps != 0 || failed != "node n1: step 0, node n1: switch n1 off by fence_dummy: node n1: "+f.says.Error() || f.planner.opt.Off != nil {
			t.Errorf("%d steps, %s, %v", steps, failed, f.planner.opt.Off)
		}
	})
	fencingTest(t, Options{Fence: func(context.Context, *schema.Node) (fence.Evidence, error) { panic("asked") }}, func(t *testing.T, f *fencing) {
		f.executor.caller.fences.run = nil
		if steps, failed := f.pass(t); steps != 0 || !strings.HasSuffix(failed, "node n1: fence agents are not run here") || f.planner.opt.Off != nil {
			t.Errorf("%d steps, %s, %v", steps, failed, f.planner.opt.Off)
		}
	})
}

// TestNodeOffLocked: whoever does not have the nodes switches none off.
func TestNodeOffLocked(t *testing.T) {
	ours := holder(1).Holder
	for want, take := range map[string]func(t *testing.T, f *fencing) error{
		"nothing is done about node n1: node n3: this run does not hold its lock": func(t *testing.T, f *fencing) error {
			if err := f.targets["n3"].NullDelete(t.Context(), string(ours)); err != nil {
				return err
			}
			_, err := f.targets["n3"].NullCreate(t.Context(), spdk.NullCreate{Name: "lab.lock", NumBlocks: 1, BlockSize: 512, UUID: string(holder(2).Holder)})
			return err
		},
		"nothing is done about node n1: this run holds the lock of no other node": func(_ *testing.T, f *fencing) error {
			f.opt.Lock.End()
			return nil
		},
	} {
		fencingTest(t, Options{}, func(t *testing.T, f *fencing) {
			if err := take(t, f); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			if steps, failed := f.pass(t); steps != 0 || !strings.Contains(failed, want) || f.asked > 0 {
				t.Errorf("%d steps, %s, want %s; asked %d times", steps, failed, want, f.asked)
			}
		})
	}
}

// TestNodeOffBeside: another node that is gone does not keep one from being switched off.
func TestNodeOffBeside(t *testing.T) {
	fencingTest(t, Options{}, func(t *testing.T, f *fencing) {
		f.c.Target("n3").Stop()
		time.Sleep(time.Minute)
		f.look(t)
		if steps, failed := f.pass(t); steps != 2 || failed != "" || f.planner.opt.Off["n1"] == "" {
			t.Errorf("%d steps, %s, %v", steps, failed, f.planner.opt.Off)
		}
	})
}
