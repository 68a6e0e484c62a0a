package plan

import (
	"fmt"
	"io"
	"strings"

	"strata/amount"
)

// Print writes the plan as text, in the order things happen.
func (p *Plan) Print(w io.Writer) error { return p.Outline("").Print(w) }

// Print writes the plan as text, in the order things happen. Of three or more
// passes that follow one another and are alike, it lists the steps of the first.
func (o *Outline) Print(w io.Writer) error {
	out := &printer{w: w}
	out.assumed(o)
	for i, series := range o.series() {
		if i > 0 {
			out.line("")
			out.line("Then, after another look at the nodes%s:", assumption(series.first.Assumes))
		}
		for _, s := range series.first.Sections {
			out.section(&s)
		}
		out.again(series)
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

// Brief writes what of the plan is not done, what it must not do, and what it comes to.
func (o *Outline) Brief(w io.Writer) error {
	out := &printer{w: w}
	out.findings("Not done", o.Blocked)
	out.violations(o.Violations)
	out.end(o)
	return out.err
}

// end writes what the plan comes to.
func (p *printer) end(o *Outline) {
	if len(o.Allowed) > 0 {
		p.line("Made with %s.", strings.Join(o.Allowed, ", "))
	}
	p.line("%s", o.Summary)
	if o.Digest != "" {
		p.line("Digest: %s", o.Digest)
	}
}

// assumed says first what the plan takes for granted: after a power cut everything looks
// as if it was to be made anew.
func (p *printer) assumed(o *Outline) {
	if text := o.supposes(); text != "" {
		p.line("%s", text)
	}
}

// supposes says of which disks it is not known yet what they hold; "" where it is known.
func (o *Outline) supposes() string {
	disks := o.assumes()
	if len(disks) == 0 {
		return ""
	}
	what := "The disks of %s are only assumed to be blank: what they hold is known once they are attached."
	if len(disks) == 1 {
		what = "The disk of %s is only assumed to be blank: what it holds is known once it is attached."
	}
	return fmt.Sprintf(what+" Volumes that are there already are served as they are then, and nothing is written over them.", strings.Join(disks, ", "))
}

func assumption(disks []string) string {
	if len(disks) == 0 {
		return ""
	}
	return fmt.Sprintf(", if %s (what %s is kept and served otherwise)", Blank(disks), amount.Verb(len(disks), "it holds", "they hold"))
}

// Blank says what is assumed of disks.
func Blank(disks []string) string {
	return fmt.Sprintf("the %s of %s %s out blank", amount.Verb(len(disks), "disk", "disks"), strings.Join(disks, ", "), amount.Verb(len(disks), "turns", "turn"))
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
	var copies *int
	for _, stage := range s.Stages {
		for _, step := range stage {
			if step.Reason != reason {
				reason = step.Reason
				p.line("    # %s%s", reason, at(step.At))
			}
			p.line("%4d. %-8s %s%s", step.Number, step.Node, step.Text, tags(step, copies))
			copies = step.Copies
		}
	}
}

// again says what the passes of a series do that are not printed.
func (p *printer) again(s series) {
	if len(s.rest) == 0 {
		return
	}
	p.line("")
	p.line("%s", s.words())
	for _, r := range s.repeats() {
		p.line("    %s", strings.TrimSuffix(r.key+": "+r.layers(), ": "))
	}
}

func at(pos string) string {
	if pos == "" {
		return ""
	}
	return " (" + pos + ")"
}

// tags are what a reviewer looks for: the risk, that hosts wait meanwhile, and the
// copies there are then wherever they are at risk or become more or fewer.
func tags(s OutlineStep, before *int) string {
	var tags []string
	if s.Risk != RiskCreate {
		tags = append(tags, string(s.Risk))
	}
	if s.Held && s.Risk != RiskPause {
		tags = append(tags, string(RiskPause))
	}
	if s.Copies != nil && (len(tags) > 0 || before != nil && *before != *s.Copies) {
		tags = append(tags, fmt.Sprintf("%d current", *s.Copies))
	}
	if len(tags) == 0 {
		return ""
	}
	return "  [" + strings.Join(tags, "; ") + "]"
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
