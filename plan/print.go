package plan

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the plan as text, in the order things happen.
func (p *Plan) Print(w io.Writer) error {
	out := &printer{w: w}
	counts := map[Risk]int{}
	for _, s := range p.Steps() {
		counts[s.Risk]++
	}
	for i, pass := range p.Passes {
		if i > 0 {
			out.line("")
			out.line("Then, after another look at the nodes%s:", assumption(pass.Assumes))
		}
		for _, s := range pass.Sections {
			out.section(&s)
		}
	}
	if len(p.Passes) > 0 {
		out.line("")
	}
	out.findings("Not done", p.Blocked)
	out.findings("Note", p.Notes)
	out.line("%s", p.Summary())
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
	for _, r := range []Risk{RiskCreate, RiskPause, RiskCopy, RiskReduce, RiskDestroy} {
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

func (p *printer) section(s *Section) {
	p.line("")
	p.line("%s", s.Key())
	reason := ""
	for _, stage := range s.Stages {
		for _, step := range stage {
			if step.Reason != reason {
				reason = step.Reason
				at := ""
				if step.Pos.File != "" {
					at = " (" + step.Pos.String() + ")"
				}
				p.line("    # %s%s", reason, at)
			}
			p.line("%4d. %-8s %s%s", step.Number, step.Op.On(), Words(step.Op), remarks(step))
		}
	}
}

// remarks are what a reviewer looks for: the risk, and the copies left.
func remarks(s Step) string {
	if s.Risk == RiskCreate {
		return ""
	}
	if s.Copies < 0 {
		return fmt.Sprintf("  [%s]", s.Risk)
	}
	return fmt.Sprintf("  [%s; %d current]", s.Risk, s.Copies)
}

func (p *printer) findings(title string, list []Finding) {
	for _, f := range list {
		at := ""
		if f.Pos.File != "" {
			at = " (" + f.Pos.String() + ")"
		}
		p.line("%s: %s: %s%s", title, f.About, f.Text, at)
		if f.Hint != "" {
			p.line("    %s", f.Hint)
		}
	}
	if len(list) > 0 {
		p.line("")
	}
}
