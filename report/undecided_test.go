package report

import (
	"testing"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// Where it is not known which replicas are current none is called stale, none
// current, and there is no count: not when a disk of a node has not been looked at,
// and not when the volume is not configured.
func TestUndecided(t *testing.T) {
	db := lineage.Volume{Name: "db", ID: "k3f7"}
	read := func(name lineage.Node, mark lineage.Mark) *state.Node {
		n := state.NewNode(name)
		n.Lvstores["lab.fast"] = &state.Lvstore{Name: "lab.fast", ClusterSize: 1 << 20}
		head := lineage.Head{Volume: db, Epoch: 2, Legs: 3, Mark: mark}
		n.AddLvol(&state.Lvol{Lvstore: "lab.fast", Name: head.Lvol(), UUID: lineage.UUID("u" + name), Size: 1 << 20})
		return n
	}
	bare := state.NewNode("n3")
	blank := state.NewNode("n3")
	blank.Disks["d"] = &state.Disk{Bdev: "d", Path: "/dev/d"}
	primary, open := lineage.Primary, lineage.Open
	for _, c := range []struct {
		name       string
		mark       lineage.Mark
		n2         *state.Node
		n3         *state.Node
		configured bool
		legs       string // of n1
		undecided  bool
	}{
		{"all read", primary, read("n2", open), read("n3", open), true, "current", false},
		{"nobody says", open, read("n2", open), read("n3", open), true, "unknown", true},
		{"fenced is a fact", lineage.Fenced, read("n2", open), read("n3", open), true, "fenced", true},
		{"two not read", primary, state.Unread("n2", "down"), state.Unread("n3", "down"), true, "unknown", true},
		{"disks not attached", primary, state.NewNode("n2"), bare, true, "unknown", true},
		{"one disk is blank", primary, read("n2", open), blank, true, "current", false},
		{"not configured, two not read", primary, state.Unread("n2", "down"), state.Unread("n3", "down"), false, "unknown", true},
	} {
		cfg := &schema.Config{Cluster: "lab"}
		for _, n := range []lineage.Node{"n1", "n2", "n3"} {
			cfg.Nodes = append(cfg.Nodes, &schema.Node{Name: n, Pools: []*schema.Pool{{Name: "fast", Lvstore: "lab.fast", Path: "/dev/d"}}})
		}
		if c.configured {
			cfg.Volumes = []*schema.Volume{{Name: "db", Size: 1 << 20, Replicas: schema.Replicas{Count: 3}}}
		}
		v := Build(cfg, state.New("lab", read("n1", c.mark), c.n2, c.n3)).Volumes[0]
		if v.Replicas[0].Leg != c.legs || v.Undecided != c.undecided || c.undecided && v.Current != 0 {
			t.Errorf("%s: %s, undecided %v, %s", c.name, v.Replicas[0].Leg, v.Undecided, v.Copies())
		}
	}
}

// Of a volume whose engine cannot be read nobody says that none runs.
func TestEngineUnread(t *testing.T) {
	cfg := &schema.Config{Cluster: "lab", Volumes: []*schema.Volume{{Name: "db", Size: 64 << 20, Replicas: schema.Replicas{Count: 2}}}}
	for _, n := range []lineage.Node{"n1", "n2"} {
		cfg.Nodes = append(cfg.Nodes, &schema.Node{Name: n, Pools: []*schema.Pool{{Name: "fast", Lvstore: "lab.fast", Path: "/dev/d"}}})
	}
	for engine, want := range map[string]string{
		"n1 unread connection refused": "its engine was on n1, which cannot be read, and may be serving it still",
		"n1 tcp":                       "only 1 of its 2 replicas could be read, and no engine runs; a majority is needed to know which is current",
	} {
		s, err := worldtest.Read("lab", engine+`
n2 disk /dev/d lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#3.2w u2 64Mi 9
n2 subsystem nqn.2026-01.io.strata:lab:n2:n1~wait host=nqn.2026-01.io.strata:lab:n1
n2 namespace nqn.2026-01.io.strata:lab:n2:n1~wait 7 u2
`)
		if err != nil {
			t.Fatal(err)
		}
		if v := Build(cfg, s).Volumes[0]; v.Why != want {
			t.Errorf("%s: %q", engine, v.Why)
		}
	}
}
