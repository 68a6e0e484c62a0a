package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// TestLinksNeedTheirKeys: the peer of a link is let in with the keys of the link only, a controller
// has those that its peer asks for, and what it may use stays.
func TestLinksNeedTheirKeys(t *testing.T) {
	const (
		dir   = "/s.keys/"
		nqn   = "nqn.2026-01.io.strata:lab:n2:n1"
		host  = "nqn.2026-01.io.strata:lab:n1"
		node  = `nodes: %: {rpc: "ssh://root@%/s", address: "10.0.0.1", pools: fast: aio: "/dev/%"}` + "\n"
		bare  = "n1 tcp\nn2 tcp\nn2 subsystem " + nqn + "\n"
		files = "n1 keyfile lab.link.n2.n1.1.1.host\nn1 keyfile lab.link.n2.n1.1.1.target\nn2 keyfile lab.link.n2.n1.1.1.host\nn2 keyfile lab.link.n2.n1.1.1.target\n"
		names = "n1 key lab.link.n2.n1.1.1.host " + dir + "lab.link.n2.n1.1.1.host\nn1 key lab.link.n2.n1.1.1.target " + dir + "lab.link.n2.n1.1.1.target\n" +
			"n2 key lab.link.n2.n1.1.1.host " + dir + "lab.link.n2.n1.1.1.host\nn2 key lab.link.n2.n1.1.1.target " + dir + "lab.link.n2.n1.1.1.target\n"
		keyed = "n1 tcp\nn2 tcp\nn2 subsystem " + nqn + " host=" + host + ",lab.link.n2.n1.1.1.host,lab.link.n2.n1.1.1.target\n"
		ctrl  = "n1 controller lab.n2 " + nqn + " enabled 10.0.0.2 4420\n"
		away  = "n1 controller lab.n2 " + nqn + " reconnect_is_delayed 10.0.0.2 4420\n"
		used  = "n1 key lab.link.n2.n1.1.1.used " + dir + "lab.link.n2.n1.1.1.host\n"
	)
	link := lineage.Link{From: "n2", To: "n1"}
	one, two := lineage.LinkKeys{Link: link, Set: 1, Try: 1}, lineage.LinkKeys{Link: link, Set: 1, Try: 2}
	is := lineage.Cluster("lab").LinkKeyNames(one)
	n1, n2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	add := func(name, file string) plan.KeyAdd { return plan.KeyAdd{At: n1, Name: name, Path: dir + file} }
	for _, c := range []struct {
		world string
		links string
		ops   []plan.Op
		want  string
	}{
		{bare + files + names, "{auth: true}", []plan.Op{plan.HostAllow{At: n2, NQN: nqn, Host: host, Keys: is}}, ""},
		{bare + files + names, "{auth: true}", []plan.Op{plan.HostAllow{At: n2, NQN: nqn, Host: host}}, "without having to prove who it is"},
		{bare + files, "{auth: true}", []plan.Op{plan.HostAllow{At: n2, NQN: nqn, Host: host, Keys: is}}, "does not have key"},
		{bare + files + names, "{auth: true}", []plan.Op{plan.HostAllow{At: n2, NQN: nqn, Host: host, Keys: lineage.HostKeys{Key: is.Key}}}, "no pair of keys"},
		{bare + files + names, "{auth: false}", []plan.Op{plan.HostAllow{At: n2, NQN: nqn, Host: host, Keys: is}}, "need not prove anything"},
		{keyed + files + names, "{auth: true}", []plan.Op{plan.HostKeysSet{At: n2, NQN: nqn, Host: host}}, "without having to prove who it is"},
		{keyed + files + names, "{auth: true}", []plan.Op{plan.ControllerAttach{At: n1, Controller: "lab.n2", NQN: nqn, HostNQN: host, Keys: is}}, ""},
		{keyed + files + names, "{auth: true}", []plan.Op{plan.ControllerAttach{At: n1, Controller: "lab.n2", NQN: nqn, HostNQN: host}}, "without having to prove who it is"},
		{keyed + files + names, "{auth: false}", []plan.Op{plan.ControllerAttach{At: n1, Controller: "lab.n2", NQN: nqn, HostNQN: host}}, "lets n1 in with keys"},
		{keyed + files + names + ctrl, "{auth: true}", []plan.Op{plan.ControllerKeysSet{At: n1, Controller: "lab.n2", Keys: is}}, ""},
		{keyed + files + names + away, "{auth: true}", []plan.Op{plan.ControllerKeysSet{At: n1, Controller: "lab.n2", Keys: is}}, "would not answer"},
		{bare + files + names + ctrl, "{auth: true}", []plan.Op{plan.ControllerKeysSet{At: n1, Controller: "lab.n2", Keys: is}}, "lets n1 in with keys"},
		{keyed + files + names + away, "{auth: false}", []plan.Op{plan.ControllerKeysSet{At: n1, Controller: "lab.n2"}}, ""},
		{keyed + files + names + ctrl, "{auth: true}", []plan.Op{add("lab.link.n2.n1.1.1.used", is.Key)}, ""},
		{keyed + files + names, "{auth: true}", []plan.Op{add("lab.link.n2.n1.1.1.used", is.Key)}, "has no controller"},
		{keyed + files + ctrl, "{auth: true}", []plan.Op{add(is.Key, is.CtrlKey)}, "is not there"},
		{keyed + ctrl, "{auth: true}", []plan.Op{add(is.Key, is.Key)}, "is not there"},
		{keyed + files + names + ctrl + used, "{auth: true}", []plan.Op{plan.KeyRemove{At: n1, Name: is.Key}}, "may use it"},
		{keyed + files + names + ctrl, "{auth: true}", []plan.Op{plan.KeyRemove{At: n1, Name: is.Key}}, "may use it"},
		{keyed + files + names + ctrl + used, "{auth: false}", []plan.Op{plan.ControllerKeysSet{At: n1, Controller: "lab.n2"}, plan.KeyRemove{At: n1, Name: is.Key}}, ""},
		{keyed + files + names, "{auth: true}", []plan.Op{plan.KeyRemove{At: n1, Name: is.Key}}, ""},
		{keyed + files + names, "{auth: true}", []plan.Op{plan.KeyRemove{At: n2, Name: is.Key}}, "needs it for"},
		{bare + files + ctrl + used, "{auth: true}", []plan.Op{plan.KeyErase{At: n2, Name: is.Key}}, "uses it"},
		{bare + files, "{auth: true}", []plan.Op{plan.KeyErase{At: n2, Name: is.Key}}, ""},
		{bare + files, "{auth: true}", []plan.Op{plan.LinkKeysMake{At: n1, Keys: two}}, ""},
		{bare + files, "{auth: true}", []plan.Op{plan.LinkKeysMake{At: n1, Keys: one}}, "has a key"},
		{bare + files, "{auth: true, keys: 2}", []plan.Op{plan.LinkKeysMake{At: n1, Keys: two}}, "no such keys"},
		{bare + "n2 keyfiles unread why\n", "{auth: true}", []plan.Op{plan.LinkKeysMake{At: n1, Keys: two}}, "is not known"},
	} {
		cfg := plantest.Config(t, "cluster: \"lab\"\nlinks: "+c.links+"\n"+strings.ReplaceAll(node, "%", "n1")+strings.NewReplacer("%", "n2", "10.0.0.1", "10.0.0.2").Replace(node))
		snap := plantest.World(t, "lab", c.world)
		var stages [][]plan.Step
		for _, op := range c.ops {
			stages = append(stages, []plan.Step{{Op: op, Risk: plan.RiskCreate}})
		}
		s := plan.Section{Kind: plan.KindLink, Name: "n2:n1", Stages: stages}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, links %s: got %v, want: %q", c.ops[0].Words(), c.links, err, c.want)
		}
	}
}
