package plan

import "testing"

func TestParseGrant(t *testing.T) {
	for name, want := range map[string]Grant{
		"db": {Volume: "db"}, "db.k3f7": {Volume: "db", ID: "k3f7"}, "db:n2": {Volume: "db", Node: "n2"},
		"db@base": {Volume: "db", Layer: "base"}, "db@head": {Volume: "db", Layer: "head"},
		"n2/fast": {Node: "n2", Pool: "fast"},
	} {
		if g, ok := ParseGrant(name); !ok || g != want {
			t.Errorf("%s: %+v, %v", name, g, ok)
		}
	}
	for _, name := range []string{"", "DB", "db:", "db@", "db.", ":n2", "db:n2@base", "db.k3f7:n2", "db@~join", "db.long7", "db n2", "n2/", "/fast", "n2/fast/x", "N2/fast", "db:n2/fast"} {
		if g, ok := ParseGrant(name); ok {
			t.Errorf("%q: %+v", name, g)
		}
	}
}
