package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"strata/apply"
	"strata/plan"
	"strata/schema"
	"strata/watch"
)

// logForm is how a log is written.
type logForm struct {
	form  string
	level string
}

func (l *logForm) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.form, "log", "text", "write the log as `FORM`: text or json")
	cmd.Flags().StringVar(&l.level, "log-level", "info", "log what is of `LEVEL` or worse: debug, info, warn or error")
}

func (l *logForm) logger(out io.Writer) (*slog.Logger, error) {
	opt := &slog.HandlerOptions{Level: new(slog.LevelVar)}
	if err := opt.Level.(*slog.LevelVar).UnmarshalText([]byte(l.level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error", l.level)
	}
	switch l.form {
	case "text":
		return slog.New(slog.NewTextHandler(out, opt)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, opt)), nil
	}
	return nil, fmt.Errorf("--log %s: want text or json", l.form)
}

// copyEvery is how often the log tells of a copy.
const copyEvery = 30 * time.Second

// watchLog writes down what a watch does. What stays as it is, it says once.
type watchLog struct {
	log     *slog.Logger
	auto    *schema.Auto   // instead of what the configuration says; nil for nothing
	loaded  bool           // a configuration was
	blocked []plan.Finding // as they were told
	notes   []plan.Finding
	waits   bool   // a plan does, for a person
	failed  string // why the last run did not come to its end
	copies  map[string]time.Time
}

func (w *watchLog) observe(e watch.Event) {
	switch e := e.(type) {
	case watch.Loaded:
		w.log.Info("configuration is in force", "cluster", e.Config.Cluster, "nodes", len(e.Config.Nodes), "volumes", len(e.Config.Volumes), "auto", e.Config.Autos(w.auto)[""].String(), "took", e.Took)
		w.loaded = true
		w.idle(e.Config)
	case watch.Broken:
		w.broken(e.Err)
	case watch.Mended:
		w.log.Info("configuration is mended")
	case watch.Blind:
		w.log.Warn("the system does not tell when files change, so they are looked at now and then; if it is fs.inotify.max_user_watches or max_user_instances that is too low, raise it with sysctl", "error", e.Err.Error(), "every", e.Every)
	case watch.Silent:
		w.log.Warn("node does not answer", "node", e.Node, "error", e.Err.Error())
	case watch.Back:
		w.log.Info("node answers", "node", e.Node, "away", e.Away.Round(time.Millisecond), "restarted", e.Restarted)
	case watch.Changed:
		w.log.Debug("node has changed", "node", e.Node)
	case watch.HeldDown:
		w.log.Warn("node comes and goes, and counts as away until it has answered for a while without a break", "node", e.Node, "times", e.Times, "for", e.For)
	case watch.Released:
		w.log.Info("node is held down no longer", "node", e.Node)
	case watch.Suspended:
		w.log.Info("node is suspended, and hosts of volumes that need it wait", "node", e.Node, "until", e.Until.UTC().Format(time.RFC3339))
	case watch.Unsuspended:
		w.log.Info("node is not suspended any more", "node", e.Node, "after", e.After.Round(time.Second))
	case watch.SuspensionOver:
		w.log.Warn("node has been suspended for as long as it may, and is treated as any other: what it serves is served if it is there, and if it is not, its replicas are let go", "node", e.Node, "for", e.For)
	case watch.Seated:
		if e.Leads {
			w.log.Info("this watch has the seat, and works", "leads", true)
		} else {
			w.log.Info("this watch has the seat no longer", "leads", false)
		}
	case watch.StandsBy:
		w.log.Info(e.Why)
	case watch.Told:
		w.log.Info(e.Text)
	case watch.Began:
		w.log.Debug("looking", "why", strings.Join(e.Why, "; "))
	case watch.Looked:
		w.log.Debug("looked", "took", e.Took)
	case watch.Planned:
		w.log.Debug("planned", "sections", len(e.Plan.Passes[0].Sections))
	case watch.Starting:
		w.log.Debug("step begins", step(e.Event)...)
	case watch.Stepped:
		w.stepped(e.Event)
	case watch.Copying:
		w.copying(e.Copy)
	case watch.Paced:
		w.log.Info("copies go at another rate for the sake of hosts", "to", e.Node, "engine", e.Engine, "latency", e.Latency, "before", e.Before, "bytesPerSecond", e.BytesPerSec)
	case watch.Delayed:
		w.log.Info("step waits", "node", e.Node, "for", e.For.Round(time.Millisecond), "why", e.Why)
	case watch.Ended:
		w.ended(e)
	case watch.TookOver:
		w.log.Warn("another node takes over", "volume", e.Volume, "from", e.From, "to", e.To, "silent", e.Silent.Round(time.Millisecond), "evidence", e.Evidence)
	case watch.BackedOff:
		w.log.Warn("section failed, and is tried again later", append(failed(e.Failure), "times", e.Times, "again", e.Until.UTC().Format(time.RFC3339))...)
	case watch.Halted:
		w.log.Error("section leads nowhere, and is left alone until the configuration is edited or SIGHUP comes: what it does does not stay done; see whether somebody else changes it, and what the target's log says", failed(e.Failure)...)
	case watch.Recovered:
		w.log.Info("section is done that had failed", "section", e.Section.String())
	case watch.Waiting:
		w.waiting(e.Plan)
	}
}

