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

// partsServed are a configuration of one volume of three parts, and nodes that serve them: a
// mirror, and two with one leg each. Nothing is laid out over them.
func partsServed(t *testing.T, first string) (*schema.Config, *state.Snapshot) {
	t.Helper()
	return plantest.TwoNodes(t, `volumes: db: {layout: linear: [{size: 8Mi}, {size: 16Mi, replicas: 1}, {size: 4Mi, replicas: 1}], export: nvmf: hosts: "any"}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/`+first+` u1 8Mi 9
n1 lvol lab.fast/db.1.k3f7#2.1:3p u3 16Mi 9
n1 lvol lab.fast/db.2.k3f7#2.1:3p u4 4Mi 9
n1 lvol lab.fast/db.2.aaaa#2.1:3p u5 4Mi 9
n1 controller lab.n2 nqn.2026-01.io.strata:lab:n2:n1 enabled 10.0.0.2 4420
n1 remote lab.n2n7 u2 8Mi
n1 raid lab.db.0.k3f7 online u1 u2
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/`+strings.TrimRight(first, "ps")+` u2 8Mi 9
n2 subsystem nqn.2026-01.io.strata:lab:n2:n1 host=nqn.2026-01.io.strata:lab:n1
n2 namespace nqn.2026-01.io.strata:lab:n2:n1 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n1 10.0.0.2 4420
`)
}

// Nothing is laid out but all parts of one incarnation, in their order, as the heads say.
func TestCheckLaysOutWholly(t *testing.T) {
	const first = "db.0.k3f7#2.2:3p"
	whole := lineage.Volume{Name: "db", ID: "k3f7"}
	lay := func(change func(*plan.LayOut)) plan.LayOut {
		op := plan.LayOut{At: plan.At{Node: "n1"}, Raid: "lab.db.k3f7", UUID: lineage.Cluster("lab").ExportUUID(whole),
			Parts: []string{"lab.db.0.k3f7", "u3", "u4"}, StripKiB: 1024, Size: 28 << 20}
		change(&op)
		return op
	}
	same := lay(func(*plan.LayOut) {})
	show := func(nqn lineage.NQN, bdev string) plan.Op {
		return plan.NamespaceAdd{At: plan.At{Node: "n1"}, NQN: nqn, NSID: 1, Bdev: bdev, UUID: "x"}
	}
	const export, part = "nqn.2026-01.io.strata:lab:db.k3f7", "nqn.2026-01.io.strata:lab:db.1.k3f7"
	for _, c := range []struct {
		why   string // "": it passes
		first string // head of the first part
		ops   []plan.Op
	}{
		{"", first, []plan.Op{same, show(export, "lab.db.k3f7")}},
		{"is in the place of db.0.k3f7", first, []plan.Op{lay(func(op *plan.LayOut) { op.Parts = []string{"u3", "lab.db.0.k3f7", "u4"} })}},
		{"db.2.k3f7#2.1:3p is in the place of db.1.k3f7", first, []plan.Op{lay(func(op *plan.LayOut) { op.Parts = []string{"lab.db.0.k3f7", "u4", "u3"} })}},
		{"db.2.aaaa#2.1:3p is in the place of db.2.k3f7", first, []plan.Op{lay(func(op *plan.LayOut) { op.Parts[2] = "u5" })}},
		{`says that db is laid out as "3", and not as "2"`, first, []plan.Op{lay(func(op *plan.LayOut) { op.Parts, op.Size = op.Parts[:2], 24<<20 })}},
		{"", "db.0.k3f7#2.2:2p", []plan.Op{lay(func(op *plan.LayOut) { op.Parts, op.Size = op.Parts[:2], 24<<20 })}}, // the third comes next
		{"not laid out as volume db is configured", first, []plan.Op{lay(func(op *plan.LayOut) { op.Striped = true })}},
		{"not laid out as volume db is configured", first, []plan.Op{lay(func(op *plan.LayOut) { op.StripKiB = 64 })}},
		{"would have another UUID", first, []plan.Op{lay(func(op *plan.LayOut) { op.UUID = "x" })}},
		{"its parts have 29360128 bytes together", first, []plan.Op{lay(func(op *plan.LayOut) { op.Size = 27 << 20 })}},
		{"of that nothing is known", first, []plan.Op{lay(func(op *plan.LayOut) { op.Parts[2] = "u9" })}},
		{"not of a volume that is laid out", first, []plan.Op{lay(func(op *plan.LayOut) { op.Raid = "lab.logs.k3f7" })}},
		{`says that db is laid out as "2"`, "db.0.k3f7#2.2:2p", []plan.Op{same}},
		{`says that db is laid out as "3x64"`, "db.0.k3f7#2.2:3x64p", []plan.Op{same}},
		{"is sealed", "db.0.k3f7#2.2:3s", []plan.Op{same}},
		{"which is not all of it", first, []plan.Op{show(export, "lab.db.0.k3f7")}},
		{"hosts are shown the whole", first, []plan.Op{show(part, "u3")}},
		{"lab.db.k3f7 on n1 is laid out over lab.db.0.k3f7", first, []plan.Op{same, plan.RaidDelete{At: plan.At{Node: "n1"}, Raid: "lab.db.0.k3f7"}}},
		{"lab.db.k3f7 on n1 is laid out over db.1.k3f7#2.1:3p", first, []plan.Op{same, plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "db.1.k3f7#2.1:3p"}}},
		{"would leave the hosts of " + export + " paused", first, []plan.Op{
			plan.ListenerAdd{At: plan.At{Node: "n1"}, NQN: export, Address: "10.0.0.1", Port: "4420"},
			plan.ListenerRemove{At: plan.At{Node: "n1"}, NQN: export, Address: "10.0.0.1", Port: "4420"},
		}},
	} {
		cfg, snap := partsServed(t, c.first)
		s := plan.Section{Kind: plan.KindVolume, Name: "db"}
		for _, op := range c.ops {
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskPause}})
		}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: got %v, want: %s", c.ops[0].Words(), err, c.why)
		}
	}
}

