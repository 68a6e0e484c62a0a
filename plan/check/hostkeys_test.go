package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
	"strata/state"
)

// TestHostsNeedTheirKeys: a host that has to authenticate is let in with nothing else than its keys.
func TestHostsNeedTheirKeys(t *testing.T) {
	const (
		export = "nqn.2026-01.io.strata:lab:db.k3f7"
		host   = "nqn.2026-01.com.example:a"
	)
	const volumes = `volumes: db: {size: 64Mi, replicas: on: ["n1"], export: nvmf: hosts: [{nqn: "` + host + `", dhchap: {key: path: "/k/a", ctrlrKey: path: "/k/t"}}, "nqn.2026-01.com.example:b"]}`
	at := plan.At{Node: "n1"}
	a, target := lineage.HostKeys{Key: "lab.host.db./k/a", CtrlKey: "lab.host.db./k/t"}, "lab.host.db./k/t"
	for _, c := range []struct {
		op   plan.Op
		want string
	}{
		{plan.HostAllow{At: at, NQN: export, Host: host, Keys: a}, ""},
		{plan.HostKeysSet{At: at, NQN: export, Host: host, Keys: a}, ""},
		{plan.HostAllow{At: at, NQN: export, Host: host}, "without the key in /k/a"},
		{plan.HostAllow{At: at, NQN: export, Host: host, Keys: lineage.HostKeys{Key: a.Key}}, "without the key in /k/t"},
		{plan.HostAllow{At: at, NQN: export, Host: host, Keys: lineage.HostKeys{Key: target, CtrlKey: target}}, "without the key in /k/a"},
		{plan.HostKeysSet{At: at, NQN: export, Host: host, Keys: lineage.HostKeys{Key: "lab.host.db./k/none", CtrlKey: target}}, "without the key in /k/a"},
		{plan.HostAllow{At: at, NQN: export, Host: "nqn.2026-01.com.example:b", Keys: lineage.HostKeys{Key: a.Key}}, "not configured"},
		{plan.HostAllow{At: at, NQN: "nqn.2026-01.io.strata:lab:n1:n2", Host: "nqn.2026-01.io.strata:lab:n2", Keys: a}, "no keys are configured"},
		{plan.KeyAdd{At: at, Name: "lab.host.db./k/a", Path: "/k/b"}, "not called after its file"},
		{plan.KeyAdd{At: at, Name: "other./k/b", Path: "/k/b"}, "not the cluster's"},
		{plan.KeyRemove{At: at, Name: "lab.host.db./k/a", Path: "/k/a"}, "needs it for"},
		{plan.KeyRemove{At: at, Name: "lab.host.db./k/old", Path: "/k/old"}, ""},
	} {
		cfg, snap := plantest.TwoNodes(t, volumes, `n1 tcp
n1 key lab.host.db./k/a /k/a
n1 key lab.host.db./k/t /k/t
n1 key lab.host.db./k/old /k/old
n1 subsystem `+export+` host=`+host+`,lab.host.db./k/a,lab.host.db./k/t
n2 tcp
`)
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{{{Op: c.op, Risk: plan.RiskCreate}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want: %q", c.op.Words(), err, c.want)
		}
	}
}

// TestPauseHoldsAllWays: a pause that leaves hosts a way in is refused.
func TestPauseHoldsAllWays(t *testing.T) {
	const export = "nqn.2026-01.io.strata:lab:db.k3f7"
	cfg, snap := inService(t)
	n := snap.Nodes["n1"]
	sub := n.Subsystems[export]
	sub.Listeners = append(sub.Listeners, state.Listener{Address: "fd00::1", Port: "4420"})
	one, other := sub.Listeners[0].Portal(), sub.Listeners[1].Portal()
	at := plan.At{Node: "n1"}
	for _, c := range []struct {
		held []lineage.Portal
		good bool
	}{{[]lineage.Portal{one}, false}, {[]lineage.Portal{other}, false}, {[]lineage.Portal{one, other}, true}} {
		pause := plan.Pause{At: at, NQN: export, NSID: 1, ANAGroup: 1, Portals: c.held}
		resume := plan.Resume{At: at, NQN: export, Portals: c.held}
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{{{Op: pause, Risk: plan.RiskPause}}, {{Op: resume, Risk: plan.RiskCreate}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if (err == nil) != c.good {
			t.Errorf("%v held: %v", c.held, err)
		}
	}
}
