package watch

import (
	"strings"
	"testing"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/spdk/sim"
	"strata/state"
)

// TestPeerGoneWhileSomethingIsLeftAlone has a volume be left alone for minutes, for its
// third replica cannot be made. Then the peer goes on which it and another volume have a
// replica: the hosts of neither wait for longer than for the peer, though what the one
// lacks is not due to be tried again.
func TestPeerGoneWhileSomethingIsLeftAlone(t *testing.T) {
	volumes := func(on string) string {
		return `{db: {size: 4Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"},
			logs: {size: 4Mi, replicas: on: [` + on + `], engine: "n1", export: nvmf: hosts: "any"}}`
	}
	waitingTest(t, volumes(`"n1", "n2"`), func(t *testing.T, w *waiting) {
		w.cluster.Inject(func(call sim.Call) sim.Fault {
			if call.Node == "n3" && call.Method == "bdev_lvol_create" && strings.Contains(string(call.Params), `"logs.`) {
				return sim.Fault{Err: &sim.Error{Code: -28, Message: "No space left on device"}}
			}
			return sim.Fault{}
		})
		more := linked(t, `loss: "wait", patience: "7s"`, volumes(`"n1", "n2", "n3"`))
		w.edit(more)
		backed := of[BackedOff](w.after(20 * time.Minute))
		if len(backed) < 5 {
			t.Fatalf("it is left alone %d times", len(backed))
		}
		for time.Until(backed[len(backed)-1].Until) < time.Minute {
			if again := of[BackedOff](w.after(10 * time.Second)); len(again) > 0 {
				backed = again
			}
		}
		w.cluster.Target("n2").Stop()
		wrote := w.host()
		w.after(30 * time.Second)
		if d := wrote(); d > patient+2*time.Second {
			t.Errorf("the host waited for %v: %v", d, lines(w.events))
		}
	})
}

// TestNodeOffThatAnswers: that a node could not be switched off is no trouble once it
// answers.
func TestNodeOffThatAnswers(t *testing.T) {
	off := apply.Failure{Step: plan.Step{Op: plan.NodeOff{At: plan.At{Node: "n1"}}}}
	other := apply.Failure{Step: plan.Step{Op: plan.Fence{At: plan.At{Node: "n1"}}}}
	for _, c := range []struct {
		failure apply.Failure
		unknown string
		want    bool
	}{{off, "", true}, {off, "connection refused", false}, {other, "", false}} {
		snap := &state.Snapshot{Nodes: map[lineage.Node]*state.Node{"n1": {Name: "n1", Unknown: c.unknown}}}
		if got := settledBy(c.failure, snap); got != c.want {
			t.Errorf("%T of a node that is %q: %v", c.failure.Step.Op, c.unknown, got)
		}
	}
	if settledBy(off, nil) {
		t.Error("nothing was read")
	}
}

// TestTroubleAfresh: what is tried afresh, since somebody asked for it, is said to be done
// when it is.
func TestTroubleAfresh(t *testing.T) {
	key := plan.NodeKey("n1")
	ts := troubles{}
	now := time.Now()
	ts.add(apply.Failure{Section: key}, now)
	ts.afresh()
	if len(ts.skip(now)) > 0 || !ts.next(now).IsZero() {
		t.Error("it is left alone still")
	}
	if over := ts.done(nil, nil); len(over) != 1 || over[0] != key {
		t.Errorf("done: %v", over)
	}
}
