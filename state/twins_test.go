package state_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/state"
	"strata/state/worldtest"
)

// TestTwins goes through disks that are on two nodes: n1 has a copy of what n3
// has, n2 a disk of its own. A world is a list of heads ("n1 db 2.1p") and of what
// runs ("n2 mirrors db", with a leg of its own and the one of n3; "n3 serves db"),
// what cannot be read ("n3 away", "n3 blank": its disk is not attached), and what
// n2 remembers ("n3 known").
func TestTwins(t *testing.T) {
	for _, c := range []struct{ what, world, want string }{
		{"nothing runs", "n1 db 2.1p, n3 db 2.1p", ""},
		{"the original serves", "n1 db 2.1p, n3 db 2.1p, n3 serves db", "n3"},
		{"the copy is ahead, the original serves", "n1 db 5.1p, n3 db 2.1p, n3 serves db", "n3"},
		{"both serve", "n1 db 2.1p, n3 db 2.1p, n1 serves db, n3 serves db", ""},
		{"a mirror reads the original", "n1 db 2.2, n2 db 2.2p, n3 db 2.2, n2 mirrors db", "n2 n3"},
		{"one is ahead, and nobody else knows", "n1 db 2.1p, n3 db 3.1p", ""},
		{"one is ahead with another replica", "n1 db 2.2, n2 db 3.2p, n3 db 3.2", "n2 n3"},
		{"one is ahead of all others", "n1 db 6.2, n2 db 3.2p, n3 db 3.2", "n2"},
		{"the original is fenced", "n1 db 2.2, n2 db 3.1p, n3 db 3x", "n2 n3"},
		{"of two volumes one has moved on", "n1 db 2.2, n2 db 3.2p, n3 db 3.2, n1 m 2.1p, n3 m 2.1p", "n2 n3"},
		{"one volume serves, the other is ahead on the copy", "n1 db 2.1p, n3 db 2.1p, n1 m 4.1p, n3 m 2.1p, n3 serves db", "n3"},
		{"each is served from another", "n1 db 2.1p, n3 db 2.1p, n1 m 2.1p, n3 m 2.1p, n3 serves db, n1 serves m", ""},
		{"the original is away", "n1 db 2.1p, n3 away, n3 known", ""},
		{"the original's disk is not attached", "n1 db 2.1p, n3 blank, n3 known", ""},
		{"the original is away, and n2 has a replica", "n1 db 2.2, n2 db 2.2p, n3 away, n3 known", "n2"},
		{"it has moved", "n1 db 2.1p, n3 known", "n1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			snap, err := worldtest.Read("lab", twinWorld(t, c.world))
			if err != nil {
				t.Fatal(err)
			}
			snap = withinFast(withinFast(snap)) // once more says the same
			believed := map[string]bool{}
			for _, v := range snap.Volumes() {
				for _, id := range snap.Incarnations(v) {
					for _, h := range snap.Incarnation("lab", id).Heads {
						believed[string(h.Node)] = true
					}
				}
			}
			var got []string
			for n := range believed {
				got = append(got, n)
			}
			if slices.Sort(got); strings.Join(got, " ") != c.want {
				t.Errorf("believed: %v, want %s", got, c.want)
			}
			for n := range snap.Nodes {
				for _, lvs := range snap.Nodes[n].Lvstores {
					if (lvs.Doubt == "") != (lvs.Way == "") {
						t.Errorf("%s: %q has the way out %q", n, lvs.Doubt, lvs.Way)
					}
				}
			}
		})
	}
}

// twinWorld writes a world of TestTwins as worldtest reads it.
func twinWorld(t *testing.T, world string) string {
	t.Helper()
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	store := func(n string) string {
		return map[string]string{"n1": "aaaaaaaa", "n2": "bbbbbbbb", "n3": "aaaaaaaa"}[n]
	}
	uuid := func(n, volume string) string { return "u-" + volume + "-" + store(n) }
	for _, n := range []string{"n1", "n2", "n3"} {
		switch {
		case strings.Contains(world, n+" away"):
			say("%s unread it is away", n)
		case strings.Contains(world, n+" blank"):
			say("%s tcp", n)
		case n == "n3" && !strings.Contains(strings.ReplaceAll(world, "n3 known", ""), "n3 "):
			say("n3 disk /dev/n3 lab.fast.disk")
		default:
			say("%s disk /dev/%s lab.fast.disk", n, n)
			say("%s lvstore lab.fast lab.fast.disk 1Mi 1024 as=lab.fast.k3fa uuid=%s-0000-4000-8000-000000000000", n, store(n))
		}
	}
	for _, what := range strings.Split(world, ", ") {
		f := strings.Fields(what)
		switch {
		case f[1] == "away" || f[1] == "blank":
		case f[1] == "known":
			say("n2 lvol lab.fast/%s u-r 1Mi", lineage.MemberOf("n3", "fast", "aaaaaaaa-0000-4000-8000-000000000000").Lvol())
		case f[1] == "serves":
			say("%s subsystem nqn.2026-01.io.strata:lab:%s.k3f7 any", f[0], f[2])
			say("%s namespace nqn.2026-01.io.strata:lab:%s.k3f7 1 %s", f[0], f[2], uuid(f[0], f[2]))
		case f[1] == "mirrors":
			say("n2 controller lab.n3 nqn.2026-01.io.strata:lab:n3:n2 enabled 10.0.0.3 4420")
			say("n2 remote lab.n3n7 %s 64Mi", uuid("n3", f[2]))
			say("n2 raid lab.%s.k3f7 online %s %s", f[2], uuid("n2", f[2]), uuid("n3", f[2]))
		default:
			say("%s lvol lab.fast/%s.k3f7#%s %s 64Mi", f[0], f[1], f[2], uuid(f[0], f[1]))
		}
	}
	return b.String()
}

// TestTwinOfTwo: what is known as the lvstore of two pools that cannot be read is said to be
// that of the first, whenever somebody asks.
func TestTwinOfTwo(t *testing.T) {
	const store = "aaaaaaaa-0000-4000-8000-000000000000"
	world := "n1 tcp\nn1 disk /dev/n1 lab.fast.disk claimed\nn1 lvstore lab.fast lab.fast.disk 1Mi 1024 uuid=" + store + `
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
`
	for i, n := range []lineage.Node{"n5", "n3", "n4"} {
		world += fmt.Sprintf("n2 lvol lab.fast/%s u-r%d 1Mi\n%s unread it is away\n", lineage.MemberOf(n, "fast", store).Lvol(), i, n)
	}
	for range 20 {
		snap, err := worldtest.Read("lab", world)
		if err != nil {
			t.Fatal(err)
		}
		lvs := withinFast(snap).Nodes["n1"].Lvstores["lab.fast"]
		if lvs == nil || !strings.Contains(lvs.Doubt, "pool fast of n3") {
			t.Fatalf("%+v", lvs)
		}
	}
}

// withinFast is what is seen of a pool fast of each node.
func withinFast(s *state.Snapshot) *state.Snapshot {
	disk := func(n lineage.Node, pool string) (string, bool) { return "/dev/" + string(n), pool == "fast" }
	pools := func(_ lineage.Node, paths map[string]string) map[string]string {
		names := map[string]string{}
		for called := range paths {
			names[called] = "lab.fast"
		}
		return names
	}
	return s.Within("lab", pools, disk)
}
