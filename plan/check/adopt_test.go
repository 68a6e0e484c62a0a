package check_test

import (
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// TestOnlyAdoptedIsTouched has the check look at single steps on lvols that
// are not strata's: it lets pass what makes the adopted one, and no other, the
// only head of its volume, or makes it whole.
func TestOnlyAdoptedIsTouched(t *testing.T) {
	const lab = `
cluster: "lab"
nodes: n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1", pools: {old: {aio: "/dev/n1", lvstore: "lvs0"}, fast: aio: "/dev/b"}}
nodes: n2: {rpc: "unix:///run/n2.sock", address: "10.0.0.2", pools: old: {aio: "/dev/n2", lvstore: "lvs0"}}
volumes: [string]: {size: 1Mi, replicas: 1, export: "none"}
volumes: a: adopt: {node: "n1", head: "lvs0/old"}
volumes: b: {}
`
	const world = `
n1 disk /dev/n1 d1
n1 lvstore lvs0 d1 1Mi 1024
n1 lvstore lab.fast d2 1Mi 1024
n1 lvol lvs0/base s1 1Mi 1
n1 lvol lvs0/clone f2 1Mi 1 parent=base
n1 lvol lvs0/other f3 1Mi 1
n1 lvol lab.fast/old f4 1Mi 1
n2 disk /dev/n2 d1
n2 lvstore lvs0 d1 1Mi 1024
n2 lvol lvs0/old f5 1Mi 1
`
	const old = "n1 lvol lvs0/old f1 1Mi 1\n"
	rename := func(n lineage.Node, lvstore string, from, to lineage.LvolName) plan.Op {
		return plan.LvolRename{At: plan.At{Node: n}, Lvstore: lvstore, From: from, To: to}
	}
	good := rename("n1", "lvs0", "old", "a.k3f7#1.1p")
	for _, c := range []struct {
		name  string
		world string
		op    plan.Op
		want  string // in the error; "" for none
	}{
		{"as configured", old, good, ""},
		{"made whole", strings.Replace(old, "1\n", "1 parent=base\n", 1), plan.LvolDecouple{At: plan.At{Node: "n1"}, Lvstore: "lvs0", Name: "old", Bytes: 1}, ""},
		{"another made whole", old, plan.LvolDecouple{At: plan.At{Node: "n1"}, Lvstore: "lvs0", Name: "clone", Bytes: 1}, "lvs0/clone is not strata's"},
		{"another", old, rename("n1", "lvs0", "other", "a.k3f7#1.1p"), "lvs0/other is not strata's, and no volume adopts it"},
		{"in another lvstore", old, rename("n1", "lab.fast", "old", "a.k3f7#1.1p"), "lab.fast/old is not strata's"},
		{"on another node", old, rename("n2", "lvs0", "old", "a.k3f7#1.1p"), "lvs0/old is not strata's"},
		{"for another volume", old, rename("n1", "lvs0", "old", "b.k3f7#1.1p"), "no head of volume a"},
		{"as a layer", old, rename("n1", "lvs0", "old", "a.k3f7@1.base"), "no head of volume a"},
		{"as staging", old, rename("n1", "lvs0", "old", "a.k3f7+1"), "no head of volume a"},
		{"to a name of nobody's", old, rename("n1", "lvs0", "old", "new"), "lvs0/new is not strata's"},
		{"beside a head", old + "n2 lvol lvs0/a.bbbb#2.1p u1 1Mi 1\n", good, "volume a has a head already"},
		{"that is a snapshot", "n1 lvol lvs0/old f1 1Mi 1 snapshot\n", good, "is a snapshot, or stands on one"},
		{"that stands on a snapshot", "n1 lvol lvs0/old f1 1Mi 1 parent=base\n", good, "is a snapshot, or stands on one"},
		{"that reads through another bdev", "n1 lvol lvs0/old f1 1Mi 1 esnap=x\n", good, "is a snapshot, or stands on one"},
		{"in a RAID", old + "n1 raid theirs online f1 f3\n", good, "base of RAID theirs"},
		{"that hosts are shown", old + "n1 subsystem nqn.x any\nn1 namespace nqn.x 1 lvs0/old\n", good, "nqn.x shows lvol lvs0/old"},
		{"deleted", old, plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lvs0", Name: "old"}, "lvs0/old is not strata's"},
		{"resized", old, plan.LvolResize{At: plan.At{Node: "n1"}, Lvstore: "lvs0", Name: "old", From: 1, To: 2}, "lvs0/old is not strata's"},
		{"snapshotted", old, plan.LvolSnapshot{At: plan.At{Node: "n1"}, Lvstore: "lvs0", Lvol: "old", Layer: "a.k3f7@1.base"}, "lvs0/old is not strata's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plantest.Config(t, lab)
			snap := plantest.World(t, "lab", world+c.world)
			p := &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{{Kind: plan.KindVolume, Name: "a", Stages: [][]plan.Step{{{Op: c.op, Risk: plan.RiskCreate}}}}}}}}
			err := check.Check(cfg, snap, p, plan.Options{})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
