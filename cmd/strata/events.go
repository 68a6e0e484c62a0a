package main

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/machine"
	"strata/plan"
)

// events tells programs: an event a line, as JSON.
type events struct {
	cluster lineage.Cluster

	mu   sync.Mutex
	out  *json.Encoder
	last map[string]time.Time // when a copy was told of
	all  overall
}

func newEvents(out io.Writer, c lineage.Cluster) *events {
	e := &events{cluster: c, out: json.NewEncoder(out), last: map[string]time.Time{}}
	e.out.SetEscapeHTML(false)
	return e
}

// line writes an event. Nobody is left to be told of an output that is closed.
func (e *events) line(v any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.out.Encode(v)
}

func (e *events) begin() {
	e.line(machine.Begin{Head: machine.At("begin", time.Now()), Format: machine.Format, Version: describe(), Cluster: e.cluster})
}

func (e *events) starting(ev apply.Event) {
	e.line(e.step("started", ev, ev.Start))
}

func (e *events) event(ev apply.Event) {
	line := e.step("finished", ev, ev.Start.Add(ev.Took))
	seconds := ev.Took.Seconds()
	line.Seconds = &seconds
	if ev.Err != nil {
		line.Event, line.Error = "failed", ev.Err.Error()
	}
	if c, ok := apply.CopyOf(ev.Step.Op); ok {
		e.all.over(c, ev.Err == nil, time.Now())
	}
	e.line(line)
}

func (e *events) step(event string, ev apply.Event, at time.Time) machine.Step {
	return machine.Step{Head: machine.At(event, at), Pass: ev.Pass, Section: ev.Section.String(), Step: ev.Step.Outline(e.cluster, ev.Section)}
}

// progressEvery is how often a program is told of a copy, but for its end.
const progressEvery = time.Second

func (e *events) copying(at apply.Copy) {
	now := time.Now()
	copied, total := e.all.copying(at, now)
	if done := at.Copied == at.Total; now.Sub(e.last[at.Key]) < progressEvery && !done {
		return
	}
	e.last[at.Key] = now
	e.line(machine.Progress{
		Head: machine.At("progress", now), Volume: volumeOf(at.Layer), Layer: at.Layer, From: at.From, To: at.To, Archive: at.Archive,
		CopiedBytes: at.Bytes(at.Copied), TotalBytes: at.Size,
		AllCopiedBytes: copied, AllTotalBytes: total,
	})
}

func (e *events) foreseen(bytes int64) { e.all.foreseen(bytes) }

func volumeOf(l lineage.LvolName) string {
	if n, ok := lineage.Parse(l); ok {
		return n.Of().Name
	}
	return ""
}

func (e *events) tell(text string) {
	e.line(machine.Note{Head: machine.At("note", time.Now()), Text: text})
}

func (e *events) summary(r *apply.Result, took time.Duration, code int) {
	s := e.summarize(r, took)
	s.Result, s.ExitCode = result(r), code
	e.line(s)
}

func (e *events) broke(r *apply.Result, took time.Duration, err error) {
	s := e.summarize(r, took)
	s.Result, s.ExitCode, s.Error = "error", codeOf(err), err.Error()
	var b *broken
	if errors.As(err, &b) {
		s.Result, s.Violations = "refused", b.violations
	}
	e.line(s)
}

func (e *events) close() {}

func (e *events) summarize(r *apply.Result, took time.Duration) machine.Summary {
	s := machine.Summary{
		Head: machine.At("summary", time.Now()), Passes: r.Passes, Steps: r.Steps, Seconds: took.Seconds(),
		Failures: []machine.Failure{}, Blocked: []plan.Remark{}, Notes: []plan.Remark{}, Deviations: []string{}, Others: texts(r.Others),
	}
	for _, f := range r.Failures {
		s.Failures = append(s.Failures, machine.Failure{Section: f.Section.String(), Step: f.Step.Outline(e.cluster, f.Section), Error: f.Err.Error()})
	}
	if r.Plan != nil {
		s.Blocked, s.Notes = plan.Remarks(r.Plan.Blocked), plan.Remarks(r.Plan.Notes)
	}
	for _, d := range r.Deviations {
		s.Deviations = append(s.Deviations, d.Error())
	}
	return s
}

// texts are what keys are called.
func texts(keys []plan.Key) []string {
	all := []string{}
	for _, k := range keys {
		all = append(all, k.String())
	}
	return all
}

// result is what a run came to, in a word.
func result(r *apply.Result) string {
	switch {
	case len(r.Failures) > 0:
		return "failed"
	case len(r.Deviations) > 0:
		return "deviated"
	case r.Declined:
		return "declined"
	case r.Stopped:
		return "stopped"
	case !r.Converged:
		return "blocked"
	case r.Attached:
		return "attached"
	}
	return "converged"
}
