package schema

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
)

// Of the lvstores on a node, by the paths they are on, every pool has the one
// that is its, or none.
func TestLvstores(t *testing.T) {
	pools := []*Pool{
		{Name: "fast", Path: "/dev/a", Lvstore: "lab.fast"},
		{Name: "own", Path: "/dev/o", Lvstore: "lab.fast.oooo"},
		{Name: "quick", Path: "/dev/q", Lvstore: "lab.quick", RenamedFrom: "slow"},
	}
	cfg := &Config{Cluster: "lab", Nodes: []*Node{{Name: "n1", Pools: pools}}}
	for _, test := range []struct{ name, there, want string }{
		{"none", "", ""},
		{"with an id", "lab.fast.aaaa=/dev/a", "lab.fast.aaaa=lab.fast"},
		{"from before there were ids", "lab.fast=/dev/a", "lab.fast=lab.fast"},
		{"on another path than configured", "lab.fast.aaaa=/dev/x", "lab.fast.aaaa=lab.fast"},
		{"two, one on the pool's path", "lab.fast.aaaa=/dev/a lab.fast.bbbb=/dev/x", "lab.fast.aaaa=lab.fast"},
		{"one with and one without an id", "lab.fast=/dev/x lab.fast.bbbb=/dev/a", "lab.fast.bbbb=lab.fast"},
		{"two, neither on the pool's path", "lab.fast.aaaa=/dev/x lab.fast.bbbb=/dev/y", ""},
		{"two, and what they are on is not known", "lab.fast.aaaa= lab.fast.bbbb=", ""},
		{"one that another pool names", "lab.fast.oooo=/dev/o", "lab.fast.oooo=lab.fast.oooo"},
		{"that and the pool's own", "lab.fast.aaaa=/dev/x lab.fast.oooo=/dev/o", "lab.fast.aaaa=lab.fast lab.fast.oooo=lab.fast.oooo"},
		{"of a former name", "lab.slow.ssss=/dev/q", "lab.slow.ssss=lab.quick"},
		{"of both names", "lab.quick.qqqq=/dev/x lab.slow.ssss=/dev/q", "lab.quick.qqqq=lab.quick"},
		{"another cluster's", "other.fast.aaaa=/dev/a", ""},
		{"no name of strata's", "lab.fast.a.b=/dev/a lab.fast.TOO=/dev/a fast=/dev/a", ""},
		{"a pool that is not configured", "lab.cold.aaaa=/dev/a", ""},
	} {
		paths := map[string]string{}
		for _, at := range strings.Fields(test.there) {
			name, path, _ := strings.Cut(at, "=")
			paths[name] = path
		}
		got := cfg.Lvstores("n1", paths)
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(got)) {
			parts = append(parts, name+"="+got[name])
		}
		if text := strings.Join(parts, " "); text != test.want {
			t.Errorf("%s: %q, want %q", test.name, text, test.want)
		}
	}
	if got := cfg.Lvstores("n2", map[string]string{"lab.fast.aaaa": "/dev/a"}); len(got) > 0 {
		t.Errorf("a node that is not configured has %v", got)
	}
}

func TestRetires(t *testing.T) {
	cfg := &Config{Retired: []Retired{{"n2", ""}, {"n3", "fast"}}}
	for what, want := range map[[2]string]bool{
		{"n2", "fast"}: true, {"n2", "slow"}: true, {"n3", "fast"}: true, {"n3", "slow"}: false, {"n1", "fast"}: false,
	} {
		if got := cfg.Retires(lineage.Node(what[0]), what[1]); got != want {
			t.Errorf("%v: %v", what, got)
		}
	}
}
