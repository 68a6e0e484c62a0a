package lineage

import "testing"

func TestCopyNote(t *testing.T) {
	const to UUID = "0c5f3d1e-7a53-4c37-9c3a-0123456789ab"
	c := Cluster("lab")
	name := c.CopyNote(to)
	if got, ok := c.ParseCopyNote(name); !ok || got != to {
		t.Errorf("%s: %s, %v", name, got, ok)
	}
	for c, name := range map[Cluster]string{"prod": name, "lab": "lab.copy.k3f7"} {
		if _, ok := c.ParseCopyNote(name); ok {
			t.Errorf("%s is taken for a note of %s", name, c)
		}
	}
	for _, n := range []uint32{0, 1, 77, 1<<32 - 1} {
		u := CopyMark(n, "lab.fast/db.k3f7@3.base")
		if got, ok := ParseCopyMark(u, "lab.fast/db.k3f7@3.base"); !ok || got != n {
			t.Errorf("%s: %d, %v", u, got, ok)
		}
		if _, ok := ParseCopyMark(u, "lab.fast/db.k3f7@4.base"); ok {
			t.Errorf("%s is taken for a copy of another layer", u)
		}
	}
	for _, u := range []UUID{"", "0000", to} {
		if _, ok := ParseCopyMark(u, "lab.fast/db.k3f7@3.base"); ok {
			t.Errorf("%s is taken for a mark", u)
		}
	}
}
