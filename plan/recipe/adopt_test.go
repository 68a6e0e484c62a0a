package recipe

import (
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
)

// TestAdoptWhileCopying: what an lvol shares with its snapshots is copied in
// the background, and is not copied again meanwhile; nor is it renamed.
func TestAdoptWhileCopying(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg := plantest.Config(t, `
cluster: "lab"
nodes: n1: {rpc: "unix:///run/n1.sock", address: "10.0.0.1", pools: old: {aio: "/dev/n1", lvstore: "lvs0"}}
volumes: a: {size: 1Mi, replicas: 1, adopt: {node: "n1", head: "lvs0/old"}}
`)
	for _, world := range []string{
		"n1 lvol lvs0/base s1 1Mi 1\nn1 lvol lvs0/old f1 1Mi 1 parent=base",
		"n1 lvol lvs0/old f1 1Mi 1",
	} {
		snap := plantest.World(t, "lab", "n1 disk /dev/n1 d1\nn1 lvstore lvs0 d1 1Mi 1024\n"+world)
		p, err := Build(cfg, snap, plan.Options{Busy: map[plan.Key][]lineage.Node{plan.VolumeKey("a"): {"n1"}}})
		if err != nil || !p.Empty() || len(p.Blocked) > 0 {
			t.Errorf("%v, %v\n%s", err, p.Blocked, plantest.Text(p))
		}
		if p, err = Build(cfg, snap, plan.Options{}); err != nil || p.Empty() {
			t.Errorf("nobody copies, and nothing is planned: %v", err)
		}
	}
}
