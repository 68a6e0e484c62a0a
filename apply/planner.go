package apply

import (
	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/schema"
	"strata/state"
)

// planner plans what is due and may be done, and has the plan it made last.
type planner struct {
	cfg   *schema.Config
	opt   plan.Options // Skip and Busy change as the run goes on
	saved *saved.Saved
	vet   func(*plan.Plan) error
	shown bool // somebody looks at the whole plan before the first pass

	last       *plan.Plan
	deviations []saved.Deviation
	others     []string
	unused     []plan.Finding // of what opt lets be destroyed; later it may be gone
}

func newPlanner(cfg *schema.Config, opt Options) *planner {
	p := &planner{cfg: cfg, opt: opt.Plan, saved: opt.Saved, vet: opt.Vet, shown: opt.Confirm != nil || opt.Saved != nil || opt.Vet != nil}
	p.opt.Skip, p.opt.Busy = map[string]bool{}, map[string][]lineage.Node{}
	return p
}

// plan plans what is due by a snapshot. begun says that a pass was carried out
// already. What comes with an error is not to be carried out.
func (p *planner) plan(snap *state.Snapshot, begun bool) (err error) {
	opt := p.opt
	opt.OnePass = begun || !p.shown
	if p.last, err = recipe.Build(p.cfg, snap, opt); err != nil {
		return err
	}
	if p.saved != nil {
		p.last, p.deviations, p.others = p.saved.Admit(p.cfg, snap, p.last)
	} else {
		if !begun {
			p.unused = recipe.Unused(p.cfg, snap, p.opt)
		}
		p.last.Notes = append(p.last.Notes, p.unused...)
	}
	if p.vet != nil {
		return p.vet(p.last)
	}
	return nil
}
