package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// damagedWorld has a replica on n2 that was let go, whose layer of epoch 3 is damaged.
const damagedWorld = `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7!s44we8 sn1 1Mi 0
n1 lvol lab.fast/db.k3f7@2.a a2 64Mi 5
n1 lvol lab.fast/db.k3f7@3.b a3 64Mi 3 parent=db.k3f7@2.a
n1 lvol lab.fast/db.k3f7#5.1.3p u1 64Mi 9 parent=db.k3f7@3.b
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 u1
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7!s44we8=3 sn2 1Mi 0
n2 lvol lab.fast/db.k3f7@2.a b2 64Mi 5
n2 lvol lab.fast/db.k3f7@3.b b3 64Mi 3 parent=db.k3f7@2.a
n2 lvol lab.fast/db.k3f7#5.3x u2 64Mi 9 parent=db.k3f7@3.b
`

// What is damaged goes only while another replica has it, and what says so only with it.
func TestCheckOfDamage(t *testing.T) {
	at1, at2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	drop := plan.LvolDelete{At: at2, Lvstore: "lab.fast", Name: "db.k3f7@3.b"}
	renote := func(from, to string) plan.Op {
		return plan.LvolRename{At: at2, Lvstore: "lab.fast", From: lineage.LvolName("db.k3f7!s44we8" + from), To: lineage.LvolName("db.k3f7!s44we8" + to)}
	}
	swap := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(damagedWorld) }
	for _, c := range []struct {
		name, world, refused string
		ops                  []plan.Op
	}{
		{"another is well", damagedWorld, "", []plan.Op{drop}},
		{"the other is damaged, too", swap("!s44we8 sn1", "!s44we8=2 sn1"), "no current replica is known to have it whole", []plan.Op{drop}},
		{"no other has it", swap("n1 lvol lab.fast/db.k3f7@3.b a3 64Mi 3 parent=db.k3f7@2.a\n", "", "u1 64Mi 9 parent=db.k3f7@3.b", "u1 64Mi 9 parent=db.k3f7@2.a"), "", []plan.Op{drop}},
		{"another that is older is well", swap("!s44we8 sn1", "!s44we8=9 sn1"), "no current replica is known to have it whole", []plan.Op{drop}},
		{"it is there still", damagedWorld, "db.k3f7@3.b on n2 is damaged, or may be, and still there", []plan.Op{renote("=3", "-3")}},
		{"it is gone", damagedWorld, "", []plan.Op{drop, renote("=3", "-3")}},
		{"it is forgotten", damagedWorld, "and db.k3f7!s44we8 does not", []plan.Op{drop, renote("=3", "")}},
		{"it is forgotten later", damagedWorld, "is not current again", []plan.Op{drop, renote("=3", "-3"), renote("-3", "")}},
		{"less of it is damaged", damagedWorld, "and db.k3f7!s44we8=4 does not", []plan.Op{renote("=3", "=4")}},
		{"more of it is damaged", damagedWorld, "", []plan.Op{renote("=3", "=2")}},
		{"it is damaged after all", damagedWorld, "", []plan.Op{drop, renote("=3", "-3"), renote("-3", "=3")}},
		{"what says so goes first", damagedWorld, "and still there", []plan.Op{plan.LvolDelete{At: at2, Lvstore: "lab.fast", Name: "db.k3f7!s44we8=3"}}},
		{"a current one is found to be damaged", damagedWorld, "", []plan.Op{plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!s44we8", To: "db.k3f7!s44we8=3"}}},
		{"a current one is said to be gone", swap("!s44we8 sn1", "!s44we8=9 sn1"), "is current, and has what was damaged", []plan.Op{plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!s44we8=9", To: "db.k3f7!s44we8-9"}}},
		{"its old head is current", swap("!s44we8 sn1", "!s44we8-4 sn1"), "is the head that was there when it was damaged", []plan.Op{plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!s44we8-4", To: "db.k3f7!s44we8"}}},
		{"it is current again", swap("!s44we8 sn1", "!s44we8-3 sn1"), "", []plan.Op{plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!s44we8-3", To: "db.k3f7!s44we8"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, snap := plantest.TwoNodes(t, `volumes: db: {size: 64Mi, replicas: 2, snapshots: ["a", "b"], export: nvmf: hosts: "any"}`, c.world)
			s := plan.Section{Kind: plan.KindVolume, Name: "db"}
			for _, op := range c.ops {
				s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskReduce}})
			}
			err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Errorf("got %v, want %q", err, c.refused)
			}
		})
	}
}
