package check_test

import (
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/plantest"
)

// A volume is on its way from one pool of n1 to another.
const betweenPools = `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 disk /dev/new lab.new.disk claimed
n1 disk /dev/odd lab.odd.disk claimed blocks=512
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvstore lab.new lab.new.disk 1Mi 1024
n1 lvstore lab.odd lab.odd.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7@2.base b1 64Mi 3
n1 lvol lab.fast/db.k3f7#3.2.2p u1 64Mi 9 parent=db.k3f7@2.base
n1 lvol lab.new/db.k3f7@2.base b2 64Mi 3
n1 lvol lab.new/db.k3f7#3.2.2 u2 64Mi 9 parent=db.k3f7@2.base
n1 lvol lab.odd/db.k3f7+2 s1 64Mi
n1 raid lab.db.k3f7 online u1 u2
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n2 tcp
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast lab.fast.disk 1Mi 1024
`

// Two replicas on one node stand for one: neither of two that are configured goes for the
// other. Nor is a second of them named as the one to believe.
func TestCheckOfTwoPoolsOfANode(t *testing.T) {
	at := plan.At{Node: "n1"}
	stale := plan.LvolRename{At: at, Lvstore: "lab.fast", From: "db.k3f7#3.2.2p", To: "db.k3f7#3.2x"}
	goes := []plan.Op{
		plan.LvolRename{At: at, Lvstore: "lab.new", From: "db.k3f7#3.2.2", To: "db.k3f7#4.1.2p"},
		plan.LvolRename{At: at, Lvstore: "lab.fast", From: "db.k3f7#3.2.2p", To: "db.k3f7#4.2x"},
		plan.RaidRemoveLeg{At: at, Raid: "lab.db.k3f7", Leg: "u1"},
		plan.LvolDelete{At: at, Lvstore: "lab.fast", Name: "db.k3f7#4.2x"},
	}
	for _, c := range []struct {
		name, replicas, want string
		ops                  []plan.Op
	}{
		{"one of one", "1", "", goes},
		{"one of two", "2", "has current replicas on 1 node beside that on n1, and is to have 2", goes},
		{"two authorities", "1", "is the authority of epoch 3 already", []plan.Op{plan.LvolRename{At: at, Lvstore: "lab.new", From: "db.k3f7#3.2.2", To: "db.k3f7#3.2.2p"}}},
		{"an authority after another", "1", "", []plan.Op{stale, plan.LvolRename{At: at, Lvstore: "lab.new", From: "db.k3f7#3.2.2", To: "db.k3f7#3.2.2p"}}},
		{"blocks", "1", "lab.fast on n1 has blocks of 4096 bytes, and lab.odd on n1 of 512", []plan.Op{plan.ShallowCopy{At: at, Dest: "n1", Lvstore: "lab.fast", Layer: "db.k3f7@2.base", To: "s1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, snap := plantest.TwoNodes(t, `nodes: n1: pools: {new: aio: "/dev/new", odd: {aio: "/dev/odd", blockSize: 512}}
volumes: db: {size: 64Mi, replicas: `+c.replicas+`, export: nvmf: hosts: "any"}`, betweenPools)
			sec := plan.Section{Kind: plan.KindVolume, Name: "db"}
			for _, op := range c.ops {
				sec.Stages = append(sec.Stages, []plan.Step{{Op: op, Risk: plan.RiskReduce}})
			}
			err := check.Check(cfg, snap, &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{sec}}}}, plan.Options{})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
