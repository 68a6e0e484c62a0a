package check_test

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/world"
	"strata/schema"
)

// TestCheckOfNodeOff: only a node that does not answer, and that nobody works on, is
// switched off, by its own agent.
func TestCheckOfNodeOff(t *testing.T) {
	for want, change := range map[string]func(n2 *schema.Node, unknown *string){
		"":                      func(*schema.Node, *string) {},
		"n2 has no fence agent": func(n *schema.Node, _ *string) { n.Fence = nil },
		"the fence agent of n2 is fence_apc, not fence_ipmilan": func(n *schema.Node, _ *string) { n.Fence.Command = []string{"fence_apc"} },
		"n2 is suspended: somebody works on it":                 func(n *schema.Node, _ *string) { n.Suspend = &schema.Suspend{ForSec: 60} },
		"n2 answers":                                            func(_ *schema.Node, unknown *string) { *unknown = "" },
	} {
		cfg, snap := inService(t)
		n2 := cfg.Node("n2")
		n2.Fence = &schema.Fence{Command: []string{"/usr/sbin/fence_ipmilan"}, TimeoutMs: 1000}
		unknown := "no route to host"
		change(n2, &unknown)
		snap.Nodes["n2"].Unknown = unknown
		op := plan.NodeOff{At: plan.At{Node: "n2"}, Agent: "fence_ipmilan"}
		p := &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{{Kind: plan.KindNode, Name: "n2", Stages: [][]plan.Step{{{Op: op, Risk: plan.RiskReduce}}}}}}}}
		err := check.Check(cfg, snap, p, plan.Options{})
		if (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if w := world.New(cfg.Cluster, snap); w.Project(op) == nil != (unknown != "") || w.SwitchedOff("n2") != (unknown != "") || w.SwitchedOff("n1") {
			t.Errorf("%q: n2 is off: %v", want, w.SwitchedOff("n2"))
		}
	}
}
