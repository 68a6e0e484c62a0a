package apply

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/plan"
	"strata/schema"
	"strata/spdk/sim"
)

// TestCloneWaitsForCopy gives a volume and a clone of its second snapshot another
// replica. What is to stand on the copy of that layer begins once it is there: no
// step fails.
func TestCloneWaitsForCopy(t *testing.T) {
	db := func(on, taken string) string {
		return `db: {size: 16Mi, engine: "n1", export: nvmf: hosts: "any", replicas: on: [` + on + `], snapshots: [` + taken + `]}`
	}
	clone := func(on, taken string) string {
		return `, test: {size: 16Mi, engine: "n1", export: nvmf: hosts: "any", replicas: on: [` + on + `], from: {volume: "db", snapshot: "s2"}, snapshots: [` + taken + `]}`
	}
	var configs []*schema.Config
	for _, volumes := range []string{
		db(`"n1"`, ``), db(`"n1"`, `"s1"`), db(`"n1"`, `"s1", "s2"`) + clone(`"n1"`, ``), db(`"n1"`, `"s1", "s2"`) + clone(`"n1"`, `"t1"`),
	} {
		configs = append(configs, config(t, "{"+volumes+"}"))
	}
	wider := config(t, "{"+db(`"n1", "n2"`, `"s1", "s2"`)+clone(`"n1", "n2"`, `"t1"`)+"}")
	synctest.Test(t, func(t *testing.T) {
		c := sim.New(sim.Options{Tick: 4 * time.Millisecond, DiskSize: 256 << 20, CopyRate: 4 << 20})
		defer c.Close()
		for _, n := range []string{"n1", "n2", "n3"} {
			if _, err := c.Start(n, ""); err != nil {
				t.Fatal(err)
			}
		}
		targets, done := connect(t, c, wider)
		defer done()
		for i, cfg := range configs {
			for alias, l := range converge(t, cfg, targets).Snapshot.Nodes["n1"].Lvols {
				if strings.Contains(alias, "#") {
					if err := c.Target("n1").WriteBdev(t.Context(), string(l.UUID), bytes.Repeat([]byte{byte(i + 1)}, 4<<20), 0); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		r, err := Run(t.Context(), wider, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4, Observe: func(e Event) {
			if e.Err != nil {
				t.Errorf("pass %d, %s: %s: %v", e.Pass, e.Section, e.Step.Op.Words(), e.Err)
			}
		}})
		if err != nil || !r.Converged {
			t.Errorf("%v, %+v", err, r)
		}
	})
}
