package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"strata/amount"
	"strata/apply"
	"strata/schema"
)

// reporter is told how a run goes.
type reporter interface {
	begin()
	starting(apply.Event)
	event(apply.Event)
	copying(apply.Copy)
	foreseen(bytes int64) // that are to be copied in all
	tell(text string)     // what the run has to say of itself
	// summary is the end of a run, with the exit code, and broke that of one
	// that could not go on.
	summary(*apply.Result, time.Duration, int)
	broke(*apply.Result, time.Duration, error)
	// close writes what is not written yet; nothing is told after it.
	close()
}

func newReporter(out io.Writer, cfg *schema.Config, asJSON, quiet bool) reporter {
	switch {
	case asJSON:
		return newEvents(out, cfg.Cluster)
	case quiet:
		return &quietly{progress{out: out}}
	}
	return newProgress(out)
}

// quietly tells of what is wrong, and how it ended.
type quietly struct{ progress }

func (q *quietly) close() {}

func (q *quietly) copying(apply.Copy) {}

func (q *quietly) foreseen(int64) {}

func (q *quietly) event(e apply.Event) {
	if e.Err != nil {
		q.failed(e)
	}
}

func (q *quietly) summary(r *apply.Result, took time.Duration, _ int) {
	q.blocked(r)
	q.end(r, took)
}

// progress tells people: a line for a step that is done.
type progress struct {
	out    io.Writer
	copies *copies
	done   string // mark of a step that is done
}

func newProgress(out io.Writer) *progress {
	p := &progress{done: good.Render("✓"), copies: newCopies(out)}
	p.out = p.copies.out
	return p
}

func (p *progress) begin() {}

func (p *progress) starting(apply.Event) {}

func (p *progress) broke(*apply.Result, time.Duration, error) {}

func (p *progress) close() { p.copies.close() }

func (p *progress) copying(at apply.Copy) { p.copies.update(at) }

func (p *progress) foreseen(bytes int64) { p.copies.all.foreseen(bytes) }

func (p *progress) tell(text string) { fmt.Fprintln(p.out, "note: "+inLine(text)) }

func (p *progress) event(e apply.Event) {
	if c, ok := apply.CopyOf(e.Step.Op); ok {
		p.copies.over(c.Key)
		p.copies.all.over(c, e.Err == nil, time.Now())
	}
	if e.Err != nil {
		p.failed(e)
		return
	}
	fmt.Fprintf(p.out, "%s %-8s %s  %s\n", p.done, e.Step.Op.On(), inLine(e.Step.Op.Words()), elapsed(e.Took))
}

func (p *progress) failed(e apply.Event) {
	mark, style := "✗", bad
	if errors.Is(e.Err, apply.ErrLeft) {
		mark, style = "…", worry
	}
	fmt.Fprintf(p.out, "%s %-8s %s  %s\n      %s\n", style.Render(mark), e.Step.Op.On(), inLine(e.Step.Op.Words()), elapsed(e.Took), style.Render(e.Err.Error()))
}

func (p *progress) blocked(r *apply.Result) {
	for _, f := range r.Plan.Blocked {
		f = *inLines(&f)
		fmt.Fprintf(p.out, "%s %s: %s\n", worry.Render("blocked:"), f.About, f.Text)
		if f.Hint != "" {
			fmt.Fprintf(p.out, "    %s\n", f.Hint)
		}
	}
}

func (p *progress) summary(r *apply.Result, took time.Duration, _ int) {
	p.blocked(r)
	if len(r.Others) > 0 {
		fmt.Fprintf(p.out, "note: not in the plan and left alone, though there is something to do: %s\n", inLine(strings.Join(texts(r.Others), ", ")))
	}
	for _, f := range r.Plan.Notes {
		f = *inLines(&f)
		fmt.Fprintf(p.out, "note: %s: %s\n", f.About, f.Text)
	}
	p.end(r, took)
}

func (p *progress) end(r *apply.Result, took time.Duration) {
	fmt.Fprintf(p.out, "%s: %s in %s, %s\n", verdict(r), amount.Of(r.Steps, "step"), amount.Of(r.Passes, "pass"), elapsed(took))
}

func verdict(r *apply.Result) string {
	switch {
	case len(r.Deviations) > 0 && r.Steps == 0:
		return "Nothing was done"
	case len(r.Deviations) > 0:
		return "Stopped where the plan does not fit"
	case r.Declined:
		return "Declined"
	case r.Stopped:
		return "Stopped before the end"
	case len(r.Failures) > 0:
		return amount.Of(len(r.Failures), "section") + " failed"
	case r.Attached && r.Converged:
		return "Disks are attached"
	case r.Attached:
		return fmt.Sprintf("Disks are attached but for what is blocked (%d)", len(r.Plan.Blocked))
	case !r.Converged:
		return fmt.Sprintf("Converged but for what is blocked (%d)", len(r.Plan.Blocked))
	}
	return "Converged"
}
