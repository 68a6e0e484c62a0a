package report

import (
	"testing"

	"strata/lineage"
	"strata/plan/plantest"
)

// What would become of a volume of which all is well follows from where its legs are, and
// from what their names promise.
func TestFailover(t *testing.T) {
	const lab = `
cluster: "lab"
auto: ["serve", "fence"]
nodes: {
	n1: {rpc: "unix:///n1", address: "10.0.0.1", pools: fast: aio: "/dev/n1"}
	n2: {rpc: "unix:///n2", address: "10.0.0.2", pools: fast: aio: "/dev/n2"}
	n3: {rpc: "unix:///n3", address: "10.0.0.3"}
}
volumes: db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: hosts: "any", failover: "auto"}
`
	world := func(head1, head2 string) string {
		return `
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#` + head1 + ` u1 64Mi 9
n1 subsystem nqn.2026-01.io.strata:lab:n1:n3~wait host=nqn.2026-01.io.strata:lab:n3
n1 namespace nqn.2026-01.io.strata:lab:n1:n3~wait 7 u1
n1 listen nqn.2026-01.io.strata:lab:n1:n3~wait 10.0.0.1 4420
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#` + head2 + ` u2 64Mi 9
n2 subsystem nqn.2026-01.io.strata:lab:n2:n3~wait host=nqn.2026-01.io.strata:lab:n3
n2 namespace nqn.2026-01.io.strata:lab:n2:n3~wait 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n3~wait 10.0.0.2 4420
n3 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n3~wait enabled 10.0.0.1 4420
n3 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n3~wait enabled 10.0.0.2 4420
n3 remote lab.n1~waitn7 u1 64Mi
n3 remote lab.n2~waitn7 u2 64Mi
n3 raid lab.db.k3f7 online u1 u2
n3 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n3 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n3 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.3 4420
`
	}
	const path = "n2 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any\nn2 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.2 4420 paused\n"
	for _, c := range []struct{ name, world, want string }{
		{"two elsewhere", world("2.2q", "2.2q"), "by itself, to n1"},
		{"hosts have a path to the second", world("2.2q", "2.2q") + path, "by itself, to n2"},
		{"links did not wait", world("2.2", "2.2"), "not by itself: it is not known of the replicas on n1, n2 that they have everything"},
		{"one was not told of the epoch", world("3.2q", "2.2q"), "not by itself: it is not known of the replicas on n2 that they have everything"},
	} {
		cfg := plantest.Config(t, lab)
		got := Build(cfg, plantest.World(t, lineage.Cluster("lab"), c.world)).Volumes[0].Failover
		if got == nil || got.Words() != c.want {
			t.Errorf("%s: %+v; want %s", c.name, got, c.want)
		}
	}
	cfg := plantest.Config(t, lab)
	cfg.Volumes[0].Failover = false
	if got := Build(cfg, plantest.World(t, "lab", world("2.2q", "2.2q"))).Volumes[0].Failover; got == nil || got.Auto {
		t.Errorf("manual: %+v", got)
	}
	if cfg.Links.PatienceMs = 0; Build(cfg, plantest.World(t, "lab", world("2.2q", "2.2q"))).Volumes[0].Failover != nil {
		t.Error("something is said where links do not wait")
	}
}
