package apply

import (
	"strings"
	"testing"
	"testing/synctest"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// TestGuardIsToldWhatever tells a guard lines of every length around its buffers',
// through pipes that hold nothing: each is answered.
func TestGuardIsToldWhatever(t *testing.T) {
	for n := range 4200 {
		synctest.Test(t, func(t *testing.T) {
			cfg := &schema.Config{Cluster: lineage.Cluster(strings.Repeat("x", n))}
			g, ended := guarded(cfg, plan.Options{}, nil)
			if err := g.start(); err != nil {
				t.Fatal(err)
			}
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		})
	}
}
