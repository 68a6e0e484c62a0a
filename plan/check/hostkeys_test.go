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
		{plan.HostAllow{At: at, NQN: "nqn.2026-01.io.strata:lab:n1:n2", Host: "nqn.2026-01.io.strata:lab:n2", Keys: a}, "need not prove anything"},
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

// TestSentKeys: a key that strata puts on nodes goes there by ssh and under its own name, and a host is let in
// with that one alone; what a target may read stays.
func TestSentKeys(t *testing.T) {
	const (
		export = "nqn.2026-01.io.strata:lab:db.k3f7"
		host   = "nqn.2026-01.com.example:a"
		check0 = "aaaaaaaaaaaaaaaa"
		check1 = "bbbbbbbbbbbbbbbb"
	)
	name := func(host lineage.NQN, role lineage.KeyRole, check string) string {
		return lineage.Cluster("lab").SentKey(lineage.SentKey{Volume: "db", Whose: lineage.Whose(host, role), Check: check})
	}
	is, other, ctrl := name(host, lineage.RoleHost, check0), name(host, lineage.RoleHost, check1), name(host, lineage.RoleTarget, check0)
	cfg := plantest.Config(t, `cluster: "lab"
nodes: n1: {rpc: "ssh://root@n1/s", address: "10.0.0.1", pools: fast: aio: "/dev/n1"}
nodes: n2: {rpc: "unix:///s2", address: "10.0.0.2", pools: fast: aio: "/dev/n2"}
volumes: db: {size: 64Mi, engine: "n1", replicas: on: ["n1"], export: nvmf: hosts: [{nqn: "`+host+`", dhchap: key: env: "A"}]}`)
	snap := plantest.World(t, "lab", `n1 tcp
n1 key `+is+` /s.keys/`+is+`
n1 key `+other+` /s.keys/`+other+`
n1 keyfile `+is+`
n1 keyfile `+other+`
n1 keyfile `+ctrl+`
n1 subsystem `+export+` host=`+host+`,`+is+`
n2 tcp
n2 subsystem `+export+`
`)
	opt := plan.Options{Keys: plan.KeysFound{{Volume: "db", Host: host, Role: lineage.RoleHost}: {Check: check0}}}
	n1, n2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	send := plan.KeySend{At: n1, Volume: "db", Host: host, Role: lineage.RoleHost, Name: is, Check: check0}
	to := func(at plan.At, is string, host lineage.NQN, role lineage.KeyRole) plan.KeySend {
		op := send
		op.At, op.Name, op.Host, op.Role = at, is, host, role
		return op
	}
	for _, c := range []struct {
		op   plan.Op
		want string
	}{
		{send, ""},
		{to(n2, is, host, lineage.RoleHost), "does not come by ssh"},
		{to(n1, other, host, lineage.RoleHost), "not what the key is called"},
		{to(n1, ctrl, host, lineage.RoleTarget), "no key of"},
		{to(n1, is, "nqn.2026-01.com.example:b", lineage.RoleHost), "no key of"},
		{plan.HostKeysSet{At: n1, NQN: export, Host: host, Keys: lineage.HostKeys{Key: is}}, ""},
		{plan.HostKeysSet{At: n1, NQN: export, Host: host, Keys: lineage.HostKeys{Key: other}}, "another key than the one that is configured"},
		{plan.HostKeysSet{At: n1, NQN: export, Host: host}, "no key of its"},
		{plan.HostKeysSet{At: n1, NQN: export, Host: host, Keys: lineage.HostKeys{Key: is, CtrlKey: ctrl}}, "not configured"},
		{plan.HostAllow{At: n2, NQN: export, Host: host, Keys: lineage.HostKeys{Key: is}}, "does not have key"},
		{plan.KeyAdd{At: n1, Name: ctrl, Path: "/s.keys/" + ctrl}, ""},
		{plan.KeyAdd{At: n1, Name: ctrl, Path: "/elsewhere/" + ctrl}, "is not there"},
		{plan.KeyAdd{At: n2, Name: is, Path: "/s.keys/" + is}, "is not there"},
		{plan.KeyErase{At: n1, Name: ctrl}, ""},
		{plan.KeyErase{At: n1, Name: other}, "in its keyring"},
		{plan.KeyErase{At: n1, Name: "lab.host.db./k/a"}, "no key file of the cluster's"},
		{plan.KeyRemove{At: n1, Name: is, Path: "/s.keys/" + is}, "needs it for"},
		{plan.KeyRemove{At: n1, Name: other, Path: "/s.keys/" + other}, ""},
	} {
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{{{Op: c.op, Risk: plan.RiskCreate}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, opt)
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
