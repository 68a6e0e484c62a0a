package recipe_test

import (
	"regexp"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/recipe"
	"strata/report"
)

// TestForeseen: what status says of volumes comes true when the node of their engine goes,
// also of several that go together.
func TestForeseen(t *testing.T) {
	const nodes = `
cluster: "lab"
auto: ["serve", "fence"]
nodes: {
	n1: {rpc: "unix:///n1", address: "10.0.0.1", pools: fast: aio: "/dev/n1"}
	n2: {rpc: "unix:///n2", address: "10.0.0.2", pools: fast: aio: "/dev/n2"}
	n3: {rpc: "unix:///n3", address: "10.0.0.3"}
}
volumes: [string]: {size: 64Mi, replicas: {count: 2, pool: "fast"}, engine: *"n3" | string, export: nvmf: hosts: "any", failover: *"auto" | string}
`
	for _, c := range []struct {
		name, volumes, more string
		want                map[string]string
	}{
		{"the first by name", `volumes: db: {}`, "", map[string]string{"db": "n1"}},
		{"several are spread", `volumes: {db: {}, log: {}, web: {}}`, "", map[string]string{"db": "n1", "log": "n2", "web": "n1"}},
		{"one that serves less", "volumes: db: {}\nvolumes: other: {engine: \"n1\", failover: \"manual\"}", "", map[string]string{"db": "n2", "other": ""}},
		{"a path of hosts", `volumes: db: {}`, "n2 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any\nn2 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.2 4420 paused\n", map[string]string{"db": "n2"}},
		{"where no replica is to be", "volumes: db: {}\nnodes: n1: maintenance: \"drain\"", "", map[string]string{"db": "n2"}},
		{"only by hand", `volumes: db: failover: "manual"`, "", map[string]string{"db": ""}},
		{"what is on a node that is away", `volumes: db: {}`, "away", map[string]string{"db": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plantest.Config(t, nodes+c.volumes)
			snap := plantest.World(t, cfg.Cluster, served(c.want, c.more))
			for _, v := range report.Build(cfg, snap).Volumes {
				if v.Failover == nil || string(v.Failover.To) != c.want[v.Name] || v.Failover.Auto != (c.want[v.Name] != "") {
					t.Errorf("%s: foreseen %+v; want %q", v.Name, v.Failover, c.want[v.Name])
				}
			}
			gone := snap.Foresee(cfg.Cluster, "n3")
			p, err := recipe.Build(cfg, gone, plan.Options{Auto: cfg.Autos(nil), Off: map[lineage.Node]string{}, Silent: map[lineage.Node]bool{}})
			if err != nil {
				t.Fatal(err)
			}
			text := plantest.Text(p)
			for name, to := range c.want {
				took := regexp.MustCompile(`(n\d) +rename lab.fast/` + name + `.k3f7#2.2q to \S+#1002.1p`).FindStringSubmatch(text)
				if name != "other" && (took == nil) != (to == "") || took != nil && took[1] != to {
					t.Errorf("%s does not go to %q:\n%s", name, to, text)
				}
			}
		})
	}
}

// served is a world in which n3 mirrors volumes on n1 and n2, but for the volume other,
// which is on n1 with the engine; n2 is away where more says so.
func served(volumes map[string]string, more string) string {
	var b strings.Builder
	line := func(format string, args ...string) { b.WriteString(strings.NewReplacer(args...).Replace(format)) }
	for _, n := range []string{"1", "2"} {
		line("nN disk /dev/nN lab.fast.disk claimed\nnN lvstore lab.fast lab.fast.disk 1Mi 1024\n"+
			"nN subsystem nqn.2026-01.io.strata:lab:nN:n3~wait host=nqn.2026-01.io.strata:lab:n3\nnN listen nqn.2026-01.io.strata:lab:nN:n3~wait 10.0.0.N 4420\n"+
			"n3 controller lab.nN~wait nqn.2026-01.io.strata:lab:nN:n3~wait enabled 10.0.0.N 4420\n", "N", n)
		for i, v := range []string{"db", "log", "web"} {
			if _, is := volumes[v]; is {
				line("nN lvol lab.fast/V.k3f7#2.2q uVN 64Mi 9\nnN namespace nqn.2026-01.io.strata:lab:nN:n3~wait I uVN\nn3 remote lab.nN~waitnI uVN 64Mi\n", "N", n, "V", v, "I", string(rune('7'+i)))
			}
		}
	}
	for _, v := range []string{"db", "log", "web"} {
		if _, is := volumes[v]; is {
			line("n3 raid lab.V.k3f7 online uV1 uV2\nn3 subsystem nqn.2026-01.io.strata:lab:V.k3f7 any\nn3 namespace nqn.2026-01.io.strata:lab:V.k3f7 1 lab.V.k3f7\nn3 listen nqn.2026-01.io.strata:lab:V.k3f7 10.0.0.3 4420\n", "V", v)
		}
	}
	if _, is := volumes["other"]; is {
		b.WriteString("n1 lvol lab.fast/other.k3f7#2.1wp uo1 64Mi 9\nn1 subsystem nqn.2026-01.io.strata:lab:other.k3f7 any\nn1 namespace nqn.2026-01.io.strata:lab:other.k3f7 1 uo1\nn1 listen nqn.2026-01.io.strata:lab:other.k3f7 10.0.0.1 4420\n")
	}
	if more == "away" {
		var kept []string
		for _, l := range strings.Split(b.String(), "\n") {
			if !strings.HasPrefix(l, "n2 ") {
				kept = append(kept, l)
			}
		}
		return strings.Join(kept, "\n") + "\nn2 unread connection refused\n"
	}
	return b.String() + more
}
