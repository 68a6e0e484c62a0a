package lineage

import (
	"math/bits"
	"strings"
	"testing"
)

func TestNamesRoundTrip(t *testing.T) {
	db := Volume{"db", "k3f7"}
	long := Volume{strings.Repeat("v", MaxName), "k3f7"}
	for _, n := range []Name{
		Head{db, 1, 2, 0, false, false, false, Open, Layout{}, ""}, Head{db, 12, 3, 0, false, false, false, Primary, Layout{}, ""}, Head{db, 7, 1, 0, false, false, false, Sealed, Layout{}, ""}, Head{db, 7, 0, 0, false, false, false, Fenced, Layout{}, ""}, Head{db, 7, 0, 5, false, false, false, Fenced, Layout{}, ""}, Head{db, 9_999_999, 0, 9_999_999, false, false, false, Fenced, Layout{}, ""},
		Head{db, 12, 3, 9, false, false, false, Open, Layout{}, ""}, Head{db, 12, 3, 12, false, false, false, Primary, Layout{}, ""}, Head{long, 9_999_999, 99, 9_999_999, false, false, false, Primary, Layout{}, ""},
		Head{db, 12, 3, 9, true, false, false, Open, Layout{}, ""}, Head{db, 12, 3, 0, true, false, false, Primary, Layout{}, ""}, Head{db, 7, 2, 0, true, false, false, Sealed, Layout{}, ""}, Head{long, 9_999_999, 99, 9_999_999, true, false, false, Primary, Layout{}, ""},
		Head{db, 12, 3, 9, true, true, false, Open, Layout{}, ""}, Head{db, 12, 3, 0, true, true, false, Primary, Layout{}, ""}, Head{db, 7, 2, 0, true, true, false, Sealed, Layout{}, ""}, Head{long, 9_999_999, 99, 9_999_999, true, true, false, Primary, Layout{}, ""},
		Head{db, 7, 0, 0, false, false, true, Fenced, Layout{}, ""}, Head{db, 9_999_999, 0, 9_999_999, false, false, true, Fenced, Layout{}, ""},
		Head{db, 12, 3, 9, true, true, false, Primary, Layout{}, "abwp"}, Head{db, 12, 3, 9, false, false, false, Open, Layout{}, "abwp"}, Head{db, 7, 0, 5, false, false, true, Fenced, Layout{}, Unkeyed},
		Head{Volume{strings.Repeat("v", MaxWhole) + ".63", "k3f7"}, 9_999_999, 99, 9_999_999, true, true, false, Primary, Layout{64, 1024}, "abcd"},
		Layer{db, 3, "base", false}, Layer{db, 4, "join", true}, Staging{Volume: db, Epoch: 9},
		Layer{long, 9_999_999, strings.Repeat("s", MaxName), true},
		Head{Volume{"db", Pending}, 1, 2, 0, false, false, false, Sealed, Layout{}, ""}, Staging{Volume: db, Epoch: NoLayer}, Staging{Volume: db, Epoch: NoLayer - 3}, Staging{Volume: long, Epoch: NoLayer}, Staging{Volume: db, From: "bx2a"}, Staging{Volume: long, From: "bx2a", Follows: true}, Staging{Volume: long, From: "bx2a", Epoch: MaxEpoch, MiB: maxMiB},
		Scrubbed{Volume: db}, Scrubbed{Volume: db, Whole: 1_700_000_000}, Scrubbed{db, 1_700_000_000, 0, 0, 12, false, true}, Scrubbed{db, 1_700_000_000, 0, 0, 12, true, false}, Scrubbed{db, 0, 1_700_000_000, 7, 0, false, true},
		Scrubbed{long, maxTime - 1, maxTime, 9_999_999, 9_999_999, true, true},
	} {
		if len(n.Lvol()) > MaxLvolName {
			t.Errorf("%q has %d bytes", n.Lvol(), len(n.Lvol()))
		}
		if got, ok := Parse(n.Lvol()); !ok || got != n {
			t.Errorf("Parse(%q) = %#v, %v; want %#v", n.Lvol(), got, ok, n)
		}
	}
}

