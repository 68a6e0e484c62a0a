package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Deviation is a step that is due and not in a saved plan.
type Deviation struct {
	Section string
	Step    Step
	// Changed says what is not as it was when the plan was saved.
	Changed []string
}

func (d Deviation) Error() string {
	text := fmt.Sprintf("%s: now it takes another step than those in the plan: on %s, %s", d.Section, d.Step.Op.On(), Words(d.Step.Op))
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
// another matter, and is left alone; the names of those sections are others.
func (s *Saved) Admit(cfg *schema.Config, snap *state.Snapshot, p *Plan) (admitted *Plan, deviations []Deviation, others []string) {
	known := s.ids()
	pending := s.pending()
	out := &Plan{Notes: p.Notes, Places: p.Places, Labels: p.Labels}
	for _, f := range p.Blocked {
		if known[f.About] != nil || slices.ContainsFunc(s.Plan.Blocked, func(r Remark) bool { return r.About == f.About }) {
			out.Blocked = append(out.Blocked, f)
		}
	}
	refused := map[string]bool{}
	seen := map[string]bool{}
	for _, pass := range p.Passes {
		kept := Pass{Assumes: pass.Assumes}
		gone := map[string]*Section{}
		for i := range pass.Sections {
			sec := &pass.Sections[i]
			key := sec.Key()
			if known[key] == nil {
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
			odd := foreign(sec, known[key], pending)
			for _, after := range sec.After {
				if other := gone[after]; other != nil && odd == nil {
					odd = &other.Stages[0][0]
				}
				if refused[after] {
					refused[key] = true
				}
			}
			switch {
			case odd != nil:
				refused[key] = true
				deviations = append(deviations, Deviation{key, *odd, s.changed(cfg, snap, sec)})
			case !refused[key]:
				kept.Sections = append(kept.Sections, *sec)
			}
		}
		if len(kept.Sections) > 0 {
			out.Passes = append(out.Passes, kept)
		}
	}
	slices.Sort(others)
	return out, deviations, others
}

// ids has, by section, the IDs of the steps and the risk that was approved.
func (s *Saved) ids() map[string]map[string]Risk {
	ids := map[string]map[string]Risk{}
	for _, pass := range s.Plan.Passes {
		for _, sec := range pass.Sections {
			if ids[sec.Key] == nil {
				ids[sec.Key] = map[string]Risk{}
			}
			for _, stage := range sec.Stages {
				for _, step := range stage {
					if have := ids[sec.Key]; !step.Risk.within(have[step.ID]) {
						have[step.ID] = step.Risk
					}
				}
			}
		}
	}
	return ids
}

// pending finds the names of lvols of volumes whose ids are not drawn yet in
// the saved plan.
func (s *Saved) pending() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, v := range s.Config.Volumes {
		name := lineage.Volume{Name: v.Name, ID: lineage.Pending}.String()
		for _, pass := range s.Plan.Passes {
			if slices.ContainsFunc(pass.Sections, func(sec OutlineSection) bool { return sec.mentions(name) }) {
				all = append(all, regexp.MustCompile(`(^|[^\w-])(`+regexp.QuoteMeta(v.Name)+`)\.[a-z2-7]{4}\b`))
				break
			}
		}
	}
	return all
}

func (s *OutlineSection) mentions(name string) bool {
	for _, stage := range s.Stages {
		for _, step := range stage {
			if strings.Contains(step.Text, name) {
				return true
			}
		}
	}
	return false
}

// foreign finds the first step of a section that is not among the known ones.
func foreign(sec *Section, known map[string]Risk, pending []*regexp.Regexp) *Step {
	for _, stage := range sec.Stages {
		for i := range stage {
			if !implied(stage[i].Op) && !stage[i].Risk.within(known[stage[i].id(pending)]) {
				return &stage[i]
			}
		}
	}
	return nil
}

// implied reports whether a step may be taken for any object that a plan works
// on: it lets hosts that are held go on, or writes down which replicas are
// current. Both may be due after an interruption.
func implied(op Op) bool {
	switch op := op.(type) {
	case Resume:
		return true
	case LvolRename:
		_, from := parsedHead(op.From)
		_, to := parsedHead(op.To)
		return from && to
	}
	return false
}
