package check_test

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/check"
	"strata/schema"
	"strata/state"
)

// TestPaths: a path leads to where the peer listens for that link, and the last that is
// connected stays.
func TestPaths(t *testing.T) {
	const link, host = "nqn.2026-01.io.strata:lab:n2:n1", "nqn.2026-01.io.strata:lab:n1"
	at1, at2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	to := func(address string) plan.PathAttach {
		return plan.PathAttach{At: at1, Controller: "lab.n2", NQN: link, HostNQN: host, Address: address, Port: "4420"}
	}
	from := func(address string) plan.PathDetach {
		return plan.PathDetach{At: at1, Controller: "lab.n2", Address: address, Port: "4420"}
	}
	hear := plan.ListenerAdd{At: at2, NQN: link, Address: "10.1.0.2", Port: "4420"}
	stranger, elsewhere := to("10.1.0.2"), to("10.1.0.2")
	stranger.HostNQN, elsewhere.Controller = "nqn.2026-01.io.strata:lab:n2", "lab.n3"
	for _, c := range []struct {
		why string // "" where it is right
		ops []plan.Op
	}{
		{"", []plan.Op{hear, to("10.1.0.2"), from("10.0.0.2")}},
		{"n2 does not listen for it at 10.1.0.2:4420", []plan.Op{to("10.1.0.2")}},
		{"10.9.0.2:4420 is no address of n2", []plan.Op{to("10.9.0.2")}},
		{"is no link of n1", []plan.Op{hear, stranger}},
		{"controller lab.n3 of n1 is not attached to", []plan.Op{hear, elsewhere}},
		{"no other path of controller lab.n2 is connected", []plan.Op{from("10.0.0.2")}},
		{"no other path of controller lab.n2 is connected", []plan.Op{hear, to("10.1.0.2"), from("10.1.0.2"), from("10.0.0.2")}},
		{"does not reach its peer by 10.9.0.2:4420 and another path", []plan.Op{hear, to("10.1.0.2"), from("10.9.0.2")}},
	} {
		cfg, snap := inService(t)
		for _, n := range cfg.Nodes {
			if n.Name == "n2" {
				n.Addresses = append(n.Addresses, "10.1.0.2")
			}
		}
		if err := path(cfg, snap, c.ops); (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v: %v, want %q", c.ops, err, c.why)
		}
	}
}

func path(cfg *schema.Config, snap *state.Snapshot, ops []plan.Op) error {
	s := plan.Section{Kind: plan.KindPaths, Name: "n2 → n1"}
	for i, op := range ops {
		s.Stages = append(s.Stages, []plan.Step{{Number: i + 1, Op: op}})
	}
	return check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
}