func TestForeignNamesDoNotParse(t *testing.T) {
	for _, s := range []string{
		"", "db", "db#1", "db.k3f7", "db.k3f7#", "db.k3f7#0.1", "db.k3f7#01.1", "db.k3f7#1", "db.k3f7#1p", "db.k3f7#1.0x", "db.k3f7#1.2.3x",
		"db.k3f7#1.2qw", "db.k3f7#1.2wq", "db.k3f7#1.2qq", "db.k3f7#1qx", "db.k3f7#1.2.3y", "db.k3f7#1xy", "db.k3f7#1yx", "db.k3f7#1qy", "db.k3f7#y", "db.k3f7#1.2pw", "db.k3f7#1.2ww", "db.k3f7#1.wp", "db.k3f7#1w", "db.k3f7#1wx", "db.k3f7#1.2wx", "db.k3f7#+1.1", "db.k3f#1.1", "db.k3f77#1.1", "db.K3F7#1.1", "DB.k3f7#1.1", "-db.k3f7#1.1",
		"db.k3f7@1", "db.k3f7@1.", "db.k3f7@1.~", "db.k3f7@1.~~a", "db.k3f7@x.a", "db.k3f7+", "db.k3f7+1p", "db.k3f7+x", "db.k3f7+4294967296", "db.k3f7+10000000", "db.k3f7+~", "db.k3f7+~~", "db.k3f7+~9x2a~", "db.k3f7+~abcd~~", "db.k3f7+~abc",
		"db.k3f7#1.2=", "db.k3f7#1.2=abc", "db.k3f7#1.2=abc1", "db.k3f7#=abcd1.2", "db.k3f7#1.2p=abcd", "db.k3f7#1.2=abcd.3", "db.k3f7#1.2=abcd=abcd", "db.k3f7#=abcd", "db.k3f7#1.2=abcd:3",
		"db.k3f7#10000000.2", "db.k3f7#4294967295x", "db.k3f7#4294967296x", "db.k3f7#1.2.10000000", "db.k3f7#1.10000000x", "db.k3f7@10000000.a", "db.k3f7@4294967295.a", "db.k3f7#1.1pp", "db.k3f7#1.100", "db.k3f7#1.2.", "db.k3f7#1.2.0", "db.k3f7#1.2.3x", "db.k3f7#1.2.3.4",
		"db.k3f7!", "db.k3f7!01", "db.k3f7!-1", "db.k3f7!A", "db.k3f7!?", "db.k3f7!0=0", "db.k3f7!0=", "db.k3f7!0??", "db.k3f7!0?=3", "db.k3f7!0~0.3", "db.k3f7!0~a", "db.k3f7!0~a.", "db.k3f7!a~a.3", "db.k3f7!0=3~a.3", "db.k3f7!0=3-3", "db.k3f7!0-0", "db.k3f7!0?-3", "db.k3f7!00000000",
	} {
		if n, ok := Parse(LvolName(s)); ok || n != nil {
			t.Errorf("Parse(%q) = %#v, %v; want none", s, n, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("db.k3f7#1.2p")
	f.Add("db.k3f7@3.~join")
	f.Add("db.k3f7#12.3.9")
	f.Add("db.k3f7#12.3.9wp")
	f.Add("db.k3f7#12.3.9qp")
	f.Add("db.k3f7#12.9y")
	f.Add("db.k3f7#12.3w")
	f.Add("db.k3f7#12.9x")
	f.Add("db.k3f7#12.3.9=abwpwp")
	f.Add("db.k3f7#12=0000y")
	f.Add("db.k3f7+4294967295")
	f.Add("db.k3f7+99999999999")
	f.Add("db.k3f7+~abcd~")
	f.Add("db.k3f7+~abcd.4.64")
	f.Add("db.k3f7!s44we8~s4al0w.7=3?")
	f.Add("db.k3f7!s44we8~s4al0w.7-3?")
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := Parse(LvolName(s))
		switch {
		case ok != (n != nil):
			t.Errorf("Parse(%q) = %#v, %v", s, n, ok)
		case ok && string(n.Lvol()) != s:
			t.Errorf("Parse(%q) formats as %q", s, n.Lvol())
		case ok && len(s) > MaxLvolName:
			t.Errorf("Parse(%q) takes %d bytes", s, len(s))
		}
		switch n := n.(type) {
		case Head:
			if max(n.Epoch, n.Cut) > MaxEpoch || n.Epoch == 0 || (n.Wait || n.Quorum) && n.Mark == Fenced || n.Quorum && !n.Wait || n.Pledged && n.Mark != Fenced {
				t.Errorf("Parse(%q) = %#v", s, n)
			}
		case Layer:
			if n.Epoch > MaxEpoch || n.Epoch == 0 {
				t.Errorf("Parse(%q) = %#v", s, n)
			}
		}
	})
}

func TestFabricNamesRoundTrip(t *testing.T) {
	c, db, l := Cluster("lab"), Volume{"db", "k3f7"}, Link{"n2", "n1", false}
	for _, l := range []Link{l, {"n2", "n1", true}} {
		if got, ok := c.ParseLink(c.LinkNQN(l)); !ok || got != l {
			t.Errorf("link: %v %v", got, ok)
		}
		var got Link
		if text, err := l.MarshalText(); err != nil || got.UnmarshalText(text) != nil || got != l {
			t.Errorf("%v is written as %s, %v, and read as %v", l, text, err, got)
		}
	}
	if err := new(Link).UnmarshalText([]byte("n2")); err == nil {
		t.Error("n2 is read as a link")
	}
	if n := c.Controller(Link{"n2", "n1", true}); n != "lab.n2~wait" {
		t.Errorf("controller of a link that waits: %s", n)
	}
	for _, n := range []NQN{"nqn.2026-01.io.strata:lab:n2:~wait", "nqn.2026-01.io.strata:lab:n2~wait:n1", "nqn.2026-01.io.strata:lab:n2:n1~wait~wait"} {
		if got, ok := c.ParseLink(n); ok {
			t.Errorf("%s taken for link %v", n, got)
		}
	}
	if got, ok := c.ParseExport(c.ExportNQN(db)); !ok || got != db {
		t.Errorf("export: %v %v", got, ok)
	}
	if got, ok := c.ParseRaid(c.Raid(db)); !ok || got != db {
		t.Errorf("raid: %v %v", got, ok)
	}
	for _, n := range []NQN{c.HostNQN("n1"), c.LinkNQN(l), Cluster("lab2").ExportNQN(db)} {
		if v, ok := c.ParseExport(n); ok {
			t.Errorf("%s taken for the export of %s", n, v)
		}
	}
	if _, ok := c.ParseLink(c.ExportNQN(db)); ok {
		t.Error("an export taken for a link")
	}
	if c.ExportUUID(db) == c.ExportUUID(Volume{"db", "k3f6"}) || len(c.ExportUUID(db)) != 36 || len(c.Serial(db)) > 20 {
		t.Error("derived identities")
	}
}

func TestNewIDAvoidsTaken(t *testing.T) {
	first := NewID([]byte("n"), "db", func(ID) bool { return false })
	second := NewID([]byte("n"), "db", func(id ID) bool { return id == first })
	if !ValidID(first) || !ValidID(second) || first == second {
		t.Errorf("%s, %s", first, second)
	}
}

func TestLockNotesRoundTrip(t *testing.T) {
	const c = Cluster("lab")
	n := LockNote{
		Holder: "11111111-1111-4111-8111-111111111111", By: "root@host1", Realm: "9f3c", PID: 4711, Guard: 4712,
		Since: "2026-11-20T19:30:00Z", Seen: "2026-11-20T19:30:10Z",
	}
	for range 2 {
		if got, ok := c.ParseLockNote(c.LockNote(n)); !ok || got != n {
			t.Errorf("%q is read as %+v, %v", c.LockNote(n), got, ok)
		}
		if got, ok := c.ParseSeatNote(c.SeatNote(n)); !ok || got != n {
			t.Errorf("%q is read as %+v, %v", c.SeatNote(n), got, ok)
		}
		n.Watch = true
	}
	if got, ok := c.ParseSeatNote(c.LockNote(n)); ok {
		t.Errorf("of the lock, the seat is read as %+v", got)
	}
	for _, name := range []string{c.Lock(), Cluster("la").LockNote(n), c.LockNote(n) + " more=1", c.LockNote(n)[:40], "lab.lock", "lab.lock2"} {
		if got, ok := c.ParseLockNote(name); ok {
			t.Errorf("%q is read as %+v", name, got)
		}
	}
}

// TestToldAndUntoldMeet goes through every choice of legs that were told, and of legs that
// were read: one that was told is among those read.
func TestToldAndUntoldMeet(t *testing.T) {
	for legs := 1; legs <= 8; legs++ {
		for _, h := range []Head{{Legs: legs, Wait: true}, {Legs: legs, Wait: true, Quorum: true}} {
			if h.Told() < 1 || h.Untold() < 1 || h.Untold() > legs {
				t.Fatalf("%+v: %d told, %d untold", h, h.Told(), h.Untold())
			}
			for told := range 1 << legs {
				for read := range 1 << legs {
					if bits.OnesCount(uint(told)) >= h.Told() && bits.OnesCount(uint(read)) >= h.Untold() && told&read == 0 {
						t.Fatalf("%+v: told %b, read %b", h, told, read)
					}
				}
			}
		}
	}
	if n := (Head{Legs: 3}).Untold(); n != 0 {
		t.Errorf("of links that did not wait, %d are enough", n)
	}
	if h := (Head{Legs: 3, Wait: true, Quorum: true}); h.Told() != 2 || h.Untold() != 2 {
		t.Errorf("of three, %d are told and %d read", h.Told(), h.Untold())
	}
}
