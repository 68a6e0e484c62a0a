package plan

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the plan as text, in the order things happen.
func (p *Plan) Print(w io.Writer) error { return p.Outline("").Print(w) }

// Print writes the plan as text, in the order things happen.
func (o *Outline) Print(w io.Writer) error {
	out := &printer{w: w}
	for i, pass := range o.Passes {
		if i > 0 {
			out.line("")
			out.line("Then, after another look at the nodes%s:", assumption(pass.Assumes))
		}
		for _, s := range pass.Sections {
			out.section(&s)
		}
	}
	if len(o.Passes) > 0 {
		out.line("")
	}
	out.findings("Not done", o.Blocked)
	out.findings("Note", o.Notes)
	out.line("%s", o.Summary)
	return out.err
}

// Summary is the plan in one line.
func (p *Plan) Summary() string {
	steps := p.Steps()
	counts := map[Risk]int{}
	for _, s := range steps {
		counts[s.Risk]++
	}
	var parts []string
	for _, r := range Risks {
		if counts[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[r], r))
		}
	}
	text := "Nothing to do"
	if len(steps) > 0 {
		text = fmt.Sprintf("%d steps: %s", len(steps), strings.Join(parts, ", "))
	}
	if len(p.Blocked) > 0 {
		text += fmt.Sprintf("; %d not done", len(p.Blocked))
	}
	return text + "."
}

func assumption(disks []string) string {
	if len(disks) == 0 {
		return ""
	}
	return fmt.Sprintf(", if the disks of %s turn out blank (what they hold is kept and served otherwise)", strings.Join(disks, ", "))
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) section(s *OutlineSection) {
	p.line("")
	p.line("%s", s.Key)
	reason := ""
	for _, stage := range s.Stages {
		for _, step := range stage {
			if step.Reason != reason {
				reason = step.Reason
				p.line("    # %s%s", reason, at(step.At))
			}
			p.line("%4d. %-8s %s%s", step.Number, step.Node, step.Text, tags(step))
		}
	}
}

func at(pos string) string {
	if pos == "" {
		return ""
	}
	return " (" + pos + ")"
}

// tags are what a reviewer looks for: the risk, and the copies left.
func tags(s OutlineStep) string {
	if s.Risk == RiskCreate {
		return ""
	}
	if s.Copies == nil {
		return fmt.Sprintf("  [%s]", s.Risk)
	}
	return fmt.Sprintf("  [%s; %d current]", s.Risk, *s.Copies)
}

func (p *printer) findings(title string, list []Remark) {
	for _, f := range list {
		p.line("%s: %s: %s%s", title, f.About, f.Text, at(f.At))
		if f.Hint != "" {
			p.line("    %s", f.Hint)
		}
	}
	if len(list) > 0 {
		p.line("")
	}
}
