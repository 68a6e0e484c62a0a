package recipe

import (
	"slices"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// TestStack takes every volume down that the golden cases leave served, and starts
// it again. Nothing bears the volume above the height that its stack is at; what is
// down stays as it is when it is told to go down again; and what comes up is what
// was there.
func TestStack(t *testing.T) {
	taken := map[schema.ExportKind]int{}
	for _, c := range plantest.Cases(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) {
			cfg, snap, opt := c.Load(t)
			p, err := Build(cfg, snap, opt)
			if err != nil {
				t.Fatal(err)
			}
			after := carriedOut(t, cfg, snap, p, len(p.Steps()))
			b := newBuilder(newPasses(cfg, world.New(cfg.Cluster, world.Fit(cfg, after)), opt))
			b.run(nil)
			for _, v := range cfg.Volumes {
				if s := b.subjects[v.Name]; s != nil && s.Engine != "" && !cfg.Suspended(s.Engine) && s.prepare(s.engine, "engine") == acted {
					taken[v.Export.Kind]++
					downAndUp(t, s)
				}
			}
			if b.err != nil {
				t.Error(b.err)
			}
		})
	}
	for _, kind := range []schema.ExportKind{schema.ExportNVMf, schema.ExportUblk, schema.ExportNBD, schema.ExportNone} {
		if taken[kind] == 0 {
			t.Errorf("no volume was taken down whose export is %q", kind)
		}
	}
}

func downAndUp(t *testing.T, s *subject) {
	t.Helper()
	again := because(schema.Pos{}, "it is started again")
	now := func() *state.Incarnation { return s.b.w.Incarnation(s.id) }
	up := bearing(pieces(now()))
	if len(s.Legs) == 1 {
		up = bearing(slices.Collect(above(now(), atMirror))) // a RAID that has lost all but one leg is not made again
	}
	for _, to := range []height{atExport, atMirror} {
		s.goDown(again, to)
		if above := bearing(slices.Collect(above(now(), to))); len(above) > 0 {
			t.Errorf("%s: at height %d it has above that %v", s.id, to, above)
		}
	}
	s.sec.then(again, plan.RiskPause, s.expectLegs()...)
	s.sec.then(again, plan.RiskPause, s.seal(again, nil)...)
	s.was = s.Engine
	s.goDown(again, atLegs)
	if left := bearing(pieces(now())); len(left) > 0 {
		t.Errorf("%s: when it is down, it has still %v", s.id, left)
	}
	steps := s.sec.steps()
	s.goDown(again, atLegs)
	if s.sec.steps() > steps {
		t.Errorf("%s: what is down is taken down again", s.id)
	}
	if !s.judge() || !s.raise() {
		t.Errorf("%s: it is not started again: %v", s.id, s.b.blocked)
		return
	}
	if w := s.whole(); w != nil {
		if of := bearing(slices.Collect(above(now(), atMirror))); len(of) > 0 {
			t.Errorf("%s: it is started again, and already %s is shown on %v", s.id, w.Name, of)
		}
		w.serve()
	}
	if same := bearing(pieces(now())); !slices.Equal(same, up) {
		t.Errorf("%s: it had %v, and started again it has %v", s.id, up, same)
	}
}

// bearing are the nodes that have a bdev of each of these pieces.
func bearing(pieces []piece) (on []lineage.Node) {
	for _, p := range pieces {
		if p.bears() {
			on = append(on, p.on())
		}
	}
	return on
}
