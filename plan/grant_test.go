package plan

import (
	"os"
	"strings"
	"testing"
)

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

// What is released and not there is noted, with what may have been meant.
func TestUnused(t *testing.T) {
	nodes, err := os.ReadFile("testdata/nodes.cue")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	cfg := loadConfig(t, `volumes: db: {size: 64Mi, replicas: on: ["n1"]}
nodes: n2: pools: slow: {aio: "/dev/slow", format: true}
nodes: n3: pools: slow: aio: "/dev/slow"
`, string(nodes))
	snap, err := readWorld(cfg.Cluster, `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@1.base u0 64Mi 9 snapshot
n1 lvol lab.fast/db.k3f7#1.1p u1 64Mi 9 parent=db.k3f7@1.base
n1 lvol lab.fast/older.aaaa#1.1p u2 64Mi 9
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n3 unread connection refused
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"n2/slow": "", "n3/fast": "", "older": "", "older.aaaa": "", "db:n1": "", "db:n3": "", "db@base": "",
		"n1/fast": `pool n1/fast: --allow-destroy n1/fast releases nothing: it has its lvstore; `,
		"n1/slow": `pool n1/slow: --allow-destroy n1/slow releases nothing: no such pool is configured; `,
		"n3/slow": `pool n3/slow: --allow-destroy n3/slow releases nothing: format is not set for it; set format: true`,
		"oldr":    `volume oldr: --allow-destroy oldr releases nothing: no such volume was found; did you mean "older"?`,
		"dbb:n1":  `volume dbb: --allow-destroy dbb:n1 releases nothing: no such volume was found; did you mean "db"?`,
		"db.zzzz": `volume db: --allow-destroy db.zzzz releases nothing: no such volume was found; volumes: older`,
		"db:n2":   `volume db: --allow-destroy db:n2 releases nothing: nothing of it was found on n2; `,
		"db@bse":  `volume db: --allow-destroy db@bse releases nothing: it has no such snapshot; did you mean "base"?`,
		"db@head": `volume db: --allow-destroy db@head releases nothing: its head is not to be reverted; `,
	} {
		var got []string
		for _, f := range Unused(cfg, snap, Options{AllowDestroy: map[string]bool{name: true}}) {
			got = append(got, f.About+": "+f.Text+"; "+f.Hint)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
