package report

import (
	"slices"
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state/worldtest"
)

// TestReplicasSaid: each replica that is counted is said, and one that is being rebuilt is not
// said to be of no use. A node is suspended once nothing is served there.
func TestReplicasSaid(t *testing.T) {
	s, err := worldtest.Read("lab", `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@5.~join j1 64Mi 9
n1 lvol lab.fast/db.k3f7#6.2.5p u1 64Mi 1 parent=db.k3f7@5.~join
n1 controller lab.n2 nqn.2026-01.io.strata:lab:n2:n1 enabled 10.0.0.2 4420
n1 remote lab.n2n7 u2 64Mi
n1 controller lab.n3 nqn.2026-01.io.strata:lab:n3:n1 enabled 10.0.0.3 4420
n1 remote lab.n3n7 u3 64Mi
n1 raid lab.db.k3f7 online u1 u2 u3
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 unread connection refused
n3 tcp
n3 disk /dev/n3 lab.fast.disk claimed
n3 lvstore lab.fast lab.fast.disk 1Mi 1024
n3 lvol lab.fast/db.k3f7#5x u3 64Mi 1 esnap=j1
n3 lvol lab.fast/db.k3f7#4x h3 64Mi 1
`)
	if err != nil {
		t.Fatal(err)
	}
	pools := []*schema.Pool{{Name: "fast", Lvstore: "lab.fast"}}
	suspend := &schema.Suspend{ForSec: 600}
	cfg := &schema.Config{
		Cluster: "lab",
		Nodes:   []*schema.Node{{Name: "n1", Pools: pools, Suspend: suspend}, {Name: "n2", Pools: pools}, {Name: "n3", Pools: pools, Suspend: suspend}},
		Volumes: []*schema.Volume{{Name: "db", Size: 64 << 20, Replicas: schema.Replicas{Count: 3}, Export: schema.Export{Kind: schema.ExportNVMf, AnyHost: true}}},
	}
	r := Build(cfg, s)
	v := r.Volumes[0]
	said := map[string]string{}
	for _, x := range v.Replicas {
		said[string(x.Head)] = x.Leg
	}
	if v.Current != 2 || !slices.Equal(v.Unread, []lineage.Node{"n2"}) || said["db.k3f7#6.2.5p"] != Current || said["db.k3f7#5x"] != "joining" || said["db.k3f7#4x"] != "fenced" {
		t.Errorf("%d current, unread on %v: %v", v.Current, v.Unread, said)
	}
	for n, want := range map[int]string{
		0: "is to be suspended, for 10m at most under a watch, without one until you end it, and serves 1 volume: that is not carried out yet, or over; do not stop its target",
		2: "suspended, for 10m at most under a watch, without one until you end it",
	} {
		if got := r.Nodes[n].Maintenance; got != want {
			t.Errorf("%s: %s", r.Nodes[n].Name, got)
		}
	}
}