// What is said of a whole is said of its parts, whether it is configured or was; a word for
// another, or for one part, is not.
func TestCheckReleasesWithTheWhole(t *testing.T) {
	_, snap := partsServed(t, "db.0.k3f7#2.2:3p")
	cfg, _ := plantest.TwoNodes(t, "", "")
	for grant, passes := range map[plan.Grant]bool{
		plan.VolumeGrant("db"):        true,
		plan.ReplicaGrant("db", "n2"): false,
		plan.VolumeGrant("db.2"):      true,
		plan.VolumeGrant("db.1"):      false,
		plan.VolumeGrant("d"):         false,
		plan.IncarnationGrant(lineage.Volume{Name: "db", ID: "k3f7"}): false, // of a section of its own
	} {
		s := plan.Section{Kind: plan.KindVolume, Name: "db.2", Stages: [][]plan.Step{{{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "db.2.k3f7#2.1:3p"}, Risk: plan.RiskDestroy}}}}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{AllowDestroy: plan.Grants{grant: true}})
		if passes != (err == nil) {
			t.Errorf("with %s: %v", grant.Flag(), err)
		}
	}
}

// A part is not taken over while another has nothing left that could be read, or its engine
// is let in there.
func TestCheckTakesOverWholly(t *testing.T) {
	const lab = `
cluster: "lab"
links: loss: "wait"
nodes: {
	n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1", pools: fast: {aio: "/dev/n1"}}
	n2: {rpc: "unix:///run/n2.sock", address: "10.0.0.2", pools: fast: {aio: "/dev/n2"}}
	n4: {rpc: "unix:///run/n4.sock", address: "10.0.0.4"}
}
volumes: db: {replicas: 1, layout: linear: [{size: 8Mi}, {size: 8Mi}], engine: "n4", export: nvmf: hosts: "any"}
`
	world := func(second, host string) string {
		return `
n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.0.k3f7#3.1:2w u1 8Mi 4
n1 subsystem nqn.2026-01.io.strata:lab:n1:n4~wait
n1 namespace nqn.2026-01.io.strata:lab:n1:n4~wait 7 u1
n1 listen nqn.2026-01.io.strata:lab:n1:n4~wait 10.0.0.1 4420
n1 asked nqn.2026-01.io.strata:lab:n1:n4~wait
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/` + second + ` u2 8Mi 4
n2 subsystem nqn.2026-01.io.strata:lab:n2:n4~wait` + host + `
n2 namespace nqn.2026-01.io.strata:lab:n2:n4~wait 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n4~wait 10.0.0.2 4420
n2 asked nqn.2026-01.io.strata:lab:n2:n4~wait
n4 unread connection refused
`
	}
	for _, c := range []struct{ why, world string }{
		{"", world("db.1.k3f7#3.1:2w", "")},
		{"no replica of db.1.k3f7 is left", world("db.1.k3f7#3:2x", "")},
		{"no replica of db.1.k3f7 is left", world("db.1.aaaa#3.1:2w", "")},
		{"db.1.k3f7: n4 is not fenced off n2", world("db.1.k3f7#3.1:2w", " host=nqn.2026-01.io.strata:lab:n4")},
	} {
		take := plan.LvolRename{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", From: "db.0.k3f7#3.1:2w", To: "db.0.k3f7#1003.1:2p"}
		p := &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{{Kind: plan.KindVolume, Name: "db.0", Stages: [][]plan.Step{{{Op: take, Risk: plan.RiskReduce}}}}}}}}
		err := check.Check(plantest.Config(t, lab), plantest.World(t, "lab", c.world), p, plan.Options{Failover: map[string]bool{"db.0": true, "db.1": true}})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("got %v, want: %s", err, c.why)
		}
	}
}
