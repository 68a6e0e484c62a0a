package recipe

import (
	"testing"

	"strata/lineage"
	"strata/plan/plantest"
	"strata/schema"
)

// TestQuiet: on a node that comes and goes nothing is done but that hosts are offered nothing
// there that another serves by now.
func TestQuiet(t *testing.T) {
	for _, c := range plantest.Cases(t, "testdata") {
		if c.Name != "failover-returns-beside" {
			continue
		}
		cfg, snap, opt := c.Load(t)
		opt.Quiet = map[lineage.Node]bool{"n3": true}
		p, err := Quiet(cfg, snap, opt)
		if err != nil {
			t.Fatal(err)
		}
		steps := p.Steps()
		if len(steps) != 1 || steps[0].Op.On() != "n3" || steps[0].Op.Words() != "stop listening for nqn.2026-01.io.strata:lab:db.k3f7 on 10.0.0.3:4420" {
			t.Errorf("steps:\n%s", plantest.Text(p))
		}
		opt.Auto = map[string]schema.Auto{"db": schema.AutoOf(schema.DutyServe)}
		if p, err := Quiet(cfg, snap, opt); err != nil || !p.Empty() {
			t.Errorf("without \"fence\": %v\n%s", err, plantest.Text(p))
		}
		opt.Quiet, opt.Auto = map[lineage.Node]bool{"n1": true}, nil
		if p, err := Quiet(cfg, snap, opt); err != nil || !p.Empty() {
			t.Errorf("of the engine: %v\n%s", err, plantest.Text(p))
		}
	}
}
