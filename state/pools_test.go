package state_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

const lab lineage.Cluster = "lab"

// within reads a world and fits it to a configuration, given as "n1/fast" for a
// pool on disk /dev/n1, or "n1/fast=NAME" for one whose lvstore has that name.
func within(t *testing.T, pools, world string) *state.Snapshot {
	t.Helper()
	s, err := worldtest.Read(lab, strings.TrimLeft(world, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s.Within(lab, config(pools).Lvstores, nil)
}

func config(pools string) *schema.Config {
	cfg := &schema.Config{Cluster: lab}
	for _, p := range strings.Fields(pools) {
		p, lvstore, given := strings.Cut(p, "=")
		node, name, _ := strings.Cut(p, "/")
		if !given {
			lvstore = lab.Lvstore(name)
		}
		n := cfg.Node(lineage.Node(node))
		if n == nil {
			n = &schema.Node{Name: lineage.Node(node)}
			cfg.Nodes = append(cfg.Nodes, n)
		}
		n.Pools = append(n.Pools, &schema.Pool{Name: name, Path: "/dev/" + node, Lvstore: lvstore})
	}
	return cfg
}

// seen lists the heads of db that count, and those that do not.
func seen(s *state.Snapshot) string {
	var all []string
	for _, v := range s.Incarnations("db") {
		for _, h := range s.Incarnation(lab, v).Heads {
			all = append(all, fmt.Sprintf("%s %s/%s", h.Node, h.Lvol.Lvstore, h.Lvol.Name))
		}
	}
	for _, a := range s.Apart("db") {
		all = append(all, fmt.Sprintf("apart: %s %s/%s ours=%v", a.Node, a.Where, a.Lvol.Name, a.Ours))
	}
	return strings.Join(all, ", ")
}

// Heads count where they are in a pool of the configuration. Others are known to
// be there, unless the lvstore has another cluster's name.
func TestWithin(t *testing.T) {
	for _, c := range []struct{ name, pools, lvstore, want string }{
		{"a pool's", "n1/fast", "lab.fast disk as=lab.fast.aaaa", "n1 lab.fast/db.k3f7#2.1p"},
		{"one from before there were ids", "n1/fast", "lab.fast disk as=lab.fast", "n1 lab.fast/db.k3f7#2.1p"},
		{"named by the user", "n1/fast=lvs0", "lvs0 disk", "n1 lvs0/db.k3f7#2.1p"},
		{"no pool's", "n1/slow", "lab.fast.aaaa disk", "apart: n1 lab.fast.aaaa/db.k3f7#2.1p ours=true"},
		{"no pool's on a node that has none", "n2/fast", "lab.fast.aaaa disk", "apart: n1 lab.fast.aaaa/db.k3f7#2.1p ours=true"},
		{"somebody's", "n1/fast", "lvs0 disk", "apart: n1 lvs0/db.k3f7#2.1p ours=false"},
		{"another cluster's", "n1/fast", "other.fast.aaaa disk", ""},
		{"another cluster's, as the user names it", "n1/fast=other.fast.aaaa", "other.fast.aaaa disk", "n1 other.fast.aaaa/db.k3f7#2.1p"},
	} {
		store, rest, _ := strings.Cut(c.lvstore, " ")
		base, as, _ := strings.Cut(rest, " ")
		s := within(t, c.pools, fmt.Sprintf("n1 disk /dev/n1 %s\nn1 lvstore %s %s 1Mi 64 %s\nn1 lvol %s/db.k3f7#2.1p u1 64Mi\n", base, store, base, as, store))
		if got := seen(s); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if again := s.Within(lab, config(c.pools).Lvstores, nil); seen(again) != c.want {
			t.Errorf("%s: fitted again: %s", c.name, seen(again))
		}
	}
}

// An lvstore that is no pool's keeps out of the way of one that is, and what is
// shown under an alias is still found.
func TestWithinAliases(t *testing.T) {
	s := within(t, "n1/fast n2/fast", `
n1 disk /dev/n1 disk1
n1 disk /dev/x disk2
n1 lvstore one disk1 1Mi 64 as=lab.fast.aaaa
n1 lvstore two disk2 1Mi 64 as=lab.fast
n1 lvol one/db.k3f7#2.1p u1 64Mi
n1 lvol two/db.k3f7#1.1p u2 64Mi
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.fast.aaaa/db.k3f7#2.1p
n2 unread no route to host
`)
	n := s.Nodes["n1"]
	if names := slices.Sorted(maps.Keys(n.Lvstores)); !slices.Equal(names, []string{"lab.fast", "lab.fast on disk2"}) {
		t.Errorf("lvstores %q", names)
	}
	if want := "n1 lab.fast/db.k3f7#2.1p, apart: n1 lab.fast/db.k3f7#1.1p ours=true"; seen(s) != want {
		t.Errorf("%s, want %s", seen(s), want)
	}
	v := s.Judge(s.Incarnation(lab, lineage.Volume{Name: "db", ID: "k3f7"}), state.Question{Cluster: lab, Replicas: 1})
	if v.Engine != "n1" || len(v.Legs) != 1 || v.Legs[0].UUID != "u1" || v.Top != 2 {
		t.Errorf("%+v", v)
	}
}

// What another cluster uses is known, by the names of what uses it; an lvol that
// somebody shows by hand is not another cluster's for that.
func TestForeignUse(t *testing.T) {
	const world = `
n1 disk /dev/n1 disk1
n1 lvstore lab.fast disk1 1Mi 64
n1 lvol lab.fast/db.k3f7#2.2p u1 64Mi
n1 lvol lab.fast/web.aaaa#2.1p u2 64Mi
n1 lvol lab.fast/logs.bbbb#2.1p u3 64Mi
n1 lvol lab.fast/mail.cccc#2.1p u4 64Mi
n1 raid other.db.k3f7 online u1 -
n1 raid lab.logs.bbbb online u3
n1 subsystem nqn.2026-01.io.strata:other:n1:n2 any
n1 namespace nqn.2026-01.io.strata:other:n1:n2 5 lab.fast/web.aaaa#2.1p
n1 subsystem nqn.2026-01.io.strata:lab:n1:n2 any
n1 namespace nqn.2026-01.io.strata:lab:n1:n2 5 u3
n1 subsystem nqn.2016-06.com.example:theirs any
n1 namespace nqn.2016-06.com.example:theirs 1 u4
`
	s := within(t, "n1/fast", world)
	for u, want := range map[lineage.UUID]string{
		"u1": "RAID other.db.k3f7", "u2": "subsystem nqn.2026-01.io.strata:other:n1:n2", "u3": "", "u4": "",
	} {
		if got := s.ForeignUse("n1", u); got != want {
			t.Errorf("%s: %q, want %q", u, got, want)
		}
	}
	inc := s.Incarnation(lab, lineage.Volume{Name: "db", ID: "k3f7"})
	if want := []string{"db.k3f7#2.2p on n1 is used by RAID other.db.k3f7"}; !slices.Equal(inc.Foreign, want) {
		t.Errorf("%q", inc.Foreign)
	}
}

// Reminders are read in pools; a member is missed that no node has, wherever it is.
func TestMissed(t *testing.T) {
	s := within(t, "n1/fast n2/fast", `
n1 disk /dev/n1 disk1
n1 lvstore lab.fast disk1 1Mi 64 uuid=11111111-0000-4000-8000-000000000000
n1 lvol lab.fast/~n2.fast.22222222 r1 1Mi
n1 lvol lab.fast/~n3.fast.33333333 r2 1Mi
n1 lvol lab.fast/~n4.fast.44444444 r3 1Mi
n1 lvol lab.fast/~n5.fast.66666666 r4 1Mi
n2 disk /dev/n2 disk2
n2 lvstore lab.fast disk2 1Mi 64 uuid=22222222-0000-4000-8000-000000000000
n2 lvol lab.fast/~n4.fast.44444444 r5 1Mi
n2 disk /dev/x disk3
n2 lvstore lab.fast.zzzz disk3 1Mi 64 uuid=33333333-0000-4000-8000-000000000000
n2 lvol lab.fast.zzzz/~n9.fast.99999999 r6 1Mi
`)
	var got []string
	for _, m := range s.Missed(s.Reminders(), func(n lineage.Node, _ string) bool { return n == "n5" }) {
		got = append(got, string(m.Lvol()))
	}
	if want := []string{"~n4.fast.44444444"}; !slices.Equal(got, want) {
		t.Errorf("missed: %q, want %q", got, want)
	}
	if n := len(s.Reminders()); n != 5 {
		t.Errorf("%d reminders", n)
	}
}
