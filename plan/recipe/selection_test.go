package recipe

import (
	"slices"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
	"strata/state/worldtest"
)

// TestSelection: of every golden plan, what is done about one object and what that needs
// passes the check without the rest, and so does the rest without it; afterwards a plan
// can be made.
func TestSelection(t *testing.T) {
	parts := 0
	for _, c := range plantest.Cases(t, "testdata") {
		cfg, snap, opt := c.Load(t)
		p, err := Build(cfg, snap, opt)
		if err != nil {
			t.Fatal(c.Name, err)
		}
		if c.Watched() || opt.ResumeOnly != nil {
			continue
		}
		var all []plan.Selection
		for _, key := range objectsOf(p) {
			all = append(all, plan.Selection{Only: []plan.Key{key}}, plan.Selection{Except: []plan.Key{key}})
		}
		for _, s := range all {
			part, err := Select(cfg, snap, opt, p, s)
			if err != nil {
				t.Errorf("%s: %+v: %v", c.Name, s, err)
				continue
			}
			if part.Empty() || len(part.Steps()) == len(p.Steps()) {
				continue
			}
			parts++
			for _, pass := range part.Passes {
				had := map[plan.Key]bool{}
				for i := range pass.Sections {
					for _, after := range pass.Sections[i].After {
						if !had[after] {
							t.Errorf("%s: %+v: %s waits for %s, which is not there before it", c.Name, s, pass.Sections[i].Key(), after)
						}
					}
					had[pass.Sections[i].Key()] = true
				}
			}
			after := carriedOut(t, cfg, snap, part, len(part.Steps()))
			if _, err := Build(cfg, after, recorded(cfg, opt, part.Steps())); err != nil {
				t.Errorf("%s: %+v, and then: %v\n%s", c.Name, s, err, worldtest.Write(after))
			}
		}
	}
	if parts < 200 {
		t.Errorf("only %d parts of plans", parts)
	}
}

// objectsOf are the volumes and nodes of which a plan has sections.
func objectsOf(p *plan.Plan) (all []plan.Key) {
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			key := pass.Sections[i].Key()
			if v, ok := key.Volume(); ok {
				key = plan.VolumeKey(v.Whole().Name)
			} else if key.Kind != plan.KindNode {
				continue
			}
			if !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}
