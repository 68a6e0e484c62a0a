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

// What hosts use in place of a head reads the image that its name says, is put on a layer of that
// and no other, becomes a head when it stands there, and is nothing else before; the image
// stays as long as it is read.
func TestCheckRefusesRestoresAtOnce(t *testing.T) {
	const ahead, head = "db2.aaaa+~k3f7.3.64", "db2.aaaa#4.1.3p"
	n1 := plan.At{Node: "n1"}
	name, _ := lineage.Parse(ahead)
	uuid := string(lineage.Cluster("lab").ImageUUID(name.(lineage.Staging)))
	serve := func(image lineage.LvolName, name lineage.LvolName) plan.Op {
		return plan.ImageAttach{At: n1, Archive: "main", Cluster: "lab", Image: image, Lvstore: "lab.fast", Name: name}
	}
	clone := func(bdev, name string) plan.Op {
		return plan.LvolCloneBdev{At: n1, Lvstore: "lab.fast", Bdev: lineage.UUID(bdev), Name: lineage.LvolName(name)}
	}
	put := func(layer lineage.LvolName) plan.Op {
		return plan.LvolSetParent{At: n1, Lvstore: "lab.fast", Name: ahead, Layer: layer}
	}
	rename := func(to lineage.LvolName) plan.Op {
		return plan.LvolRename{At: n1, Lvstore: "lab.fast", From: ahead, To: to}
	}
	drop := plan.LvolDelete{At: n1, Lvstore: "lab.fast", Name: ahead}
	detach := plan.ImageDetach{At: n1, Volume: lineage.Volume{Name: "db2", ID: "aaaa"}}
	const there = "n1 lvol lab.fast/db2.aaaa@2.~a l2 64Mi 1 snapshot\nn1 lvol lab.fast/db2.aaaa@3.~b l3 64Mi 3 snapshot parent=db2.aaaa@2.~a\n"
	reads := there + "n1 lvol lab.fast/" + ahead + " f1 64Mi 3 esnap=" + uuid + "\n"
	attached := func(state string) string {
		return reads + "n1 controller lab.~image.db2.aaaa nqn.2026-01.io.strata:lab:~image:db2.aaaa " + state + " 10.0.0.9 4420\nn1 remote lab.~image.db2.aaaan1 " + uuid + " 64Mi claimed\n"
	}
	for _, c := range []struct {
		why, world string
		ops        []plan.Op
	}{
		{"", "", []plan.Op{serve("db.k3f7@3.b", ahead), clone(uuid, ahead)}},
		{"is not the image that", "", []plan.Op{serve("db.k3f7@2.a", ahead)}},
		{"is not the image that", "", []plan.Op{serve("db.cccc@3.b", ahead)}},
		{"has no record of db.k3f7@4.c", "", []plan.Op{serve("db.k3f7@4.c", "db2.aaaa+~k3f7.4.64")}},
		{"and db2.aaaa+~k3f7.3.1 is to have", "", []plan.Op{serve("db.k3f7@3.b", "db2.aaaa+~k3f7.3.1")}},
		{"is no forerunner", "", []plan.Op{serve("db.k3f7@3.b", "db2.aaaa+~k3f7")}},
		{"is not to be made of what archive main has", "", []plan.Op{serve("db.k3f7@3.b", "db.aaaa+~k3f7.3.64")}},
		{"is not what db2.aaaa+~k3f7.3.64 says that it reads", "", []plan.Op{clone("x", ahead)}},
		{"hosts may use db2.bbbb", "n1 lvol lab.fast/db2.bbbb#1.1p h 64Mi 1\n", []plan.Op{serve("db.k3f7@3.b", ahead), clone(uuid, ahead)}},
		{"", attached("enabled"), []plan.Op{put("db2.aaaa@3.~b"), rename(head), detach}},
		{"is not of the image that", attached("enabled"), []plan.Op{put("db2.aaaa@2.~a")}},
		{"does not stand on the image", attached("enabled"), []plan.Op{rename(head)}},
		{"does not say what", attached("enabled"), []plan.Op{put("db2.aaaa@3.~b"), rename("db2.aaaa#4.1.3s")}},
		{"does not say what", attached("enabled"), []plan.Op{put("db2.aaaa@3.~b"), rename("db2.aaaa#3.1.3p")}},
		{"what they have written is nowhere else", attached("enabled"), []plan.Op{rename("db2.aaaa+~k3f7")}},
		{"what they have written is nowhere else", attached("enabled"), []plan.Op{drop}},
		{"reads through it", attached("enabled"), []plan.Op{detach}},
		{"is not the cluster's", attached("enabled"), []plan.Op{plan.ControllerDetach{At: n1, Controller: "lab.~image.db2.aaaa"}}},
		{"is no lvol that is being made", attached("enabled"), []plan.Op{plan.Fill{At: n1, Archive: "main", Cluster: "lab", Image: "db.k3f7@3.b", Lvstore: "lab.fast", Name: ahead}}},
		{"hosts use", attached("enabled"), []plan.Op{plan.LvolResize{At: n1, Lvstore: "lab.fast", Name: ahead, From: 64 << 20, To: 65 << 20}}},
		{"does not hold the image of a snapshot", attached("enabled"), []plan.Op{plan.LvolSnapshot{At: n1, Lvstore: "lab.fast", Lvol: ahead, Layer: "db2.aaaa@4.c"}}},
		{"is away, or may be by then: the target would end", attached("reconnect_is_delayed"), []plan.Op{plan.SubsystemDelete{At: n1, NQN: "nqn.2026-01.io.strata:lab:db2.aaaa"}, drop}},
	} {
		cfg, snap := plantest.TwoNodes(t, `archives: main: {dir: "/backup", password: env: "STRATA_ARCHIVE_PASSWORD"}
volumes: db2: {size: 64Mi, replicas: 1, from: {archive: "main", volume: "db", instant: true}}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
`+c.world+`n1 subsystem nqn.2026-01.io.strata:lab:db2.aaaa
n2 tcp
`)
		found := catalog.Catalog{"main": {Records: []catalog.Record{
			{Cluster: "lab", Layer: "db.cccc@3.b", Size: 1 << 20, Bytes: 1 << 20}, {Cluster: "lab", Layer: "db.k3f7@2.a", Size: 2 << 20, Bytes: 1 << 20}, {Cluster: "lab", Layer: "db.k3f7@3.b", Size: 2 << 20, Bytes: 1 << 20},
		}}}
		s, opt := plan.Section{Kind: plan.KindVolume, Name: "db2"}, plan.Options{Catalog: found}
		if strings.Contains(c.why, "the target would end") { // a released one, too
			cfg.Volumes = nil
			opt.AllowDestroy = plantest.Grants("db2")
		}
		for _, op := range c.ops {
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: op.Facts().Risk}})
		}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, opt)
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v: %v, want %q", c.ops, err, c.why)
		}
	}
}
