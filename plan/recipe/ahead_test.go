package recipe

import (
	"testing"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
)

// Only a first pass that does something to volumes alone is checked while it is
// planned, and what the check notes in its steps is what it notes of a whole plan.
func TestAheadIsOfVolumesAlone(t *testing.T) {
	held := 0
	for _, c := range plantest.Cases(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) {
			cfg, snap, opt := c.Load(t)
			snap, opt = world.Fit(cfg, snap), released(opt)
			p, a, err := build(cfg, snap, opt)
			if err != nil || !a.holds || len(a.taken) == 0 {
				return
			}
			held++
			for i := range p.Passes[0].Sections {
				if s := &p.Passes[0].Sections[i]; s.Kind != plan.KindVolume {
					t.Errorf("%s: a pass with %s is held to be checked", c.Name, s.Key())
				}
			}
			c, rest := a.rest(p)
			if err := c.Check(rest); err != nil {
				t.Fatal(err)
			}
			p.NoteMoves(cfg, opt.Wishes) // as is done with a plan once it is checked
			q, err := slowly(cfg, snap, opt)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := plantest.Text(p), plantest.Text(q); got != want {
				t.Errorf("checked ahead:\n%s\nchecked at the end:\n%s", got, want)
			}
		})
	}
	if held < 20 {
		t.Errorf("%d plans begin with a pass that was checked while it was planned", held)
	}
}

// What was checked is of no use for a pass with a fault, and for one that came out
// otherwise.
func TestAheadHoldsForWhatItSaw(t *testing.T) {
	for name, change := range map[string]func(*section, *plan.Pass){
		"": func(*section, *plan.Pass) {},
		"a step": func(_ *section, p *plan.Pass) {
			p.Sections[0].Stages = append(p.Sections[0].Stages, []plan.Step{deletes("x")})
		},
		"none":     func(_ *section, p *plan.Pass) { p.Sections = nil },
		"the link": func(s *section, p *plan.Pass) { p.Sections = append(p.Sections, plan.Section{Kind: plan.KindLink}) },
		"a fault":  func(s *section, _ *plan.Pass) { s.Stages[0][0] = deletes("theirs") },
	} {
		cfg, snap := twoVolumes(t)
		fitted := world.Fit(cfg, snap)
		step := plan.Step{Op: plan.LvolCreate{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: "a.k3f7#1.1p", Size: 1 << 20}, Risk: plan.RiskCreate}
		b := newBuilder(newPasses(cfg, world.New(cfg.Cluster, fitted), plan.Options{}))
		s := b.section(plan.VolumeKey("a"))
		s.Stages = [][]plan.Step{{step}}
		pass := plan.Pass{Sections: []plan.Section{s.Section}}
		change(s, &pass)
		a := newAhead(cfg, fitted, plan.Options{})
		a.take(b, s.Key())
		if a.end(pass); a.holds != (name == "") {
			t.Errorf("changed: %q: holds: %v", name, a.holds)
		}
	}
}
