package whatif

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"strata/amount"
	"strata/plan"
)

// tableShare is how much of a comment the volumes may take, in per cent: the plan follows.
const tableShare = 60

// Markdown writes the answer as a comment for a merge request, of at most plan.MarkdownLimit
// characters: the summary, the volumes that are touched, the worst first, and the plan.
func (a *Answer) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### If %s\n\n**%s**\n\n", plan.Plain(a.Title()), plan.Plain(a.Summary))
	rows, left := a.rows(), 0
	if len(rows) > 0 {
		b.WriteString("| volume | what becomes of it | why, and what helps |\n| --- | --- | --- |\n")
	}
	for i, row := range rows {
		if utf8.RuneCountInString(b.String())+utf8.RuneCountInString(row) > plan.MarkdownLimit*tableShare/100 {
			left = len(rows) - i
			break
		}
		b.WriteString(row)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n**This is not all.** For lack of room %s %s left out. `strata plan --if` prints everything.\n", amount.Of(left, "volume"), amount.Verb(left, "is", "are"))
	}
	for _, note := range a.Notes {
		fmt.Fprintf(&b, "\n%s\n", plan.Plain(note))
	}
	fmt.Fprintf(&b, "\n%s\n\n", plan.Plain(a.Heading()))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return a.Plan.MarkdownWithin(w, plan.MarkdownLimit-utf8.RuneCountInString(b.String()))
}

// rows are those of the volumes that are touched, the worst first.
func (a *Answer) rows() (rows []string) {
	for _, o := range []Outcome{Stops, NotServed, FailsOver, GoesOn} {
		for i := range a.Volumes {
			f := &a.Volumes[i]
			if f.Outcome != o {
				continue
			}
			var more []string
			for _, line := range f.more() {
				more = append(more, plan.Plain(line))
			}
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", plan.Plain(f.Volume), plan.Plain(f.Words(a.If)), strings.Join(more, "<br>")))
		}
	}
	return rows
}

// Heading says what the plan is.
func (a *Answer) Heading() string {
	if s := supposition(a.If); len(s.of(Suspended)) == len(s) {
		return "What is to be done before targets are stopped:"
	}
	return "What strata plan would say then:"
}
