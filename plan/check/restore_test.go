package check_test

import (
	"strings"
	"testing"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// What an archive has is written to nothing but what stands on the image that it differs
// from, becomes a snapshot of that name and no other, and a head when all of it is written;
// what is to follow gets no head.
func TestCheckRefusesRestores(t *testing.T) {
	n1 := plan.At{Node: "n1"}
	fill := func(name, image, over lineage.LvolName) plan.Op {
		return plan.Fill{At: n1, Archive: "main", Cluster: "lab", Image: image, Over: over, Lvstore: "lab.fast", Name: name}
	}
	cut := func(name, layer lineage.LvolName) plan.Op {
		return plan.LvolSnapshot{At: n1, Lvstore: "lab.fast", Lvol: name, Layer: layer}
	}
	head := plan.LvolRename{At: n1, Lvstore: "lab.fast", From: "back.aaaa+~k3f7", To: "back.aaaa#2.1.1s"}
	const back, dr = "back.aaaa+~k3f7", "dr.bbbb+~k3f7"
	for _, c := range []struct {
		why string
		ops []plan.Op
	}{
		{"", []plan.Op{fill(back, "db.k3f7@2.a", ""), cut(back, "back.aaaa@1.a"), fill(back, "db.k3f7@3.b", "db.k3f7@2.a"), head}},
		{"does not hold the whole image", []plan.Op{head}},
		{"does not hold the image of a snapshot b", []plan.Op{fill(back, "db.k3f7@2.a", ""), cut(back, "back.aaaa@1.b")}},
		{"does not hold the image of a snapshot a", []plan.Op{cut(back, "back.aaaa@1.a")}},
		{"does not stand on the image of db.k3f7@2.a", []plan.Op{fill(back, "db.k3f7@3.b", "db.k3f7@2.a")}},
		{"is not empty", []plan.Op{fill(back, "db.k3f7@2.a", ""), fill(back, "db.k3f7@3.b", "")}},
		{"has no record of db.k3f7@9.z", []plan.Op{fill(back, "db.k3f7@9.z", "")}},
		{"is an image of another incarnation", []plan.Op{fill(back, "db.cccc@2.a", "")}},
		{"is no lvol that is being made", []plan.Op{fill("dr.bbbb+~k3f7~", "db.k3f7@2.a", "")}},
		{"", []plan.Op{fill(dr, "db.k3f7@3.b", "db.k3f7@2.a"), cut(dr, "dr.bbbb@3.b")}},
		{"does not stand on the image of db.k3f7@4.x", []plan.Op{fill(dr, "db.k3f7@3.b", "db.k3f7@4.x")}},
		{"follows what is recorded, and has db.k3f7@3.b, not epoch 4", []plan.Op{fill(dr, "db.k3f7@3.b", "db.k3f7@2.a"), cut(dr, "dr.bbbb@4.b")}},
		{"is configured to follow, and is not to be served", []plan.Op{plan.LvolClone{At: n1, Lvstore: "lab.fast", Layer: "dr.bbbb@2.a", Name: "dr.bbbb#3.1.2s"}}},
	} {
		cfg, snap := plantest.TwoNodes(t, `archives: main: {dir: "/backup", password: env: "STRATA_ARCHIVE_PASSWORD"}
volumes: back: {size: 64Mi, replicas: 1, from: {archive: "main", volume: "db"}}
volumes: dr: {size: 64Mi, replicas: 1, from: {archive: "main", volume: "db", follow: true}}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/back.aaaa+~k3f7 s1 64Mi 0
n1 lvol lab.fast/dr.bbbb+~k3f7~ m1 1Mi 0
n1 lvol lab.fast/dr.bbbb@2.a l1 64Mi 3 snapshot
n1 lvol lab.fast/dr.bbbb+~k3f7 s2 64Mi 0 parent=dr.bbbb@2.a
n2 tcp
`)
		found := catalog.Catalog{"main": {Records: []catalog.Record{
			{Cluster: "lab", Layer: "db.cccc@2.a", Bytes: 1 << 20}, {Cluster: "lab", Layer: "db.k3f7@2.a", Bytes: 1 << 20}, {Cluster: "lab", Layer: "db.k3f7@3.b", Bytes: 1 << 20},
		}}}
		s := plan.Section{Kind: plan.KindVolume, Name: "back"}
		if name, _ := lineage.Parse(dr); strings.Contains(c.ops[0].Words(), "dr.bbbb") {
			s.Name = name.Of().Name
		}
		for _, op := range c.ops {
			if f, is := op.(plan.Fill); is {
				f.Bytes = 1 << 20
				op = f
			}
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskCreate}})
		}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, plan.Options{Catalog: found})
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: got %v, want: %s", c.ops[len(c.ops)-1].Words(), err, c.why)
		}
	}
}
