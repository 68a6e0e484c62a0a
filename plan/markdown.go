package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"strata/amount"
)

// MarkdownLimit is the length, in characters, that Markdown does not exceed:
// comments on merge requests have room for a little more.
const MarkdownLimit = 60000

// The shares of the limit at which lists of violations, of risky steps and moves, and of
// remarks end, in per cent, so that something of everything is shown.
const (
	brokenShare = 25
	riskyShare  = 55
	remarkShare = 75
)

// Markdown writes the plan as a comment for people who are to approve it: the
// summary and the risky steps first. What there is no room for is left out, and
// the last lines say what that is.
func (o *Outline) Markdown(w io.Writer) error { return o.MarkdownWithin(w, MarkdownLimit) }

// MarkdownWithin writes it in so many characters.
func (o *Outline) MarkdownWithin(w io.Writer, limit int) error {
	page := &page{room: limit - tailRoom, limit: limit - tailRoom}
	title := "Plan"
	if o.Cluster != "" {
		title += " for cluster " + string(o.Cluster)
	}
	page.add(fmt.Sprintf("### %s\n\n**%s**\n", title, o.Summary))
	if len(o.Allowed) > 0 {
		page.add("\nMade with `" + strings.Join(o.Allowed, "`, `") + "`.\n")
	}
	if o.Digest != "" {
		page.add("\nDigest `" + o.Digest + "`\n")
	}
	if text := o.supposes(); text != "" {
		page.add("\n" + text + "\n")
	}
	page.violations(o.Violations)
	page.risky(o.risky())
	page.moves(o.Moves)
	page.remarks("Not done", "of what is not done", o.Blocked)
	page.remarks("Notes", "notes", o.Notes)
	page.all(o)
	_, err := io.WriteString(w, page.text.String()+page.tail())
	return err
}

// tailRoom is kept for saying what was left out.
const tailRoom = 500

// page is a text of bounded length.
type page struct {
	text    strings.Builder
	room    int // characters left
	limit   int
	omitted []string
}

// add adds a text if there is room for all of it.
func (p *page) add(text string) bool {
	n := utf8.RuneCountInString(text)
	if n > p.room {
		return false
	}
	p.room -= n
	p.text.WriteString(text)
	return true
}

// within adds one item after another until a share of the limit, in per cent,
// is used up, and returns how many it added.
func (p *page) within(share int, items []string) int {
	for i, item := range items {
		if p.limit-p.room+utf8.RuneCountInString(item) > p.limit*share/100 || !p.add(item) {
			return i
		}
	}
	return len(items)
}

func (p *page) leftOut(n, of int, what string) {
	if n < of {
		p.omitted = append(p.omitted, fmt.Sprintf("%d of %d %s", of-n, of, what))
	}
}

// tail says what was left out.
func (p *page) tail() string {
	if len(p.omitted) == 0 {
		return ""
	}
	return fmt.Sprintf("\n**This comment is not the whole plan.** For lack of room it leaves out %s. `strata plan --all-steps` prints everything.\n",
		strings.Join(p.omitted, ", "))
}

// violations lists the rules of the policy that forbid the plan.
func (p *page) violations(list []Violation) {
	if len(list) == 0 {
		return
	}
	var items []string
	for _, v := range list {
		item := fmt.Sprintf("- **%s** (%s): %s", Plain(v.Rule), code(v.At), Plain(v.Text))
		if v.Because != "" {
			item += "\n  " + Plain(v.Because)
		}
		for _, d := range v.Details {
			item += "\n  - " + Plain(d)
		}
		items = append(items, item+"\n")
	}
	n := 0
	if p.add("\n#### Forbidden by the policy\n\n") {
		n = p.within(brokenShare, items)
	}
	p.leftOut(n, len(list), "rules that it breaks")
}

// risky lists what a reviewer has to look at.
func (p *page) risky(rows []string) {
	const head = "\n| step | node | what is done | risk | current after it | because of |\n| ---: | --- | --- | --- | ---: | --- |\n"
	if len(rows) == 0 {
		return
	}
	n := 0
	if p.add(head) {
		n = p.within(riskyShare, rows)
	}
	p.leftOut(n, len(rows), "rows of steps that pause, copy, reduce or destroy")
}

// risky makes rows of the steps that are no mere additions, the worst first.
// The steps of a section for which hosts wait are one row, beside what else they are.
func (o *Outline) risky() []string {
	rows := map[Risk][]string{}
	for _, series := range o.series() {
		for _, s := range series.first.Sections {
			var steps []OutlineStep
			for _, stage := range s.Stages {
				steps = append(steps, stage...)
			}
			for i := 0; i < len(steps); i++ {
				switch step := steps[i]; {
				case step.Held && (i == 0 || !steps[i-1].Held):
					end := i + 1
					for end < len(steps) && steps[end].Held {
						end++
					}
					rows[RiskPause] = append(rows[RiskPause], row(&s, steps[i:end], RiskPause))
				case step.Risk == RiskPause && !step.Held:
					rows[RiskPause] = append(rows[RiskPause], row(&s, steps[i:i+1], RiskPause))
				}
				if risk := steps[i].Risk; risk != RiskCreate && risk != RiskPause {
					rows[risk] = append(rows[risk], row(&s, steps[i:i+1], risk))
				}
			}
		}
		for _, r := range series.repeats() {
			if row := r.row(); row != "" {
				rows[RiskCopy] = append(rows[RiskCopy], row)
			}
		}
	}
	var all []string
	for i := len(Risks) - 1; i > 0; i-- {
		all = append(all, rows[Risks[i]]...)
	}
	return all
}

