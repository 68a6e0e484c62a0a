package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"strata/amount"
)

// Compact writes the plan as text with a line for each object that there is
// work for, and below it only the steps that copy, reduce or destroy.
func (o *Outline) Compact(w io.Writer) error {
	out := &printer{w: w}
	repeats := o.repeats()
	out.assumed(o)
	for _, g := range o.groups() {
		out.line("%s: %s", g.key, g.words())
		for _, step := range g.steps {
			switch r := repeats[step.Number]; {
			case r == nil && step.risky():
				out.line("%4d. %-8s %s%s%s", step.Number, step.Node, step.Text, tags(step, nil), at(step.At))
			case r != nil && r.steps[0].Number == step.Number && slices.ContainsFunc(r.steps, OutlineStep.risky):
				out.line("      and so on: %s", r.words())
			}
		}
	}
	if disks := o.assumes(); len(disks) > 0 {
		out.line("This is so%s.", strings.TrimPrefix(assumption(disks), ","))
	}
	if len(o.Passes) > 0 {
		out.line("")
	}
	out.moves(o.Moves)
	out.findings("Not done", o.Blocked)
	out.findings("Note", o.Notes)
	out.violations(o.Violations)
	out.end(o)
	return out.err
}

// risky reports whether a step copies, reduces or destroys.
func (s OutlineStep) risky() bool {
	return s.Risk == RiskCopy || s.Risk == RiskReduce || s.Risk == RiskDestroy
}

// repeats has the steps that the first pass of their series stands for, by number.
func (o *Outline) repeats() map[int]*repeat {
	all := map[int]*repeat{}
	for _, series := range o.series() {
		for _, r := range series.repeats() {
			for _, step := range r.steps {
				all[step.Number] = &r
			}
		}
	}
	return all
}

// assumes names the disks that any pass takes for blank.
func (o *Outline) assumes() []string {
	var disks []string
	for _, pass := range o.Passes {
		for _, d := range pass.Assumes {
			if !slices.Contains(disks, d) {
				disks = append(disks, d)
			}
		}
	}
	return disks
}

// group is all that a plan does about one object.
type group struct {
	key   string
	steps []OutlineStep
}

// groups returns what is done about each object, in the order they begin.
func (o *Outline) groups() []*group {
	var all []*group
	by := map[string]*group{}
	for _, pass := range o.Passes {
		for _, s := range pass.Sections {
			g := by[s.Key]
			if g == nil {
				g = &group{key: s.Key}
				by[s.Key] = g
				all = append(all, g)
			}
			for _, stage := range s.Stages {
				g.steps = append(g.steps, stage...)
			}
		}
	}
	return all
}

// words says how much is done where, and what becomes of the copies.
func (g *group) words() string {
	t := Totals{Risks: map[Risk]int{}}
	var nodes []string
	var copies []int
	for _, s := range g.steps {
		if s.Holds {
			t.Pauses++
		}
		t.Risks[s.Risk]++
		t.CopyBytes += s.Bytes
		if !slices.Contains(nodes, string(s.Node)) {
			nodes = append(nodes, string(s.Node))
		}
		if s.Copies != nil {
			copies = append(copies, *s.Copies)
		}
	}
	slices.Sort(nodes)
	parts := []string{fmt.Sprintf("%s on %s: %s", amount.Of(len(g.steps), "step"), strings.Join(nodes, ", "), strings.Join(t.words(), ", "))}
	parts = append(parts, t.burden()...)
	if n := len(copies); n > 0 {
		text := fmt.Sprintf("%d current at the end", copies[n-1])
		if least := slices.Min(copies); least < copies[n-1] {
			text += fmt.Sprintf(", never fewer than %d", least)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
