package recipe

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
)

// What is released and not there is noted, with what may have been meant.
func TestUnused(t *testing.T) {
	cfg := plantest.Config(t, `volumes: db: {size: 64Mi, replicas: on: ["n1"]}
nodes: n2: pools: slow: {aio: "/dev/slow", format: true}
nodes: n3: pools: slow: aio: "/dev/slow"
`)
	snap := plantest.World(t, cfg.Cluster, `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@1.base u0 64Mi 9 snapshot
n1 lvol lab.fast/db.k3f7#1.1p u1 64Mi 9 parent=db.k3f7@1.base
n1 lvol lab.fast/older.aaaa#1.1p u2 64Mi 9
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n3 unread connection refused
`)
	for name, want := range map[string]string{
		"n2/slow": "", "n3/fast": "", "older": "", "older.aaaa": "", "db:n1": "", "db:n3": "", "db@base": "",
		"n1/fast": `pool n1/fast: --allow-destroy n1/fast releases nothing: it has its lvstore; `,
		"n1/slow": `pool n1/slow: --allow-destroy n1/slow releases nothing: no such pool is configured; `,
		"n3/slow": `pool n3/slow: --allow-destroy n3/slow releases nothing: format is not set for it; set format: true`,
		"oldr":    `volume oldr: --allow-destroy oldr releases nothing: no such volume was found; did you mean "older"?`,
		"dbb:n1":  `volume dbb: --allow-destroy dbb:n1 releases nothing: no such volume was found; did you mean "db"?`,
		"db.zzzz": `volume db: --allow-destroy db.zzzz releases nothing: no such volume was found; volumes: older`,
		"db:n2":   `volume db: --allow-destroy db:n2 releases nothing: nothing of it was found on n2; `,
		"db@bse":  `volume db: --allow-destroy db@bse releases nothing: it has no such snapshot; did you mean "base"?`,
		"db@head": `volume db: --allow-destroy db@head releases nothing: its head is not to be reverted; `,
	} {
		var got []string
		for _, f := range Unused(cfg, snap, plan.Options{AllowDestroy: plantest.Grants(name)}) {
			got = append(got, f.About+": "+f.Text+"; "+f.Hint)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Nobody takes over from an engine that answers, and it is said so.
func TestUnusedFailover(t *testing.T) {
	for _, c := range []struct{ name, extra, world, want string }{
		{"it answers", "", "n1 raid lab.db.k3f7 online u1 -\n", "volume db: --failover db does nothing: it is served on n1, which answers; to have it served elsewhere, set its engine, or drain n1"},
		{"it does not", "", "", ""},
		{"it is suspended", "nodes: n3: maintenance: \"suspend\"\n", "n2 subsystem nqn.2026-01.io.strata:lab:n2:n3~wait host=nqn.2026-01.io.strata:lab:n3\nn2 namespace nqn.2026-01.io.strata:lab:n2:n3~wait 7 u2\n",
			"volume db: --failover db does nothing: its engine was on n3, which is suspended; take maintenance out of n3 first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plantest.Config(t, "links: loss: \"wait\"\nvolumes: db: {size: 64Mi, replicas: 2, export: \"none\"}\n"+c.extra)
			heads := "n1 lvol lab.fast/db.k3f7#2.2p u1 64Mi 9\n"
			if c.name == "it is suspended" {
				heads = "n2 lvol lab.fast/db.k3f7#2.1w u2 64Mi 9\n"
			}
			snap := plantest.World(t, cfg.Cluster, "n1 disk /dev/n1 lab.fast.disk claimed\nn1 lvstore lab.fast lab.fast.disk 1Mi 1024\nn2 disk /dev/n2 lab.fast.disk claimed\nn2 lvstore lab.fast lab.fast.disk 1Mi 1024\n"+heads+c.world+"n3 unread connection refused\n")
			var got []string
			for _, f := range Unused(cfg, snap, plan.Options{Failover: map[string]bool{"db": true}}) {
				got = append(got, f.About+": "+f.Text+"; "+f.Hint)
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}
