package apply

import (
	"slices"
	"strings"

	"strata/plan"
)

// attachOnly leaves of a plan what attaches disks, and what it says of nodes and pools. What is
// left of a section are its first steps, so the rest is as an end of the run in between would
// leave it.
func attachOnly(all *plan.Plan) *plan.Plan {
	other := func(f plan.Finding) bool {
		return !strings.HasPrefix(f.About, "node ") && !strings.HasPrefix(f.About, "pool ")
	}
	out := *all
	out.Passes, out.Blocked, out.Notes = nil, slices.DeleteFunc(slices.Clone(all.Blocked), other), slices.DeleteFunc(slices.Clone(all.Notes), other)
	if all.Empty() {
		return &out
	}
	first := plan.Pass{}
	for _, s := range all.Passes[0].Sections {
		if s.Stages = attaching(s.Stages); len(s.Stages) > 0 && len(s.After) == 0 {
			first.Sections = append(first.Sections, s)
		}
	}
	if len(first.Sections) > 0 {
		out.Passes = []plan.Pass{first}
	}
	return &out
}

// attaching are the stages up to the last that attaches a disk, as far as nothing but that
// precedes; nil for none. Of the last one other steps are left out.
func attaching(stages [][]plan.Step) (kept [][]plan.Step) {
	var first [][]plan.Step
	for _, stage := range stages {
		steps := slices.DeleteFunc(slices.Clone(stage), func(s plan.Step) bool { return !attaches(s.Op) })
		if len(steps) > 0 {
			first = append(first, steps)
		}
		if slices.ContainsFunc(steps, func(s plan.Step) bool { _, is := s.Op.(plan.DiskAttach); return is }) {
			kept = slices.Clone(first)
		}
		if len(steps) < len(stage) {
			break
		}
	}
	return kept
}

// attaches reports whether an operation attaches a disk, or is due before one is.
func attaches(op plan.Op) bool {
	switch op.(type) {
	case plan.DiskAttach, plan.InitiatorOptions:
		return true
	default: // is for when it is known what disks hold
		return false
	}
}
