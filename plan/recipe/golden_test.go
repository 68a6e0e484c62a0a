package recipe

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/catalog"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestGolden builds the plan of each case in testdata: "want" is the plan as
// printed, and "after" is the world it leaves.
//
// Of every plan it checks beside that, that it leaves nothing to do, and that
// one cut off after any step is continued to the same end.
func TestGolden(t *testing.T) {
	for _, c := range plantest.Cases(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) { golden(t, c) })
	}
}

func golden(t *testing.T, c plantest.Case) {
	cfg, snap, opt := c.Load(t)
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameSlowly(cfg, snap, opt, p); err != nil {
		t.Error(err)
	}
	after, steps := carriedOut(t, cfg, snap, p, len(p.Steps())), len(p.Steps())
	want, left := strings.TrimLeft(plantest.Text(p), "\n"), worldtest.Write(after)
	if steps == 0 {
		left = ""
	}
	if *update {
		c.Update(t, txtar.File{Name: "want", Data: []byte(want)}, txtar.File{Name: "after", Data: []byte(left)})
	} else if want != c.File("want") || left != c.File("after") {
		t.Errorf("got plan\n%s\nwant\n%s\nafter it\n%s\nwant\n%s", want, c.File("want"), left, c.File("after"))
	}
	for n := range steps {
		continued(t, cfg, carriedOut(t, cfg, snap, p, n), recorded(cfg, opt, p.Steps()[:n]), fmt.Sprintf("cut off after %d of %d steps", n, steps), n%4 == 0)
	}
	atRest(t, cfg, after, recorded(cfg, opt, p.Steps()), "carried out")
}

// recorded are the options when steps have left their records in archives, and done what was asked for.
func recorded(cfg *schema.Config, opt plan.Options, steps []plan.Step) plan.Options {
	for _, step := range steps {
		switch op := step.Op.(type) {
		case plan.Backup:
			opt.Catalog = opt.Catalog.With(op.Archive, catalog.Record{Cluster: cfg.Cluster, Layer: op.Layer, Over: op.Over, Block: 1 << 20})
		case plan.RecordForget:
			opt.Catalog = opt.Catalog.Without(op.Archive, cfg.Cluster, op.Layers)
		case plan.Trim:
			opt.Trim = plan.Trims{} // that was asked for once
		default: // changes nothing of them
		}
	}
	return opt
}

// carriedOut is the world after the first n steps of a plan.
func carriedOut(t *testing.T, cfg *schema.Config, snap *state.Snapshot, p *plan.Plan, n int) *state.Snapshot {
	w := world.New(cfg.Cluster, world.Fit(cfg, snap))
	for _, step := range p.Steps()[:n] {
		if err := w.Project(step.Op); err != nil {
			t.Fatalf("step %d: %v", step.Number, err)
		}
	}
	return w.Snapshot
}

// continued checks that planning anew from snap comes to rest, and, if compared, that it is
// as if everything was looked at: random histories ask that of far more.
func continued(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt plan.Options, when string, compared bool) {
	p, err := Build(cfg, snap, opt)
	if err == nil && compared {
		err = sameSlowly(cfg, snap, opt, p)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", when, err, worldtest.Write(snap))
		return
	}
	atRest(t, cfg, carriedOut(t, cfg, snap, p, len(p.Steps())), recorded(cfg, opt, p.Steps()), when+", and continued")
}

func atRest(t *testing.T, cfg *schema.Config, snap *state.Snapshot, opt plan.Options, when string) {
	p, err := Build(cfg, snap, opt)
	if err != nil {
		t.Errorf("%s: %v\n%s", when, err, worldtest.Write(snap))
	} else if !p.Empty() {
		t.Errorf("%s, something is left to do:\n%s\n%s", when, plantest.Text(p), worldtest.Write(snap))
	}
}