// idle tells of a watch that may do nothing at all by itself.
func (w *watchLog) idle(cfg *schema.Config) {
	for _, a := range cfg.Autos(w.auto) {
		if a != 0 {
			return
		}
	}
	w.log.Warn("nothing may be done without a person, so this watch only looks: set auto in the configuration, or give --auto")
}

func (w *watchLog) broken(err error) {
	if !w.loaded {
		return // none is in force, and the watch ends with this error
	}
	problems := schema.Problems{}
	if !errors.As(err, &problems) {
		w.log.Error("configuration is not used, and the last good one stays in force", "error", err.Error())
		return
	}
	for _, p := range problems {
		args := []any{"error", p.Error()}
		if p.Pos.File != "" {
			args = []any{"at", p.Pos.String(), "error", p.Error()}
		}
		w.log.Error("configuration is not used, and the last good one stays in force", args...)
	}
}

func step(e apply.Event) []any {
	return []any{"pass", e.Pass, "section", e.Section.String(), "node", e.Step.Op.On(), "step", e.Step.Op.Words(), "reason", e.Step.Reason}
}

func (w *watchLog) stepped(e apply.Event) {
	switch args := append(step(e), "took", e.Took); {
	case e.Err == nil:
		w.log.Info("step done", args...)
	case errors.Is(e.Err, apply.ErrLeft):
		w.log.Info("step goes on at its target", args...)
	default:
		w.log.Error("step failed", append(args, "error", e.Err.Error())...)
	}
}

func (w *watchLog) copying(c apply.Copy) {
	now := time.Now()
	if w.copies == nil {
		w.copies = map[string]time.Time{}
	}
	if c.Copied == c.Total {
		delete(w.copies, c.Key)
		return
	}
	if now.Sub(w.copies[c.Key]) < copyEvery {
		return
	}
	w.copies[c.Key] = now
	w.log.Info("copying", "volume", volumeOf(c.Layer), "layer", c.Layer, "from", c.From, "to", c.To, "copied", c.Bytes(c.Copied), "bytes", c.Size)
}

func (w *watchLog) ended(e watch.Ended) {
	if e.Err != nil {
		if text := e.Err.Error(); text != w.failed {
			w.failed = text
			w.log.Error("nothing is done now, and it is tried again", "error", text)
		}
		return
	}
	w.failed = ""
	r := e.Result
	if r.Stopped {
		w.log.Info("run ended early", "gaveWay", r.GaveWay, "passes", r.Passes, "steps", r.Steps, "took", e.Took)
		return
	}
	if r.Passes > 0 {
		w.log.Info("nothing is left to do", "passes", r.Passes, "steps", r.Steps, "converged", r.Converged, "took", e.Took)
	}
	w.findings(r.Plan.Blocked, &w.blocked, slog.LevelWarn, "blocked", "not blocked any more")
}

// findings writes down those that were not told, and which are no more.
func (w *watchLog) findings(now []plan.Finding, told *[]plan.Finding, level slog.Level, is, was string) {
	has := func(in []plan.Finding, f plan.Finding) bool {
		return slices.ContainsFunc(in, func(o plan.Finding) bool { return o.About == f.About && o.Text == f.Text })
	}
	anew := map[string]bool{}
	for _, f := range now {
		if has(*told, f) {
			continue
		}
		anew[f.About] = true
		args := []any{"about", f.About, "why", f.Text}
		if f.Hint != "" {
			args = append(args, "hint", f.Hint)
		}
		w.log.Log(context.Background(), level, is, args...)
	}
	for _, f := range *told {
		if !has(now, f) && !anew[f.About] { // else it is so for another reason
			w.log.Info(was, "was", f.About+": "+f.Text)
		}
	}
	*told = slices.Clone(now)
}

func failed(f apply.Failure) []any {
	return []any{"section", f.Section.String(), "node", f.Step.Op.On(), "step", f.Step.Op.Words(), "error", f.Err.Error()}
}

func (w *watchLog) waiting(p *plan.Plan) {
	w.findings(p.Notes, &w.notes, slog.LevelInfo, "noted", "not so any more")
	if p.Empty() {
		if w.waits {
			w.log.Info("nothing waits for a person any more")
		}
		w.waits = false
		return
	}
	w.waits = true
	var sections []string
	for _, s := range p.Passes[0].Sections {
		sections = append(sections, s.Key().String())
	}
	w.log.Warn("a plan waits for a person: see it with strata plan, approve it with strata apply", "steps", len(p.Steps()), "next", strings.Join(sections, ", "))
}
