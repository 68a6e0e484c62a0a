package catalog

import (
	"slices"
	"testing"

	"strata/lineage"
)

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

// What was asked of a catalog says nothing of the ones that are made of it.
func TestWithAndWithout(t *testing.T) {
	first := Catalog{"main": {Records: []Record{{ID: "1", Cluster: "lab", Layer: "db.k3f7@2.a", Time: 1}, {ID: "2", Cluster: "lab", Layer: "db.k3f7@3.b", Time: 2}}}}
	youngest := func(c Catalog) string {
		r := c["main"].Youngest("lab", "db", "")
		if r == nil || c["main"].Find("lab", r.Layer).ID != r.ID {
			return ""
		}
		return r.ID
	}
	was := youngest(first)
	more := first.With("main", Record{ID: "3", Cluster: "lab", Layer: "db.k3f7@4.c", Time: 3})
	less := more.Without("main", "lab", []lineage.LvolName{"db.k3f7@4.c", "db.k3f7@3.b"})
	if got := []string{was, youngest(first), youngest(more), youngest(less)}; !slices.Equal(got, []string{"2", "2", "3", "1"}) {
		t.Errorf("the youngest are %v", got)
	}
	for why, a := range map[string]*Archive{"nobody has looked into it": nil, "": {}, "no such file": {Unread: "no such file"}} {
		if a.Doubt() != why || a.Of("lab", "db") != nil || a.Find("lab", "db.k3f7@2.a") != nil {
			t.Errorf("where %q: %q", why, a.Doubt())
		}
	}
}
