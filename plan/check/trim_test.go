package check_test

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
)

// TestCheckOfTrim: what is discarded nobody is shown, all replicas free whole clusters of it, and
// it reads as zero.
func TestCheckOfTrim(t *testing.T) {
	const export = "nqn.2026-01.io.strata:lab:db.k3f7"
	at := plan.At{Node: "n1"}
	for want, change := range map[string]func(*schema.Config, *state.Snapshot, *plan.Options, *plan.Trim){
		"":                        func(*schema.Config, *state.Snapshot, *plan.Options, *plan.Trim) {},
		"nobody has asked for db": func(_ *schema.Config, _ *state.Snapshot, o *plan.Options, _ *plan.Trim) { o.Trim.Volumes = nil },
		"db.k3f7 is encrypted": func(c *schema.Config, _ *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			c.Volume("db").Encryption = &schema.Encryption{}
		},
		"has lost a leg": func(_ *schema.Config, s *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			s.Nodes["n1"].Raids["lab.db.k3f7"].Legs[1] = state.Leg{}
		},
		"stands on a layer": func(_ *schema.Config, s *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			s.Nodes["n2"].Lvols["lab.fast/db.k3f7#2.2"].Parent = "db.k3f7@1.old"
		},
		"no whole clusters": func(_ *schema.Config, _ *state.Snapshot, _ *plan.Options, op *plan.Trim) { op.Unit = 512 << 10 },
		"on n2 need not read": func(_ *schema.Config, s *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			s.Nodes["n2"].Disks["lab.fast.disk"].Keeps = true
		},
		"on n1 need not read": func(_ *schema.Config, s *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			s.Nodes["n1"].Disks["lab.fast.disk"].Kind = "nvme"
		},
		"n1 need not read as zero": func(c *schema.Config, s *state.Snapshot, _ *plan.Options, _ *plan.Trim) {
			s.Nodes["n1"].Disks["lab.fast.disk"].Kind = "nvme" // and another node's says that it does
			c.Node("n2").Pools[0].Zeroes = true
		},
		"is not known to be a repl": func(_ *schema.Config, _ *state.Snapshot, _ *plan.Options, op *plan.Trim) { op.Bdev = "lab.fast.disk" },
		"hosts are shown db":        nil, // the namespace stays
	} {
		cfg, snap := plantest.TwoNodes(t, `volumes: db: {size: 64Mi, replicas: 2, export: nvmf: hosts: "any"}`, `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#2.2p u1 64Mi 9
n1 controller lab.n2 nqn.2026-01.io.strata:lab:n2:n1 enabled 10.0.0.2 4420
n1 remote lab.n2n7 u2 64Mi
n1 raid lab.db.k3f7 online u1 u2
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
n2 lvol lab.fast/db.k3f7#2.2 u2 64Mi 9
n2 subsystem nqn.2026-01.io.strata:lab:n2:n1 host=nqn.2026-01.io.strata:lab:n1
n2 namespace nqn.2026-01.io.strata:lab:n2:n1 7 u2
n2 listen nqn.2026-01.io.strata:lab:n2:n1 10.0.0.2 4420
`)
		hide := plan.ListenerRemove{At: at, NQN: export, Address: "10.0.0.1", Port: "4420"}
		noNamespace := plan.NamespaceRemove{At: at, NQN: export, NSID: 1, Bdev: "lab.db.k3f7"}
		show := plan.NamespaceAdd{At: at, NQN: export, NSID: 1, Bdev: "lab.db.k3f7"}
		listen := plan.ListenerAdd{At: at, NQN: export, Address: "10.0.0.1", Port: "4420"}
		trim := plan.Trim{At: at, Volume: snap.Incarnations("db")[0], Bdev: "lab.db.k3f7", Unit: 1 << 20, Bytes: 64 << 20}
		opt := plan.Options{Trim: plan.Trims{Volumes: map[string]bool{"db": true}}}
		before := []plan.Op{hide, noNamespace}
		if change != nil {
			change(cfg, snap, &opt, &trim)
		} else {
			before = before[:1]
		}
		s := plan.Section{Kind: plan.KindVolume, Name: "db"}
		for _, op := range append(before, trim, show, listen) {
			s.Stages = append(s.Stages, []plan.Step{{Op: op, Risk: plan.RiskPause}})
		}
		err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, opt)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want: %s", err, want)
		}
	}
}
