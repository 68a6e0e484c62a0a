package recipe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/schema"
	"strata/state"
)

// twoVolumes are a configuration of two volumes, and blank nodes for them.
func twoVolumes(t *testing.T) (*schema.Config, *state.Snapshot) {
	t.Helper()
	return plantest.TwoNodes(t, `
volumes: a: {size: 1Mi, replicas: 2, export: "none"}
volumes: b: {size: 1Mi, replicas: 1, export: "none"}
`, "n1 disk /dev/n1 d1\nn1 lvstore lab.fast d1 1Mi 1024\nn2 disk /dev/n2 d2\nn2 lvstore lab.fast d2 1Mi 1024")
}

// keys are the sections of a plan, each once, in order.
func keys(p *plan.Plan) (out []plan.Key) {
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			if k := pass.Sections[i].Key(); !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	return out
}

func deletes(name lineage.LvolName) plan.Step {
	return plan.Step{Op: plan.LvolDelete{At: plan.At{Node: "n1"}, Lvstore: "lab.fast", Name: name}, Risk: plan.RiskDestroy}
}

// A volume for which a plan is made that the check refuses is left out; the
// rest is planned, checked, and the reader is told.
func TestFaultyVolumeIsLeftOut(t *testing.T) {
	cfg, snap := twoVolumes(t)
	p, _, err := checked(cfg, snap, plan.Options{}, func(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
		p, _, err := build(cfg, snap, opt)
		for _, pass := range p.Passes {
			for i := range pass.Sections {
				if s := &pass.Sections[i]; s.Key() == plan.VolumeKey("a") {
					s.Stages = append(s.Stages, []plan.Step{deletes("theirs")})
				}
			}
		}
		return p, nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if k := keys(p); slices.Contains(k, plan.VolumeKey("a")) || !slices.Contains(k, plan.VolumeKey("b")) {
		t.Errorf("planned %v, want b and not a", k)
	}
	i := slices.IndexFunc(p.Blocked, func(f plan.Finding) bool { return f.About == "volume a" })
	if i < 0 || !strings.Contains(p.Blocked[i].Text, "theirs is not strata's") || !strings.Contains(p.Blocked[i].Hint, "report it") {
		t.Errorf("blocked: %+v", p.Blocked)
	}
	for _, s := range p.Steps() {
		if s.Number == 0 {
			t.Errorf("%s has no number", s.Op.Words())
		}
	}
}

// What fails while it is planned is left out, too.
func TestVolumeThatCannotBePlannedIsLeftOut(t *testing.T) {
	cfg, snap := twoVolumes(t)
	p, _, err := checked(cfg, snap, plan.Options{}, func(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
		if !opt.Skip[plan.VolumeKey("b")] {
			return nil, nil, &plan.Fault{Key: plan.VolumeKey("b"), Err: errors.New("it does not come to rest")}
		}
		return build(cfg, snap, opt)
	})
	if err != nil {
		t.Fatal(err)
	}
	if k := keys(p); !slices.Contains(k, plan.VolumeKey("a")) || slices.Contains(k, plan.VolumeKey("b")) {
		t.Errorf("planned %v, want a and not b", k)
	}
}

// The check decides over the final plan: what is unsafe although its section
// was left out, or in ever more sections, fails the whole plan.
func TestFaultThatStaysFailsThePlan(t *testing.T) {
	cfg, snap := twoVolumes(t)
	n := 0
	for name, section := range map[string]func() string{
		"the same":  func() string { return "a" },
		"ever more": func() string { n++; return fmt.Sprint("v", n) },
	} {
		_, _, err := checked(cfg, snap, plan.Options{}, func(*schema.Config, *state.Snapshot, plan.Options) (*plan.Plan, *ahead, error) {
			s := plan.Section{Kind: plan.KindVolume, Name: section(), Stages: [][]plan.Step{{deletes("theirs")}}}
			return &plan.Plan{Passes: []plan.Pass{{Sections: []plan.Section{s}}}}, nil, nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "the plan is not safe and is not carried out: volume ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
