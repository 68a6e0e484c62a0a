package apply

import (
	"slices"
	"testing"

	"strata/lineage"
	"strata/plan"
)

// Hosts whose listener was taken away wait until they have a path, or one that they
// have leads to the disk, on whichever node.
func TestHoldEndsElsewhere(t *testing.T) {
	const nqn = "nqn.2026-01.io.strata:lab:db.k3f7"
	n1, n2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	away := plan.Step{Op: plan.ListenerRemove{At: n1, NQN: nqn}, Risk: plan.RiskPause}
	for _, c := range []struct {
		op   plan.Op
		ends bool
	}{
		{plan.ListenerAdd{At: n2, NQN: nqn}, true},
		{plan.Resume{At: n2, NQN: nqn}, true},
		{plan.ListenerAdd{At: n1, NQN: nqn, Standby: true}, false},
		{plan.NamespaceAdd{At: n2, NQN: nqn, NSID: 1}, false},
	} {
		h := newHolds()
		h.after(away, nil)
		if !h.any() {
			t.Fatal("hosts do not wait for a listener")
		}
		if ended := h.after(plan.Step{Op: c.op, Risk: plan.RiskCreate}, nil); (ended == nqn) != c.ends || h.any() == c.ends {
			t.Errorf("after %T %+v: %q, waiting: %v", c.op, c.op, ended, h.any())
		}
	}
}

// Hosts of which some know one address only go on once the export listens at all of them.
func TestHoldUntilAllAddresses(t *testing.T) {
	const nqn = "nqn.2026-01.io.strata:lab:db.k3f7"
	n1 := plan.At{Node: "n1"}
	away := plan.Step{Op: plan.ListenerRemove{At: n1, NQN: nqn, Address: "10.0.0.1", Port: "4420"}, Risk: plan.RiskPause}
	first := plan.Step{Op: plan.ListenerAdd{At: n1, NQN: nqn, Address: "10.0.0.1", Port: "4420"}, Risk: plan.RiskCreate}
	second := plan.Step{Op: plan.ListenerAdd{At: n1, NQN: nqn, Address: "10.1.0.1", Port: "4420"}, Risk: plan.RiskCreate}
	resume := plan.Step{Op: plan.Resume{At: n1, NQN: nqn}, Risk: plan.RiskCreate}
	for _, c := range []struct {
		name  string
		step  plan.Step
		later [][]plan.Step
		ends  bool
	}{
		{"another is added", first, [][]plan.Step{{second}}, false},
		{"others are let go on", first, [][]plan.Step{{resume}}, false},
		{"let go on, and another is added", resume, [][]plan.Step{{second}}, false},
		{"the last", second, nil, true},
		{"they are held again before more is done", first, [][]plan.Step{{away}, {first}}, true},
	} {
		h := newHolds()
		h.after(away, nil)
		if ended := h.after(c.step, c.later); (ended == nqn) != c.ends || h.any() == c.ends {
			t.Errorf("%s: %q, waiting: %v", c.name, ended, h.any())
		}
	}
}

// Hosts that are held at two listeners, of which one was taken away, are let go on at the
// other whatever happens.
func TestHoldOfOtherListeners(t *testing.T) {
	const nqn = "nqn.2026-01.io.strata:lab:db.k3f7"
	n1 := plan.At{Node: "n1"}
	first, second := lineage.Portal{Address: "10.0.0.1", Port: "4420"}, lineage.Portal{Address: "10.1.0.1", Port: "4420"}
	h := newHolds()
	h.before(plan.Pause{At: n1, NQN: nqn, Portals: []lineage.Portal{first, second}, LimitMs: 2000})
	var resumed []plan.Pause
	end := func() int {
		resumed = nil
		h.end(func(p plan.Pause) { resumed = append(resumed, p) })
		return len(resumed)
	}
	for i, away := range []lineage.Portal{first, second} {
		h.after(plan.Step{Op: plan.ListenerRemove{At: n1, NQN: nqn, Address: away.Address, Port: away.Port}, Risk: plan.RiskPause}, nil)
		if left := end(); left != 1-i || left == 1 && !slices.Equal(resumed[0].Portals, []lineage.Portal{second}) {
			t.Errorf("after %s is away %v is resumed", away, resumed)
		}
	}
}
