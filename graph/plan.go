package graph

import (
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/plan"
)

// Plan draws the sections of a plan and which of them wait for which, a band for
// each pass. With steps, every section lists its own.
func Plan(o *plan.Outline, steps bool) *Graph {
	g := &Graph{
		Title: "plan for cluster " + string(o.Cluster) + ": " + o.Summary, Directed: true,
		Legend: []Key{{Plain, "only adds"}, {Info, "pauses or copies"}, {Worry, "reduces"}, {Bad, "destroys"}},
	}
	for i, pass := range o.Passes {
		b := Band{Title: "first"}
		if i > 0 {
			b.Title = "then, after another look at the nodes"
		}
		if len(pass.Assumes) > 0 {
			b.Title += ", if " + plan.Blank(pass.Assumes)
		}
		columns := map[string]int{}
		for _, s := range pass.Sections { // each after those it waits for
			column := 0
			for _, key := range s.After {
				if before, ok := columns[key]; ok {
					column = max(column, before+1)
					b.Lines = append(b.Lines, Line{From: key, To: s.Key})
				}
			}
			columns[s.Key] = column
			b.Boxes = append(b.Boxes, section(&s, column, steps))
		}
		b.Lines = direct(b.Lines, columns)
		g.Bands = append(g.Bands, b)
	}
	if len(o.Passes) == 0 {
		g.Legend = nil
	}
	if len(o.Blocked) > 0 {
		b := Band{Title: "not done"}
		for i, r := range o.Blocked {
			b.Boxes = append(b.Boxes, &Box{ID: fmt.Sprintf("%d %s", i, r.About), Title: r.About, Text: wrap(r.Text), Tone: Bad})
		}
		g.Bands = append(g.Bands, b)
	}
	return g
}

func section(s *plan.OutlineSection, column int, steps bool) *Box {
	box := &Box{ID: s.Key, Column: column, Title: s.Key}
	risks, bytes, n := map[plan.Risk]int{}, int64(0), 0
	first, last := 0, 0
	var lines []string
	var copies *int
	for _, stage := range s.Stages {
		for _, step := range stage {
			if n++; first == 0 {
				first = step.Number
			}
			last = step.Number
			risks[step.Risk]++
			bytes += step.Bytes
			if step.Copies != nil {
				copies = step.Copies
			}
			lines = append(lines, fmt.Sprintf("%d. %s: %s", step.Number, step.Node, step.Text))
		}
	}
	box.Text = append(box.Text, numbered(first, last, n))
	var parts []string
	for _, r := range plan.Risks {
		if risks[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", risks[r], r))
			box.Tone = toneOf(r)
		}
	}
	box.Text = append(box.Text, strings.Join(parts, ", "))
	if bytes > 0 {
		box.Text = append(box.Text, "at most "+amount.Bytes(bytes)+" copied")
	}
	if copies != nil {
		box.Text = append(box.Text, fmt.Sprintf("%d current at the end", *copies))
	}
	if steps {
		box.Text, box.Wide = append(box.Text, lines...), true
	}
	return box
}

func numbered(first, last, n int) string {
	if n == 1 {
		return fmt.Sprintf("step %d", first)
	}
	return fmt.Sprintf("steps %d to %d", first, last)
}

func toneOf(r plan.Risk) Tone {
	switch r {
	case plan.RiskPause, plan.RiskCopy:
		return Info
	case plan.RiskReduce:
		return Worry
	case plan.RiskDestroy:
		return Bad
	}
	return Plain
}

// direct leaves out lines that say no more than a path of others does.
func direct(lines []Line, column map[string]int) []Line {
	next := map[string][]string{}
	for _, l := range lines {
		next[l.From] = append(next[l.From], l.To)
	}
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return from == to || slices.ContainsFunc(next[from], func(n string) bool { return column[n] <= column[to] && reaches(n, to) })
	}
	return slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
		return column[l.To] > column[l.From]+1 &&
			slices.ContainsFunc(next[l.From], func(n string) bool { return n != l.To && column[n] < column[l.To] && reaches(n, l.To) })
	})
}
