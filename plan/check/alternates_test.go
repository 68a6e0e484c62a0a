package check_test

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// TestAlternates: a link looks for its peer only where that is and lets it in, and gets no further
// address while its controller lacks anything, or connects anew.
func TestAlternates(t *testing.T) {
	const (
		nqn      = "nqn.2026-01.io.strata:lab:n2:n1~wait"
		dropping = "nqn.2026-01.io.strata:lab:n2:n1"
		host     = "nqn.2026-01.io.strata:lab:n1"
		config   = `cluster: "lab"
links: loss: "wait"
nodes: n1: {rpc: "unix:///n1", address: "10.0.0.1", pools: fast: aio: "/dev/n1"}
nodes: n2: {rpc: "unix:///n2", address: ["10.0.0.2", "10.1.0.2"], pools: fast: aio: "/dev/n2"}
`
		peer   = "n1 tcp\nn2 tcp\nn2 subsystem " + nqn + " host=" + host + "\nn2 listen " + nqn + " 10.0.0.2 4420\n"
		second = "n2 listen " + nqn + " 10.1.0.2 4420\n"
		ctrl   = "n1 controller lab.n2~wait " + nqn + " enabled 10.0.0.2 4420\n"
		away   = "n1 controller lab.n2~wait " + nqn + " reconnect_is_delayed 10.0.0.2 4420\n"
		former = "n1 controller lab.n2~wait " + nqn + " enabled 10.0.0.2 4420 10.9.9.9 10.1.0.2\n"
		absent = "n1 remote lab.n2~waitn7 u2 64Mi absent\n"
		shut   = "n1 tcp\nn2 tcp\nn2 subsystem " + nqn + "\nn2 listen " + nqn + " 10.1.0.2 4420\n"
	)
	n1 := plan.At{Node: "n1"}
	add := plan.AlternateAdd{At: n1, Controller: "lab.n2~wait", NQN: nqn, HostNQN: host, Address: "10.1.0.2", Port: "4420"}
	elsewhere, as := add, add
	elsewhere.Address, as.HostNQN = "10.9.9.9", "nqn.2026-01.io.strata:lab:n2"
	drop := plan.AlternateRemove{At: n1, Controller: "lab.n2~wait", Address: "10.9.9.9", Port: "4420"}
	last, its := drop, drop
	last.Address, its.Address = "10.0.0.2", "10.1.0.2"
	overRDMA, drops := add, add
	overRDMA.RDMA, drops.Controller, drops.NQN = true, "lab.n2", dropping
	wait := plan.ControllerWait{At: n1, Controller: "lab.n2~wait"}
	attach := plan.ControllerAttach{At: n1, Controller: "lab.n2~wait", NQN: nqn, HostNQN: host, Address: "10.0.0.2", Port: "4420"}
	both, wrong := attach, attach
	dropped := both
	both.Others, wrong.Others = []string{"10.1.0.2"}, []string{"10.9.9.9"}
	dropped.NQN, dropped.Controller, dropped.Others = dropping, "lab.n2", both.Others
	for _, c := range []struct {
		world string
		ops   []plan.Op
		want  string
	}{
		{peer + second + ctrl, []plan.Op{add}, ""},
		{peer + ctrl, []plan.Op{add}, "does not listen there"},
		{peer + second, []plan.Op{add}, "is not there"},
		{peer + second + away, []plan.Op{add}, "is not connected"},
		{peer + second + away, []plan.Op{wait, add}, "connects anew just then"},
		{peer + second + ctrl + absent, []plan.Op{add}, "does not show u2 any more"},
		{shut + ctrl, []plan.Op{add}, "does not let n1 in"},
		{peer + second + ctrl, []plan.Op{as}, "is attached to"},
		{peer + second + ctrl + "n2 listen " + nqn + " 10.9.9.9 4420\n", []plan.Op{elsewhere}, "is not where n2 is reached"},
		{peer + second + "n2 listen " + nqn + " 10.1.0.2 4420 rdma\n" + ctrl, []plan.Op{overRDMA}, "is attached to 10.0.0.2:4420"},
		{peer + "n1 controller lab.n2 " + dropping + " enabled 10.0.0.2 4420\n", []plan.Op{drops}, "drops its peer"},
		{strings.ReplaceAll(peer, nqn, dropping), []plan.Op{dropped}, "drops its peer"},
		{peer + second, []plan.Op{both, add}, ""},
		{peer + second, []plan.Op{wrong}, "is not where n2 is reached"},
		{peer + second + former, []plan.Op{drop}, ""},
		{peer + second + former, []plan.Op{last}, "is no alternate address"},
		{peer + second + former, []plan.Op{its}, "is an address of n2"},
	} {
		var stages [][]plan.Step
		for _, op := range c.ops {
			stages = append(stages, []plan.Step{{Op: op, Risk: plan.RiskCreate}})
		}
		s := plan.Section{Kind: plan.KindAlternates, Name: "n2:n1~wait", Stages: stages}
		err := check.Check(plantest.Config(t, config), plantest.World(t, "lab", c.world), &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s\n%s: got %v, want: %q", c.world, c.ops[len(c.ops)-1].Words(), err, c.want)
		}
	}
}
