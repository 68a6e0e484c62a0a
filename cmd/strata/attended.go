package main

import (
	"context"
	"crypto/rand"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// attended are the options of a run that somebody looks at: what it does is shown, ^C ends
// it, it locks the nodes, and a guard lets hosts go on if it dies.
func attended(src *source, cfg *schema.Config, opt plan.Options, show reporter, wait time.Duration) (apply.Options, error) {
	opt.Nonce = make([]byte, 16)
	if _, err := rand.Read(opt.Nonce); err != nil {
		return apply.Options{}, err
	}
	lock, err := newLock()
	if err != nil {
		return apply.Options{}, err
	}
	lock.Wait, lock.Tell = wait, show.tell
	return apply.Options{
		Plan: opt, Stop: interrupts(), Starting: show.starting, Observe: show.event, Progress: show.copying,
		Lock: lock, Guard: &apply.Guard{Start: src.guard, Config: cfg, Plan: opt},
	}, nil
}

// runGuarded is a run under a guard of its own.
func runGuarded(ctx context.Context, src *source, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt apply.Options) (*apply.Result, error) {
	opt.Guard = &apply.Guard{Start: src.guard, Config: cfg, Plan: opt.Plan}
	done, err := apply.Run(ctx, cfg, targets, opt)
	if left := opt.Guard.Close(); left != nil && err == nil {
		err = left
	}
	return done, err
}
