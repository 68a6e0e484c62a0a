package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// TestTLS: nobody is let in without whose hosts come by TLS, and what is of TLS shares its
// address with nothing that is not.
func TestTLS(t *testing.T) {
	const (
		secret = "nqn.2026-01.io.strata:lab:db.k3f7"
		plain  = "nqn.2026-01.io.strata:lab:log.q2xa"
		host   = "nqn.2026-01.com.example:a"
		key    = "lab.host.db./k/a"
	)
	cfg := plantest.Config(t, `cluster: "lab"
discovery: true
nodes: [string]: tlsPort: 4421
nodes: n1: {rpc: "unix:///s1", address: "10.0.0.1", pools: fast: aio: "/dev/n1"}
nodes: n2: {rpc: "unix:///s2", address: "10.0.0.2", port: 4430, pools: fast: aio: "/dev/n2"}
volumes: db: {size: 64Mi, replicas: 2, export: nvmf: hosts: [{nqn: "`+host+`", psk: path: "/k/a"}]}
volumes: log: {size: 64Mi, replicas: 2, export: nvmf: hosts: ["`+host+`"]}`)
	const subsystems = `n1 key ` + key + ` /k/a
n1 subsystem ` + secret + ` host=` + host + `
n1 subsystem ` + plain + ` host=` + host + `
n2 key ` + key + ` /k/a
n2 subsystem ` + secret + ` host=` + host + `,,,` + key + `
n2 listen ` + secret + ` 10.0.0.2 4430 tls
`
	n1, n2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	with := lineage.HostKeys{PSK: key}
	for _, c := range []struct {
		world string
		op    plan.Op
		want  string
	}{
		{"", plan.ListenerAdd{At: n1, NQN: secret, Address: "10.0.0.1", Port: "4421", TLS: true}, ""},
		{"", plan.ListenerAdd{At: n1, NQN: secret, Address: "10.0.0.1", Port: "4420"}, "would let them in without"},
		{"", plan.ListenerAdd{At: n1, NQN: plain, Address: "10.0.0.1", Port: "4421", TLS: true}, "do not come by TLS"},
		{"n1 listen " + plain + " 10.0.0.1 4421\n", plan.ListenerAdd{At: n1, NQN: secret, Address: "10.0.0.1", Port: "4421", TLS: true}, "without TLS, and so would this"},
		{"n1 discovery 10.0.0.1 4421\n", plan.ListenerAdd{At: n1, NQN: secret, Address: "10.0.0.1", Port: "4421", TLS: true}, "without TLS, and so would this"},
		{"n1 listen " + secret + " 10.0.0.1 4421 tls\n", plan.ListenerAdd{At: n1, NQN: plain, Address: "10.0.0.1", Port: "4421"}, "nobody would come there without"},
		{"", plan.DiscoveryListen{At: n2, Address: "10.0.0.2", Port: "4430"}, "nobody would come there without"},
		{"", plan.HostExchange{At: n1, NQN: secret, Host: host, Keys: with}, ""},
		{"", plan.HostExchange{At: n1, NQN: secret, Host: host}, "without the key in /k/a"},
		{"", plan.HostAllow{At: n1, NQN: plain, Host: host, Keys: with}, "not configured"},
		{"", plan.HostKeysSet{At: n1, NQN: secret, Host: host}, "without the key in /k/a"},
		{"", plan.HostKeysSet{At: n2, NQN: secret, Host: host}, ""},
		{"", plan.KeyRemove{At: n2, Name: key, Path: "/k/a"}, "needs it"},
	} {
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{{{Op: c.op, Risk: c.op.Facts().Risk}}}}
		err := check.Check(cfg, plantest.World(t, "lab", subsystems+c.world), &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, not %q", c.op.Words(), err, c.want)
		}
	}
}
