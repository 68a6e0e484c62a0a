package report

import (
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Another cluster's volumes on the same targets carry the same grammar in lvstores
// that are none of ours: they are listed as unmanaged, and no volume of ours is
// made of them.
func TestOtherClustersVolumesAreUnmanaged(t *testing.T) {
	cfg := &schema.Config{
		Cluster: "lab",
		Nodes:   []*schema.Node{{Name: "n1", Pools: []*schema.Pool{{Name: "fast", Lvstore: "lab.fast"}}}},
		Volumes: []*schema.Volume{{Name: "db", Size: 1 << 20, Replicas: schema.Replicas{Count: 1}}},
	}
	n := state.NewNode("n1")
	for i, lvstore := range []string{"lab.fast", "other.fast"} {
		n.Lvstores[lvstore] = &state.Lvstore{Name: lvstore, ClusterSize: 1 << 20}
		name := lineage.Head{Volume: lineage.Volume{Name: "db", ID: []lineage.ID{"k3f7", "aaaa"}[i]}, Epoch: 1, Legs: 1, Mark: lineage.Primary}
		n.AddLvol(&state.Lvol{Lvstore: lvstore, Name: name.Lvol(), UUID: lineage.UUID(lvstore), Size: 1 << 20})
	}
	r := Build(cfg, state.New("lab", n))
	if len(r.Volumes) != 1 || r.Volumes[0].ID != "k3f7" {
		t.Errorf("volumes: %+v", r.Volumes)
	}
	found := false
	for _, u := range r.Unmanaged {
		found = found || u.Kind == "lvol" && u.Name == "other.fast/db.aaaa#1.1p"
	}
	if !found {
		t.Errorf("unmanaged: %+v", r.Unmanaged)
	}
}
