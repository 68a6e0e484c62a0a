package plan

import (
	"encoding/json"
	"testing"

	"strata/lineage"
)

func TestParseGrant(t *testing.T) {
	for name, want := range map[string]Grant{
		"db": {Volume: "db"}, "db.k3f7": {Volume: "db", ID: "k3f7"}, "db:n2": {Volume: "db", Node: "n2"},
		"db@base": {Volume: "db", Layer: "base"}, "db@base:n2": {Volume: "db", Layer: "base", Node: "n2"}, "db.1@base:n2": {Volume: "db.1", Layer: "base", Node: "n2"}, "db@head": {Volume: "db", Layer: "head"},
		"n2/fast": {Node: "n2", Pool: "fast"}, "db.0": {Volume: "db.0"}, "db.1.k3f7": {Volume: "db.1", ID: "k3f7"}, "db.1:n2": {Volume: "db.1", Node: "n2"},
	} {
		if g, ok := ParseGrant(name); !ok || g != want || g.String() != name {
			t.Errorf("%s: %+v, %v", name, g, ok)
		}
	}
	for _, name := range []string{"", "DB", "db:", "db@", "db.", ":n2", "db:n2@base", "db@head:n2", "db.k3f7@base:n2", "db@base:", "db.k3f7:n2", "db@~join", "db.long7", "db n2", "n2/", "/fast", "n2/fast/x", "N2/fast", "db:n2/fast"} {
		if g, ok := ParseGrant(name); ok {
			t.Errorf("%q: %+v", name, g)
		}
	}
}

// Each grant releases what it names and nothing else, also once it was written
// and read.
func TestGrants(t *testing.T) {
	db := lineage.Volume{Name: "db", ID: "k3f7"}
	asked := map[Grant]func(Grants) bool{
		VolumeGrant("db"):             func(g Grants) bool { return g.Volume("db") },
		IncarnationGrant(db):          func(g Grants) bool { return g.Incarnation(db) },
		ReplicaGrant("db", "n2"):      func(g Grants) bool { return g.Replica("db", "n2") },
		LayerGrant("db", "base"):      func(g Grants) bool { return g.Layer("db", "base") },
		CopyGrant("db", "base", "n2"): func(g Grants) bool { return g[CopyGrant("db", "base", "n2")] },
		HeadGrant("db"):               func(g Grants) bool { return g.Head("db") },
		DiskGrant("n2", "fast"):       func(g Grants) bool { return g.Disk("n2", "fast") },
	}
	for given := range asked {
		b, err := json.Marshal(Grants{given: true})
		if err != nil {
			t.Fatal(err)
		}
		var g Grants
		if err := json.Unmarshal(b, &g); err != nil {
			t.Fatal(err)
		}
		for what, may := range asked {
			if may(g) != (what == given) {
				t.Errorf("%s: %s may go: %v", given.Flag(), what, may(g))
			}
		}
	}
	if err := json.Unmarshal([]byte(`{"db:": true}`), &Grants{}); err == nil {
		t.Error("db: was taken for a grant")
	}
}
