package recipe

import (
	"maps"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
)

// A node whose section was given up is asked for no more reminders, and what is
// new is made all the same.
func TestRemindersGivenUp(t *testing.T) {
	cfg := plantest.Config(t, `volumes: db: {size: 64Mi, replicas: on: ["n1"]}`)
	var world strings.Builder
	for _, n := range []string{"n1", "n2", "n3"} {
		world.WriteString(strings.ReplaceAll("N tcp\nN disk /dev/N lab.fast.disk claimed\nN lvstore lab.fast lab.fast.disk 1Mi 1024\n", "N", n))
	}
	snap := plantest.World(t, cfg.Cluster, world.String())
	for _, skip := range []bool{false, true} {
		p, err := Build(cfg, snap, plan.Options{Nonce: []byte("n"), Skip: map[plan.Key]bool{plan.NodeKey("n2"): skip}})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, step := range p.Steps() {
			switch step.Op.(type) {
			case plan.Remind, plan.LvolCreate:
				got[string(step.Op.On())+" "+strings.Fields(step.Op.Words())[0]]++
			default: // is not counted
			}
		}
		want := map[string]int{"n1 leave": 2, "n2 leave": 2, "n3 leave": 2, "n1 create": 1}
		if skip {
			delete(want, "n2 leave")
		}
		if !maps.Equal(got, want) {
			t.Errorf("given up %v: %v, want %v", skip, got, want)
		}
	}
}
