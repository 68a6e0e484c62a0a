package apply

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// TestGlanceAtHungPeer has a node hang right after a layer was copied to it, and hosts
// of another volume wait for it. The next look is over soon, and the peer is let go.
func TestGlanceAtHungPeer(t *testing.T) {
	volumes := func(on, taken string) *schema.Config {
		return config(t, `{db: {size: 16Mi, engine: "n1", export: nvmf: hosts: "any", replicas: on: [`+on+`], snapshots: [`+taken+`]},
			logs: {size: 4Mi, engine: "n1", export: nvmf: hosts: "any", replicas: on: ["n1", "n2"]}}`)
	}
	configs := []*schema.Config{volumes(`"n1"`, ``), volumes(`"n1"`, `"s1"`), volumes(`"n1"`, `"s1", "s2"`)}
	wider := volumes(`"n1", "n2"`, `"s1", "s2"`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, wider)
		defer done()
		var mirror string
		for i, cfg := range configs {
			n1 := converge(t, cfg, targets).Snapshot.Nodes["n1"]
			for alias, l := range n1.Lvols {
				if strings.Contains(alias, "/db.") && strings.Contains(alias, "#") {
					if err := c.Target("n1").WriteBdev(t.Context(), string(l.UUID), bytes.Repeat([]byte{byte(i + 1)}, 1<<20), 0); err != nil {
						t.Fatal(err)
					}
				}
			}
			for name := range n1.Raids {
				mirror = name
			}
		}
		x := NewRunner(wider, targets, Options{Plan: plan.Options{Nonce: []byte{2}}, Parallelism: 4})
		defer x.Close()
		for copied := false; !copied; {
			x.Settle()
			due(t, x)
			for _, s := range x.Result().Plan.Passes[0].Sections {
				for step := range s.Steps() {
					_, is := step.Op.(plan.ShallowCopy)
					copied = copied || is && x.planner.going != nil && !x.planner.going.Over()
				}
			}
			x.Pass(t.Context())
			for x.Settle(); x.Copying(); x.Settle() {
				x.Wait(t.Context())
			}
		}
		c.Target("n2").Freeze()
		defer c.Target("n2").Thaw()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Target("n1").WriteBdev(ctx, mirror, make([]byte, 4096), 0)
		time.Sleep(50 * time.Millisecond)
		begun := time.Now()
		sections := due(t, x)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("the look took %v while hosts wait", took)
		}
		if len(sections) == 0 || sections[0] != plan.LinkKey(lineage.Link{From: "n2", To: "n1"}) {
			t.Errorf("due: %v", sections)
		}
	})
}

// TestLookAgainDespiteHungNode reads nodes of which one does not answer: how long that
// is waited for is no measure of what a look costs, and while it is only glanced at
// nodes, nobody notices another that holds hosts up.
func TestLookAgainDespiteHungNode(t *testing.T) {
	cfg := config(t, `{db: {size: 4Mi, replicas: on: ["n1"]}}`)
	synctest.Test(t, func(t *testing.T) {
		c := cluster(t)
		defer c.Close()
		targets, done := connect(t, c, cfg)
		defer done()
		c.Target("n3").Freeze()
		defer c.Target("n3").Thaw()
		x := NewRunner(cfg, targets, Options{Plan: plan.Options{Nonce: []byte{1}}})
		defer x.Close()
		due(t, x)
		if !x.looker.recent() {
			t.Error("what was just read is not recent")
		}
		if time.Sleep(lookAgain); x.looker.recent() {
			t.Errorf("after %v, the nodes are not read again: the last look took %v", lookAgain, x.looker.took)
		}
	})
}
