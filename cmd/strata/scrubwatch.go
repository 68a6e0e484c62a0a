package main

import (
	"context"
	"log/slog"
	"strings"

	"strata/schema"
	"strata/scrub"
	"strata/watch"
)

// observe takes note of what a watch sees on the nodes.
func (r *comparison) observe(e watch.Event) {
	if seen, ok := e.(watch.Looked); ok {
		r.looked(seen.Snapshot)
	}
}

// logged compares layers for the runs of a watch with a configuration, and has the log say
// what came of it.
func (r *comparison) logged(cfg *schema.Config, archives recorder, log *slog.Logger) func(context.Context, []scrub.Copy) ([]scrub.Finding, error) {
	return func(ctx context.Context, copies []scrub.Copy) ([]scrub.Finding, error) {
		r.mu.Lock()
		r.cfg, r.archives = cfg, archives
		r.forget()
		r.mu.Unlock()
		found, err := r.compare(ctx, copies)
		say := log.Info
		if len(found) > 0 {
			say = log.Warn
		}
		if lines := r.told(); len(lines) > 0 {
			say("layer was read and compared", "layer", copies[0].Layer, "result", inLine(strings.Join(lines, "; ")))
		}
		return found, err
	}
}
