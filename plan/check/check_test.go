package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
)

// inService are a configuration of one volume, and nodes that serve it.
func inService(t *testing.T) (*schema.Config, *state.Snapshot) {
	t.Helper()
	return plantest.TwoNodes(t, `volumes: db: {size: 64Mi, replicas: 2, export: nvmf: hosts: "any"}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@2.base b1 64Mi 3
n1 lvol lab.fast/db.k3f7#3.2.2p u1 64Mi 9 parent=db.k3f7@2.base
n1 controller lab.n2 nqn.2026-01.io.strata:lab:n2:n1 enabled 10.0.0.2 4420
n1 remote lab.n2n7 u2 64Mi
n1 raid lab.db.k3f7 online u1 u2
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7@2.base b2 64Mi 3
n2 lvol lab.fast/db.k3f7#3.2.2 u2 64Mi 9 parent=db.k3f7@2.base
n2 subsystem nqn.2026-01.io.strata:lab:n2:n1 host=nqn.2026-01.io.strata:lab:n1
n2 namespace nqn.2026-01.io.strata:lab:n2:n1 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n1 10.0.0.2 4420
`)
}

// The check knows nothing of how a plan was made: each of these is refused by
// itself.
func TestCheckRefuses(t *testing.T) {
	const export = "nqn.2026-01.io.strata:lab:db.k3f7"
	const link = "nqn.2026-01.io.strata:lab:n2:n1"
	at1, at2 := plan.At{Node: "n1"}, plan.At{Node: "n2"}
	hide := plan.ListenerRemove{At: at1, NQN: export, Address: "10.0.0.1", Port: "4420"}
	noNamespace := plan.NamespaceRemove{At: at1, NQN: export, NSID: 1, Bdev: "lab.db.k3f7"}
	for _, c := range []struct {
		why string
		ops []plan.Op
	}{
		{"namespace 1 of " + export + " still shows lab.db.k3f7 on n1", []plan.Op{plan.RaidDelete{At: at1, Raid: "lab.db.k3f7"}}},
		{"namespace 7 of " + link + " still shows db.k3f7#3.2.2 on n2", []plan.Op{plan.LvolDelete{At: at2, Lvstore: "lab.fast", Name: "db.k3f7#3.2.2"}}},
		{"would leave the hosts of " + export + " paused", []plan.Op{plan.Pause{At: at1, NQN: export, Portals: []lineage.Portal{{Address: "10.0.0.1", Port: "4420"}}}}},
		{"would leave the hosts of " + export + " paused", []plan.Op{hide, noNamespace}},
		{"would leave db.k3f7 without a complete current copy", []plan.Op{
			hide, noNamespace, plan.RaidDelete{At: at1, Raid: "lab.db.k3f7"},
			plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7#3.2.2p", To: "db.k3f7#4x"},
		}},
		{"would leave db.k3f7 without a complete current copy", []plan.Op{
			plan.RaidRemoveLeg{At: at1, Raid: "lab.db.k3f7", Leg: "u2"}, hide, noNamespace, plan.RaidDelete{At: at1, Raid: "lab.db.k3f7"},
			plan.LvolDelete{At: at1, Lvstore: "lab.fast", Name: "db.k3f7#3.2.2p"},
		}},
		{"no lvol lab.fast/db.k3f7@9.gone on n1", []plan.Op{plan.LvolDelete{At: at1, Lvstore: "lab.fast", Name: "db.k3f7@9.gone"}}},
		{"theirs is not strata's", []plan.Op{plan.LvolDelete{At: at1, Lvstore: "lab.fast", Name: "theirs"}}},
		{"n9 is not a node of the cluster", []plan.Op{plan.TransportCreate{At: plan.At{Node: "n9"}}}},
	} {
		cfg, snap := inService(t)
		s := plan.Section{Kind: plan.KindVolume, Name: "db"}
		for _, op := range c.ops {
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskPause}})
		}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: got %v, want: %s", c.ops[0].Words(), err, c.why)
		}
	}
}

