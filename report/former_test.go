package report

import (
	"strings"
	"testing"

	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// TestFormerEngine: what an engine shows from which another has taken over is no path for
// hosts, and does not make the volume healthy.
func TestFormerEngine(t *testing.T) {
	s, err := worldtest.Read("lab", `n1 tcp
n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast lab.fast.disk 1Mi 1024
n1 lvol lab.fast/db.k3f7#1002.1p u1 64Mi 9
n1 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n1 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 u1
n1 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.1 4420
n3 tcp
n3 controller lab.n1~wait nqn.2026-01.io.strata:lab:n1:n3~wait reconnect_is_delayed 10.0.0.1 4420
n3 remote lab.n1~waitn8 u1 64Mi
n3 raid lab.db.k3f7 online u1 -
n3 subsystem nqn.2026-01.io.strata:lab:db.k3f7 any
n3 namespace nqn.2026-01.io.strata:lab:db.k3f7 1 lab.db.k3f7
n3 listen nqn.2026-01.io.strata:lab:db.k3f7 10.0.0.3 4420
`)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &schema.Config{
		Cluster: "lab",
		Nodes:   []*schema.Node{{Name: "n1", Pools: []*schema.Pool{{Name: "fast", Lvstore: "lab.fast"}}}, {Name: "n3"}},
		Volumes: []*schema.Volume{{Name: "db", Size: 64 << 20, Replicas: schema.Replicas{Count: 1}, Export: schema.Export{Kind: schema.ExportNVMf, AnyHost: true}}},
	}
	for _, without := range []bool{false, true} {
		if without { // what the engine itself shows does not listen
			for _, sub := range s.Nodes["n1"].Subsystems {
				sub.Listeners = nil
			}
		}
		v := Build(cfg, state.New("lab", s.Nodes["n1"], s.Nodes["n3"])).Volumes[0]
		if v.Engine != "n1" || len(v.Exports) != 2 || (v.Health == Healthy) == without {
			t.Fatalf("engine %s, %s (%s): %+v", v.Engine, v.Health, v.Why, v.Exports)
		}
		if e := v.Exports[0]; e.Path != "" || strings.Contains(e.Connect, "10.0.0.1") == without {
			t.Errorf("the path to the engine: %+v", e)
		}
		if e := v.Exports[1]; e.Node != "n3" || e.Path != Former || e.Connect != "" {
			t.Errorf("the path to the former engine: %+v", e)
		}
	}
}
