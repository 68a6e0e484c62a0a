package state_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Of lvstores and lvols that several nodes have under one UUID, those count of
// which it is known that they are the originals. In a world, "n1 db 2.1p" is a head
// db.k3f7#2.1p, with UUID u, in an lvstore of which all have the same UUID; "alone"
// after it puts it into one of the node's own.
func TestTwins(t *testing.T) {
	const link = `
n3 controller lab.n1 nqn.2026-01.io.strata:lab:n1:n3 enabled 10.0.0.1 4420
n3 remote lab.n1n7 u 64Mi
`
	for _, c := range []struct {
		name, pools string
		heads       []string
		more        string
		want        string // which heads count
		doubt       string // which pools are in doubt
	}{
		{"no twins", "", []string{"n1 2.1p"}, "", "n1", ""},
		{"two, nothing tells", "", []string{"n1 2.1p", "n2 2.1p"}, "", "", "n1 n2"},
		{"one is ahead", "", []string{"n1 2.1p", "n2 3.1p"}, "", "n2", "n1"},
		{"three, one is ahead", "", []string{"n1 2.1p", "n2 3.1p", "n3 2.1p"}, "", "n2", "n1 n3"},
		{"three, the last is ahead", "", []string{"n1 2.1p", "n2 2.1p", "n3 3.1p"}, "", "n3", "n1 n2"},
		{"three, two are ahead", "", []string{"n1 2.1p", "n2 3.1p", "n3 3.1p"}, "", "", "n1 n2 n3"},
		{"shown where it is", "", []string{"n1 2.1p", "n2 2.1p"}, "n2 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any\nn2 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 u\n", "n2", "n1"},
		{"a leg where it is", "", []string{"n1 2.1p", "n2 2.1p"}, "n2 raid lab.db.k3f7 online u -\n", "n2", "n1"},
		{"a leg, though another is ahead", "", []string{"n1 3.1p", "n2 2.1p"}, "n2 raid lab.db.k3f7 online u -\n", "n2", "n1"},
		{"an engine reads it over a link", "", []string{"n1 2.1", "n2 2.1"}, link + "n3 raid lab.db.k3f7 online u -\n", "n1", "n2"},
		{"it is shown over a link", "", []string{"n1 2.1", "n2 2.1"}, link + "n3 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any\nn3 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.n1n7\n", "n1", "n2"},
		{"two engines", "", []string{"n1 2.1p", "n2 2.1p"}, "n1 raid lab.db.k3f7 online u -\nn2 raid lab.db.k3f7 online u -\n", "", "n1 n2"},
		{"an engine that is not online says nothing", "", []string{"n1 2.1p", "n2 2.1p"}, "n2 raid lab.db.k3f7 configuring u -\n", "", "n1 n2"},
		{"one is in a pool", "n1/fast", []string{"n1 2.1p", "n2 2.1p"}, "", "n1", ""},
		{"one is in a pool, the other ahead", "n1/fast", []string{"n1 2.1p", "n2 3.1p"}, "", "n1", ""},
		{"one is in a pool, an engine reads the other", "n2/fast", []string{"n1 2.1", "n2 2.1"}, link + "n3 raid lab.db.k3f7 online u -\n", "", "n2"},
		{"the lvol alone", "", []string{"n1 2.1p alone", "n2 2.1p alone"}, "", "", ""},
		{"the lvol alone, one is ahead", "", []string{"n1 2.1p alone", "n2 3.1p alone"}, "", "n2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var world strings.Builder
			for _, h := range c.heads {
				f := strings.Fields(h)
				uuid := " uuid=77777777-0000-4000-8000-000000000000"
				if len(f) > 2 {
					uuid = ""
				}
				world.WriteString(strings.ReplaceAll("N disk /dev/N disk\nN lvstore lab.fast disk 1Mi 64 as=lab.fast.aaaa"+uuid+"\nN lvol lab.fast/db.k3f7#"+f[1]+" u 64Mi\n", "N", f[0]))
			}
			pools := c.pools
			if pools == "" {
				pools = "n1/fast n2/fast n3/fast"
			}
			s := within(t, pools, world.String()+c.more)
			var counts, doubt []string
			for _, part := range strings.Split(seen(s), ", ") {
				if node, _, _ := strings.Cut(part, " "); node != "apart:" && node != "" {
					counts = append(counts, node)
				}
			}
			for _, n := range slices.Sorted(maps.Keys(s.Nodes)) {
				for _, lvs := range s.Nodes[n].Lvstores {
					if strings.Contains(lvs.Doubt, ", too: one is a copy") {
						doubt = append(doubt, string(n))
					}
				}
			}
			if got := strings.Join(counts, " "); got != c.want {
				t.Errorf("%q counts, want %q (%s)", got, c.want, seen(s))
			}
			if got := strings.Join(doubt, " "); got != c.doubt {
				t.Errorf("%q is in doubt, want %q", got, c.doubt)
			}
			if again := s.Within(lab, config(pools).Lvstores); seen(again) != seen(s) {
				t.Errorf("fitted again: %s, was %s", seen(again), seen(s))
			}
		})
	}
}
