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
		h.after(away)
		if !h.any() {
			t.Fatal("hosts do not wait for a listener")
		}
		if ended := h.after(plan.Step{Op: c.op, Risk: plan.RiskCreate}); (ended == nqn) != c.ends || h.any() == c.ends {
			t.Errorf("after %T %+v: %q, waiting: %v", c.op, c.op, ended, h.any())
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
		h.after(plan.Step{Op: plan.ListenerRemove{At: n1, NQN: nqn, Address: away.Address, Port: away.Port}, Risk: plan.RiskPause})
		if left := end(); left != 1-i || left == 1 && !slices.Equal(resumed[0].Portals, []lineage.Portal{second}) {
			t.Errorf("after %s is away %v is resumed", away, resumed)
		}
	}
}
