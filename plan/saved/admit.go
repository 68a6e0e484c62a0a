package saved

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Deviation is a step that is due and not in a saved plan, or does more than the
// plan says of it.
type Deviation struct {
	Section plan.Key
	Step    plan.Step
	// Beyond says what of the step is not as the plan says; "" when it is not there.
	Beyond string
	// Changed says what is not as it was when the plan was saved.
	Changed []string
}

func (d Deviation) Error() string {
	text := fmt.Sprintf("%s: now it takes another step than those in the plan: on %s, %s", d.Section, d.Step.Op.On(), d.Step.Op.Words())
	if d.Beyond != "" {
		text = fmt.Sprintf("%s: a step is not as the plan says, for it %s: on %s, %s", d.Section, d.Beyond, d.Step.Op.On(), d.Step.Op.Words())
	}
	if d.Step.Reason != "" {
		text += " (" + d.Step.Reason + ")"
	}
	for _, c := range d.Changed {
		text += "\n    " + c
	}
	return text
}

// Admit leaves of a plan, made from what there is now, what the saved one has:
// sections it knows, if all of their steps stand in it. What else is due is
// another matter, and is left alone; those sections are others.
func (s *Saved) Admit(cfg *schema.Config, snap *state.Snapshot, p *plan.Plan) (admitted *plan.Plan, deviations []Deviation, others []plan.Key) {
	if s.approved == nil {
		s.approved, s.undrawn = s.ids(), s.made.Undrawn(s.Config.Cluster)
	}
	known, undrawn := s.approved, s.undrawn
	out := &plan.Plan{Notes: p.Notes, Places: p.Places, Seats: p.Seats, Labels: p.Labels}
	for _, f := range p.Blocked {
		if known[f.About] != nil || slices.ContainsFunc(s.Plan.Blocked, func(r plan.Remark) bool { return r.About == f.About }) {
			out.Blocked = append(out.Blocked, f)
		}
	}
	refused := map[plan.Key]bool{}
	seen := map[plan.Key]bool{}
	for _, pass := range p.Passes {
		kept := plan.Pass{Assumes: pass.Assumes}
		gone := map[plan.Key]*plan.Section{}
		for i := range pass.Sections {
			sec := &pass.Sections[i]
			key := sec.Key()
			if known[key.String()] == nil {
				gone[key] = sec
				if !seen[key] {
					seen[key] = true
					others = append(others, key)
				}
				continue
			}
			if refused[key] {
				continue
			}
			odd, beyond := s.foreign(sec, known[key.String()], undrawn)
			for _, after := range sec.After {
				if other := gone[after]; other != nil && odd == nil {
					odd, beyond = &other.Stages[0][0], ""
				}
				if refused[after] {
					refused[key] = true
				}
			}
			switch {
			case odd != nil:
				refused[key] = true
				deviations = append(deviations, Deviation{key, *odd, beyond, s.changed(cfg, snap, sec)})
			case !refused[key]:
				kept.Sections = append(kept.Sections, *sec)
			}
		}
		if len(kept.Sections) > 0 {
			out.Passes = append(out.Passes, kept)
		}
	}
	slices.SortFunc(others, plan.Key.Compare)
	return out, deviations, others
}

// agreed is what was approved of a step: its risk, and how few current copies it
// may leave; -1 for not known.
type agreed struct {
	risk   plan.Risk
	copies int
}

// ids has, by section and ID, what was approved of the steps.
func (s *Saved) ids() map[string]map[string]agreed {
	ids := map[string]map[string]agreed{}
	for _, pass := range s.Plan.Passes {
		for _, sec := range pass.Sections {
			have := ids[sec.Key]
			if have == nil {
				have = map[string]agreed{}
				ids[sec.Key] = have
			}
			for _, stage := range sec.Stages {
				for _, step := range stage {
					a, again := have[step.ID]
					if !step.Risk.Within(a.risk) {
						a.risk = step.Risk
					}
					copies := -1
					if step.Copies != nil {
						copies = *step.Copies
					}
					if !again || copies < a.copies {
						a.copies = copies
					}
					have[step.ID] = a
				}
			}
		}
	}
	return ids
}

// foreign finds the first step of a section that is not among the known ones, or
// does more than is known of it, and says what.
func (s *Saved) foreign(sec *plan.Section, known map[string]agreed, undrawn plan.Undrawn) (odd *plan.Step, beyond string) {
	for _, stage := range sec.Stages {
		for i := range stage {
			step := &stage[i]
			if implied(step.Op) {
				continue
			}
			a, there := known[step.ID(s.Config.Cluster, undrawn)]
			switch risky := step.Risk == plan.RiskReduce || step.Risk == plan.RiskDestroy; {
			case !there:
				return step, ""
			case !step.Risk.Within(a.risk):
				return step, fmt.Sprintf("is %s and not %s", step.Risk, a.risk)
			case risky && step.Copies >= 0 && step.Copies < a.copies:
				return step, fmt.Sprintf("leaves %d current copies and not %d", step.Copies, a.copies)
			}
		}
	}
	return nil, ""
}

// implied reports whether a step may be taken for any object that a plan works
// on: it lets hosts that are held go on, waits for what was begun before they are
// let in, writes down which replicas are current, or takes away what a trial of a disk
// has left. All may be due after an interruption.
func implied(op plan.Op) bool {
	switch op := op.(type) {
	case plan.Resume, plan.Drain, plan.TrialDelete:
		return true
	case plan.LvolRename:
		_, from := lineage.ParseHead(op.From)
		_, to := lineage.ParseHead(op.To)
		return from && to
	default: // has to stand in the plan
		return false
	}
}
