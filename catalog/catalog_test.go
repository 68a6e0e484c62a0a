package catalog

import "testing"

// A snapshot that is recorded after others that are younger is not the latest.
func TestYoungest(t *testing.T) {
	in := &Archive{Records: []Record{
		{ID: "1", Cluster: "lab", Layer: "db.k3f7@5.b", Time: 1},
		{ID: "2", Cluster: "lab", Layer: "db.k3f7@2.a", Time: 2},
		{ID: "3", Cluster: "other", Layer: "db.k3f7@9.c", Time: 3},
		{ID: "4", Cluster: "lab", Layer: "db2.k3f7@9.a", Time: 4},
		{ID: "5", Cluster: "lab", Layer: "web.aaaa@9.a", Time: 5},
		{ID: "6", Cluster: "lab", Layer: "web.bbbb@2.a", Time: 6},
	}}
	for _, x := range []struct{ volume, snapshot, id string }{
		{"db", "", "1"}, {"db", "a", "2"}, {"db", "c", ""}, {"web", "", "6"}, {"web", "a", "6"},
	} {
		id := ""
		if r := in.Youngest("lab", x.volume, x.snapshot); r != nil {
			id = r.ID
		}
		if id != x.id {
			t.Errorf("%s@%s is record %q, not %q", x.volume, x.snapshot, id, x.id)
		}
	}
}
