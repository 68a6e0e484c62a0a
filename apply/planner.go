package apply

import (
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/schema"
	"strata/state"
)

// planner plans what is due and may be done, and has the plan it made last.
type planner struct {
	cfg    *schema.Config
	opt    plan.Options // Skip and Busy change as the run goes on
	saved  *saved.Saved
	vet    func(*plan.Plan) error
	only   func(plan.Key) bool
	attach bool
	part   plan.Selection
	shown  bool // somebody looks at the whole plan before the first pass

	going *recipe.Planner // goes on from the last look; nil when everything is to be looked at
	next  *plan.Plan      // what it has planned since, and nobody has seen yet
	trace trace           // what passes have touched since

	last       *plan.Plan
	deviations []saved.Deviation
	others     []plan.Key
	unused     []plan.Finding // of what opt lets be destroyed; later it may be gone
}

func newPlanner(cfg *schema.Config, opt Options) *planner {
	p := &planner{cfg: cfg, opt: opt.Plan, saved: opt.Saved, vet: opt.Vet, only: opt.Only, attach: opt.Attach, part: opt.Part, shown: opt.Confirm != nil || opt.Saved != nil || opt.Vet != nil}
	p.opt.Skip, p.opt.Busy = map[plan.Key]bool{}, map[plan.Key][]lineage.Node{}
	maps.Copy(p.opt.Skip, opt.Plan.Skip)
	return p
}

// plan plans what is due by a snapshot. begun says that a pass was carried out
// already. What comes with an error is not to be carried out.
func (p *planner) plan(snap *state.Snapshot, begun bool) (err error) {
	if p.next == nil {
		p.trace = trace{}
	}
	switch next := p.next; {
	case next != nil:
		p.last, p.next = next, nil
	case len(p.opt.Quiet) > 0:
		p.last, err = recipe.Quiet(p.cfg, snap, p.opt)
	case p.part.All() && (begun || !p.shown): // of a part it has to be known what it needs
		p.going, p.last, err = recipe.Begin(p.cfg, snap, p.opt)
	default:
		p.last, err = recipe.Build(p.cfg, snap, p.opt)
	}
	if err != nil {
		return err
	}
	if p.going != nil && p.going.Over() {
		p.going = nil // what it knows takes as much memory as all that was read
	}
	if p.last, err = recipe.Select(p.cfg, snap, p.opt, p.last, p.part); err != nil {
		return err
	}
	if p.only != nil {
		p.last, p.going = onlyOf(p.last, p.only), nil
		p.last.Complete(p.cfg)
	}
	if p.attach {
		p.last, p.going = attachOnly(p.last), nil
		p.last.Complete(p.cfg)
	}
	if p.saved != nil {
		planned := p.last
		if p.last, p.deviations, p.others = p.saved.Admit(p.cfg, snap, planned); sections(p.last) != sections(planned) {
			p.going = nil // what is left out is not done
		}
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

// onlyOf leaves of a plan what may be carried out of its first pass, and waits for nothing
// else there.
func onlyOf(all *plan.Plan, may func(plan.Key) bool) *plan.Plan {
	other := func(f plan.Finding) bool {
		volume, is := strings.CutPrefix(f.About, "volume ")
		return !is || !may(plan.BackupKey(volume)) && !may(plan.VolumeKey(volume))
	}
	out := *all
	out.Passes, out.Blocked, out.Notes = nil, slices.DeleteFunc(slices.Clone(all.Blocked), other), slices.DeleteFunc(slices.Clone(all.Notes), other)
	if !all.Empty() {
		first := plan.Pass{Assumes: all.Passes[0].Assumes}
		for _, s := range all.Passes[0].Sections {
			if may(s.Key()) && len(s.After) == 0 {
				first.Sections = append(first.Sections, s)
			}
		}
		if len(first.Sections) > 0 {
			out.Passes = []plan.Pass{first}
		}
	}
	return &out
}

// lookAtAll has the next look be one at everything.
func (p *planner) lookAtAll() { p.going, p.next = nil, nil }

// copying takes note of the sections that copy now. Of one that does not any more
// the next plan goes on, if what it was to do is known.
func (p *planner) copying(now map[plan.Key][]lineage.Node) {
	for key := range p.opt.Busy {
		if _, still := now[key]; !still && p.going != nil && !p.going.Ended(key) {
			p.lookAtAll()
		}
	}
	p.opt.Busy = now
}

// goOn plans what the passes since the last look have made possible. It returns
// false when everything is to be looked at: also when nothing is left to do.
func (p *planner) goOn() bool {
	p.next = p.going.Next(p.opt.Busy)
	return p.next != nil && !(p.next.Empty() && len(p.opt.Busy) == 0)
}

// sections is how many sections the next pass has.
func sections(p *plan.Plan) int {
	if p.Empty() {
		return 0
	}
	return len(p.Passes[0].Sections)
}