func row(s *OutlineSection, steps []OutlineStep, worst Risk) string {
	first, last := steps[0], steps[len(steps)-1]
	number, text, copies := fmt.Sprint(first.Number), code(first.Text), first.Copies
	if len(steps) > 1 { // under one pause
		number = fmt.Sprintf("%d–%d", first.Number, last.Number)
		text = fmt.Sprintf("%s, and what follows until hosts go on", text)
	}
	for _, step := range steps {
		if copies != nil && step.Copies != nil && *step.Copies < *copies {
			copies = step.Copies
		}
	}
	after := ""
	if copies != nil {
		after = fmt.Sprint(*copies)
	}
	risk := string(worst)
	if worst == RiskReduce || worst == RiskDestroy {
		risk = "**" + risk + "**"
	}
	return fmt.Sprintf("| %s | %s | %s: %s | %s | %s | %s |\n", number, first.Node, s.Key, text, risk, after, strings.TrimSpace(Plain(first.Reason)+" "+code(first.At)))
}

// row is one for all that is copied; "" if nothing is.
func (r repeat) row() string {
	copies := slices.DeleteFunc(slices.Clone(r.steps), func(s OutlineStep) bool { return s.Risk != RiskCopy })
	if len(copies) == 0 {
		return ""
	}
	first, last, after := copies[0], copies[len(copies)-1], ""
	if last.Copies != nil {
		after = fmt.Sprint(*last.Copies)
	}
	return fmt.Sprintf("| %d–%d | %s | %s: %s | %s | %s | %s |\n", first.Number, last.Number, first.Node, r.key, Plain(r.words()), RiskCopy, after, code(first.At))
}

// remarks lists findings.
func (p *page) remarks(title, what string, list []Remark) {
	if len(list) == 0 {
		return
	}
	var items []string
	for _, r := range list {
		item := fmt.Sprintf("- %s: %s", Plain(r.About), Plain(r.Text))
		if r.At != "" {
			item += " (" + code(r.At) + ")"
		}
		if r.Hint != "" {
			item += "\n  " + Plain(r.Hint)
		}
		items = append(items, item+"\n")
	}
	n := 0
	if p.add("\n#### " + title + "\n\n") {
		n = p.within(remarkShare, items)
	}
	p.leftOut(n, len(list), what)
}

// moves shows what moves, in the order in which it is copied, and what that comes to.
func (p *page) moves(list []Move) {
	if !tells(list) {
		return
	}
	var items []string
	for _, m := range list {
		item := "- " + Plain(m.Words())
		if m.Why != "" {
			item += " (" + Plain(m.Why) + ")"
		}
		items = append(items, item+"\n")
	}
	n := 0
	if p.add("\n#### Moves\n\nIn all " + Plain(Moved(list)) + "\n\n") {
		n = p.within(riskyShare, items)
	}
	p.leftOut(n, len(list), "moves")
}

// all shows the steps in order, as far as there is room.
func (p *page) all(o *Outline) {
	if o.Totals.Steps == 0 {
		return
	}
	var text strings.Builder
	if err := (&Outline{Passes: o.Passes, AllSteps: o.AllSteps}).Print(&text); err != nil {
		return
	}
	steps := strings.Trim(text.String(), "\n")
	fence := "```"
	for strings.Contains(steps, fence) {
		fence += "`"
	}
	frame := func(title, text string) string {
		return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%stext\n%s%s\n\n</details>\n", title, fence, text, fence)
	}
	partly := func(n int) string { return fmt.Sprintf("Steps 1 to %d of %d", n, o.Totals.Steps) }
	room := p.room - utf8.RuneCountInString(frame(partly(o.Totals.Steps), ""))
	shown, end := 0, 0
	for line := range strings.Lines(steps + "\n") {
		if room -= utf8.RuneCountInString(line); room < 0 {
			break
		}
		end += len(line)
		shown += stepsIn(line)
	}
	switch {
	case shown == o.Totals.Steps:
		p.add(frame(fmt.Sprintf("All %s, in order", amount.Of(shown, "step")), steps+"\n"))
	case shown > 0:
		p.add(frame(partly(shown), steps[:end]))
	}
	if shown < o.Totals.Steps {
		p.omitted = append(p.omitted, fmt.Sprintf("steps %d to %d of the list of all", shown+1, o.Totals.Steps))
	}
}

// code makes s a piece of code that may stand in a table.
func code(s string) string {
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	pad := ""
	if len(fence) > 1 {
		pad = " "
	}
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}

// Plain makes s a text without markup, in one line.
func Plain(s string) string {
	return markup.Replace(s)
}

var markup = strings.NewReplacer(
	"\\", `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "#", `\#`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "&", "&amp;", "@", "&#64;", "\n", " ",
)