// What would leave an archive with something that is no image of a layer is refused, as is a
// copy onto other blocks, and taking a layer away that is being sent.
func TestCheckRefusesBackups(t *testing.T) {
	const run = "11111111-0000-4000-8000-000000000000"
	at1 := plan.At{Node: "n1"}
	whole := plan.Backup{At: at1, Archive: "main", Lvstore: "lab.fast", Layer: "db.k3f7@3.b", Below: []lineage.LvolName{"db.k3f7@2.a"}}
	with := func(change func(*plan.Backup)) plan.Backup {
		op := whole
		change(&op)
		return op
	}
	for _, c := range []struct {
		why   string
		world string
		op    plan.Op
	}{
		{"", "", whole},
		{"there is no archive other", "", with(func(op *plan.Backup) { op.Archive = "other" })},
		{"db.k3f7@2.a, which db.k3f7@3.b stands on, is left out", "", with(func(op *plan.Backup) { op.Below = nil })},
		{"db.k3f7@3.b does not stand on db.k3f7@1.x in that order", "", with(func(op *plan.Backup) { op.Below = []lineage.LvolName{"db.k3f7@1.x"} })},
		{"archive main has no record of db.k3f7@2.a", "", with(func(op *plan.Backup) { op.Below, op.Over = nil, "db.k3f7@2.a" })},
		{"does not say that layer db.k3f7@4.c counts", "", with(func(op *plan.Backup) {
			op.Layer, op.Below = "db.k3f7@4.c", []lineage.LvolName{"db.k3f7@2.a", "db.k3f7@3.b"}
		})},
		{"the replica in lab.new on n1 is not known to be current", "n1 disk /dev/new lab.new.disk claimed\nn1 lvstore lab.new lab.new.disk 1Mi 1024\nn1 lvol lab.new/db.k3f7@2.a c2 64Mi 3\n", with(func(op *plan.Backup) {
			op.Lvstore, op.Layer, op.Below = "lab.new", "db.k3f7@2.a", nil
		})},
		{"no layer", "", with(func(op *plan.Backup) { op.Layer, op.Below = "db.k3f7#4.1.3p", nil })},
		{"a layer of db.k3f7 on n1 is being backed up", "n1 controller lab.~backup.db.k3f7 nqn.2026-01.io.strata:lab:~backup:db.k3f7:" + run + " enabled 10.0.0.9 41000\n", plan.LvolDelete{At: at1, Lvstore: "lab.fast", Name: "db.k3f7@2.a"}},
		{"a layer of web.cccc on n1 is being backed up, and web.cccc@2.s stands on db.k3f7@2.a", "n1 lvol lab.fast/web.cccc@2.s w2 64Mi 1 snapshot parent=db.k3f7@3.b\nn1 controller lab.~backup.web.cccc nqn.2026-01.io.strata:lab:~backup:web.cccc:" + run + " enabled 10.0.0.9 41000\n", plan.LvolDelete{At: at1, Lvstore: "lab.fast", Name: "db.k3f7@2.a"}},
		{"the run that has n1 locked is at work on db.k3f7", "n1 locked " + run + "\nn1 controller lab.~backup.db.k3f7 nqn.2026-01.io.strata:lab:~backup:db.k3f7:" + run + " enabled 10.0.0.9 41000\n", plan.ControllerDetach{At: at1, Controller: "lab.~backup.db.k3f7"}},
		{"", "", plan.Scrub{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@3.b"}},
		{"no layer", "", plan.Scrub{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7#4.1.3p"}},
		{"does not say that layer db.k3f7@4.c counts", "", plan.Scrub{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@4.c"}},
		{"layer db.k3f7@2.a is not on n1", "", plan.Scrub{At: at1, Lvstore: "lab.new", Layer: "db.k3f7@2.a"}},
		{"layer db.k3f7@3.b was not read on n1", "n1 lvol lab.fast/db.k3f7!0 n1 1Mi 0\n", plan.Compare{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@3.b", From: "db.k3f7!0", To: "db.k3f7!1"}},
		{"do not say of volume db.k3f7", "n1 lvol lab.fast/web.k3f7!0 n1 1Mi 0\n", plan.Compare{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@3.b", From: "web.k3f7!0", To: "web.k3f7!1"}},
		{"db.k3f7!0~1.2 does not say that db.k3f7@3.b was compared", "n1 lvol lab.fast/db.k3f7!0 n1 1Mi 0\n", plan.Compare{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@3.b", From: "db.k3f7!0", To: "db.k3f7!0~1.2"}},
		{"says that the copy of another layer is damaged, and db.k3f7!1 does not", "n1 lvol lab.fast/db.k3f7!0=2 n1 1Mi 0\n", plan.Compare{At: at1, Lvstore: "lab.fast", Layer: "db.k3f7@3.b", From: "db.k3f7!0=2", To: "db.k3f7!1"}},
		{"the copy on n1 is damaged by what db.k3f7!0=2 says, and db.k3f7!0 does not", "n1 lvol lab.fast/db.k3f7!0=2 n1 1Mi 0\n", plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!0=2", To: "db.k3f7!0"}},
		{"are not of one kind", "n1 lvol lab.fast/db.k3f7!0 n1 1Mi 0\n", plan.LvolRename{At: at1, Lvstore: "lab.fast", From: "db.k3f7!0", To: "db.k3f7+9"}},
		{"says of layers that they were compared, and none was", "", plan.LvolCreate{At: at1, Lvstore: "lab.fast", Name: "db.k3f7!1", Size: 1 << 20}},
		{"db is not to be made of /x with that SHA-256", "n1 lvol lab.fast/db.cccc+~cccc s3 64Mi 0\n", plan.Fill{At: at1, File: "/x", SHA256: "00", Lvstore: "lab.fast", Name: "db.cccc+~cccc"}},
		{"lab.fast on n1 has blocks of 4096 bytes, and lab.fast on n2 of 512", "", plan.ShallowCopy{At: at1, Dest: "n2", Lvstore: "lab.fast", Layer: "db.k3f7@2.a", To: "s2"}},
	} {
		cfg, snap := plantest.TwoNodes(t, `archives: main: {dir: "/backup", password: env: "PW"}
nodes: n1: pools: new: aio: "/dev/new"
volumes: db: {size: 64Mi, replicas: on: ["n1"], export: nvmf: hosts: "any"}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@2.a a2 64Mi 3
n1 lvol lab.fast/db.k3f7@3.b a3 64Mi 3 parent=db.k3f7@2.a
n1 lvol lab.fast/db.k3f7@4.c a4 64Mi 3 parent=db.k3f7@3.b
n1 lvol lab.fast/db.k3f7#4.1.3p u1 64Mi 9 parent=db.k3f7@4.c
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 u1
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 disk /dev/n2 lab.fast.disk claimed blocks=512
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7+2 s2 64Mi 0
`+c.world)
		risk := plan.RiskCopy
		if _, deletes := c.op.(plan.LvolDelete); deletes {
			risk = plan.RiskDestroy
		}
		s := plan.Section{Kind: plan.KindBackup, Name: "db", Stages: [][]plan.Step{{{Op: c.op, Risk: risk}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{AllowDestroy: plantest.Grants("db@a")})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: got %v, want: %s", c.op.Words(), err, c.why)
		}
	}
}

// What destroys data is refused unless it was released, whatever it is.
func TestCheckRefusesWhatIsNotReleased(t *testing.T) {
	cfg, snap := inService(t)
	p := func() *plan.Plan {
		return &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{
			{{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "db.k3f7@2.base"}, Risk: plan.RiskDestroy}},
		}}}}}}
	}
	if err := check.Check(cfg, snap, p(), plan.Options{}); err == nil || !strings.Contains(err.Error(), "db@base was not released") {
		t.Errorf("not released: %v", err)
	}
	if err := check.Check(cfg, snap, p(), plan.Options{AllowDestroy: plantest.Grants("db@base")}); err != nil {
		t.Errorf("released: %v", err)
	}
	cfg.Volumes[0].Protect = true
	if err := check.Check(cfg, snap, p(), plan.Options{AllowDestroy: plantest.Grants("db@base")}); err == nil || !strings.Contains(err.Error(), "db is protected") {
		t.Errorf("protected: %v", err)
	}
}

// What is left of a volume is fenced only beside another incarnation of it that
// is served, and only once nothing shows it.
func TestCheckRefusesToFenceWhatMayBeInUse(t *testing.T) {
	const idle = `n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.aaaa#7.1p u2 64Mi 9
`
	const stopped = `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#3.1p u1 64Mi 9
`
	served := func(n, id, leg string) string {
		nqn := "nqn.2026-01.io.strata:lab:db." + id
		return n + " subsystem " + nqn + " any\n" + n + " namespace " + nqn + " 1 " + leg + "\n" + n + " listen " + nqn + " 10.0.0.1 4420\n"
	}
	fence := plan.LvolRename{At: plan.At{Node: "n2"}, Lvstore: "lab.fast", From: "db.aaaa#7.1p", To: "db.aaaa#8x"}
	for _, c := range []struct {
		name, world, section, volumes string
		op                            plan.Op
		refused                       bool
	}{
		{"another is served", stopped + served("n1", "k3f7", "u1") + idle, "db.aaaa", "db", fence, false},
		{"in another's section", stopped + served("n1", "k3f7", "u1") + idle, "db", "db", fence, true},
		{"another is not served", stopped + idle, "db.aaaa", "db", fence, true},
		{"there is no other", idle, "db.aaaa", "db", fence, true},
		{"it is served itself", stopped + served("n1", "k3f7", "u1") + idle + served("n2", "aaaa", "u2"), "db.aaaa", "db", fence, true},
		{"the volume is not configured", stopped + served("n1", "k3f7", "u1") + idle, "db.aaaa", "logs", fence, true},
		{"it is deleted", stopped + served("n1", "k3f7", "u1") + idle, "db.aaaa", "db", plan.LvolDelete{At: plan.At{Node: "n2"}, Lvstore: "lab.fast", Name: "db.aaaa#7.1p"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, snap := plantest.TwoNodes(t, "volumes: "+c.volumes+`: {size: 64Mi, replicas: 1, export: nvmf: hosts: "any"}`, c.world)
			s := plan.Section{Kind: plan.KindVolume, Name: c.section, Stages: [][]plan.Step{{{Op: c.op, Risk: plan.RiskReduce}}}}
			err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
			if refused := err != nil && strings.Contains(err.Error(), "without a complete current copy"); refused != c.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The last incarnation of a configured volume is destroyed by no word.
func TestCheckRefusesToDestroyTheLastIncarnation(t *testing.T) {
	cfg, snap := inService(t)
	s := plan.Section{Kind: plan.KindVolume, Name: "db.k3f7", Stages: [][]plan.Step{{{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "db.k3f7@2.base"}, Risk: plan.RiskDestroy}}}}
	err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{AllowDestroy: plantest.Grants("db.k3f7")})
	if err == nil || !strings.Contains(err.Error(), "was not released") {
		t.Errorf("got %v", err)
	}
}

// A volume's name releases no disk of a node that is called so, and protects none.
func TestCheckTellsANodeFromAVolumeOfItsName(t *testing.T) {
	cfg, snap := plantest.TwoNodes(t, `
volumes: n1: {size: 64Mi, replicas: 1, protect: true, export: "none"}
nodes: n1: pools: slow: {aio: "/dev/slow", format: true}
`, "n1 disk /dev/slow lab.slow.disk\n")
	write := plan.LvstoreCreate{At: plan.At{Node: "n1"}, Lvstore: "lab.slow", OnTarget: "lab.slow.aaaa", Bdev: "lab.slow.disk", ClusterSize: 1 << 20}
	s := plan.Section{Kind: plan.KindNode, Name: "n1", Stages: [][]plan.Step{{{Op: write, Risk: plan.RiskDestroy}}}}
	for name, want := range map[string]string{"n1": "n1/slow was not released", "n1:n1": "n1/slow was not released", "n1/slow": ""} {
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{AllowDestroy: plantest.Grants(name)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A snapshot on schedule is released by the policy that lets it go, and by nothing
// that only looks like that.
func TestCheckAsksTheRetentionPolicy(t *testing.T) {
	const now = 1795203000 // 2026-11-20 19:30 UTC
	const world = `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@2.auto-20261119-0000 b2 64Mi 3
n1 lvol lab.fast/db.k3f7@3.auto-20261120-1700 b3 64Mi 3 parent=db.k3f7@2.auto-20261119-0000
n1 lvol lab.fast/db.k3f7@4.auto-20261120-1800 b4 64Mi 3 parent=db.k3f7@3.auto-20261120-1700
n1 lvol lab.fast/db.k3f7@5.auto-20261120-1900 b5 64Mi 3 parent=db.k3f7@4.auto-20261120-1800
n1 lvol lab.fast/db.k3f7@6.auto-20261120-2300 b6 64Mi 3 parent=db.k3f7@5.auto-20261120-1900
n1 lvol lab.fast/db.k3f7@9.auto-20261120-1930 b9 64Mi 3 parent=db.k3f7@6.auto-20261120-2300
n1 lvol lab.fast/db.k3f7#7.1.6p u1 64Mi 9 parent=db.k3f7@9.auto-20261120-1930
`
	const schedule = `every: "1h", keep: hourly: 2`
	for _, c := range []struct {
		name, layer, policy string
		now                 int64
		refused             bool
	}{
		{"of a day that nothing keeps", "db.k3f7@2.auto-20261119-0000", schedule, now, false},
		{"of an hour that nothing keeps", "db.k3f7@3.auto-20261120-1700", schedule, now, false},
		{"of the last hour but one", "db.k3f7@4.auto-20261120-1800", schedule, now, true},
		{"the youngest", "db.k3f7@5.auto-20261120-1900", schedule, now, true},
		{"another rule keeps it", "db.k3f7@2.auto-20261119-0000", `every: "1h", keep: {hourly: 2, daily: 2}`, now, true},
		{"its time has not come", "db.k3f7@6.auto-20261120-2300", schedule, now, true},
		{"no cut that counts made it", "db.k3f7@9.auto-20261120-1930", schedule, now, true},
		{"there is no schedule", "db.k3f7@2.auto-20261119-0000", "", now, true},
		{"there is no clock", "db.k3f7@2.auto-20261119-0000", schedule, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, snap := plantest.TwoNodes(t, `volumes: db: {size: 64Mi, replicas: 1, protect: true, export: "none", `+c.policy+"}", world)
			s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{
				{{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: lineage.LvolName(c.layer)}, Risk: plan.RiskDestroy}},
			}}
			err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{Now: c.now})
			if refused := err != nil && strings.Contains(err.Error(), "db is protected"); refused != c.refused || err != nil && !refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A cut of a group counts as soon as one volume's head says so.
func TestCheckKnowsThatAGroupsCutCounts(t *testing.T) {
	for cut, refused := range map[string]bool{"4": true, "5": false} {
		cfg, snap := plantest.TwoNodes(t, `volumes: {[string]: {size: 64Mi, replicas: 1, export: "none", group: "g", every: "1h", keep: hourly: 2}, db: {}, wal: {}}`, `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@3.auto-20261120-1700 b3 64Mi 3
n1 lvol lab.fast/db.k3f7@4.auto-20261120-1800 b4 64Mi 3 parent=db.k3f7@3.auto-20261120-1700
n1 lvol lab.fast/db.k3f7@5.auto-20261120-1900 b5 64Mi 3 parent=db.k3f7@4.auto-20261120-1800
n1 lvol lab.fast/db.k3f7#5.1.4p u1 64Mi 9 parent=db.k3f7@5.auto-20261120-1900
n1 lvol lab.fast/wal.aaaa@5.auto-20261120-1900 c5 64Mi 3
n1 lvol lab.fast/wal.aaaa#5.1.`+cut+`p u2 64Mi 9 parent=wal.aaaa@5.auto-20261120-1900
`)
		s := plan.Section{Kind: plan.KindVolume, Name: "db", Stages: [][]plan.Step{
			{{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "db.k3f7@3.auto-20261120-1700"}, Risk: plan.RiskDestroy}},
		}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{Now: 1795203000})
		if refused && (err == nil || !strings.Contains(err.Error(), "db@auto-20261120-1700 was not released")) || !refused && err != nil {
			t.Errorf("wal is cut at %s: got %v", cut, err)
		}
	}
}

// A peer of a link that waits is let go once the names of the other legs say that
// its leg is out; a RAID without other legs goes down with it.
func TestCheckLetsGoOnceNamesSaySo(t *testing.T) {
	const world = `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#OWN u1 64Mi 9
n1 controller lab.n2~wait nqn.2026-01.io.strata:lab:n2:n1~wait STATE 10.0.0.2 4420
n1 remote lab.n2~waitn7 u2 64Mi
n1 controller lab.n3~wait nqn.2026-01.io.strata:lab:n3:n1~wait enabled 10.0.0.3 4420
n1 remote lab.n3~waitn9 u3 64Mi
n1 raid lab.db.k3f7 online LEGS
SHOWN
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#PEERS u2 64Mi 9
`
	for _, c := range []struct {
		name, own, peers, legs, state string
		refused                       bool
	}{
		{"both are current", "2.2wp", "2.2w", "u1 u2", "enabled", true},
		{"nobody is served", "2.2wp", "2.2w", "u1 u2", "enabled", false},
		{"its leg is out", "3.1p", "2.2w", "u1 u2", "enabled", false},
		{"its leg is out and fenced", "3.1p", "3x", "u1 u2", "enabled", false},
		{"its leg is of the newest epoch, too", "3.1p", "3.1", "u1 u2", "enabled", true},
		{"its leg knows of a later epoch", "3.1p", "4.1", "u1 u2", "enabled", true},
		{"the other is fenced", "3x", "2.2w", "u1 u2", "enabled", true},
		{"there is no other leg", "2.2wp", "2.2w", "u2 -", "enabled", false},
		{"it has no leg", "2.2wp", "2.2w", "u1 -", "enabled", false},
		{"nobody can read whether another is", "3.2p", "2.2w", "u1 u2 u3", "enabled", true},
		{"nobody can read another, which need not be", "3.1p", "2.2w", "u1 u2 u3", "enabled", false},
		{"it was given up already", "2.2wp", "2.2w", "u1 u2", "disabled", false},
	} {
		shown := "n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any\nn1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7"
		if c.name == "nobody is served" {
			shown = ""
		}
		for _, op := range []plan.Op{plan.ControllerDisable{At: plan.At{Node: "n1"}, Controller: "lab.n2~wait"}, plan.ControllerDetach{At: plan.At{Node: "n1"}, Controller: "lab.n2~wait"}} {
			cfg, snap := plantest.TwoNodes(t, `links: loss: "wait"
volumes: db: {size: 64Mi, replicas: 2, export: "none"}`, strings.NewReplacer("OWN", c.own, "PEERS", c.peers, "LEGS", c.legs, "STATE", c.state, "SHOWN", shown).Replace(world))
			s := plan.Section{Kind: plan.KindLink, Name: "n2 → n1 (wait)", Stages: [][]plan.Step{{{Op: op}}}}
			err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
			if refused := err != nil && strings.Contains(err.Error(), "do not say that it is out"); refused != c.refused || err != nil && !refused {
				t.Errorf("%s: %s: got %v", c.name, op.Words(), err)
			}
		}
	}
}
