package apply

import (
	"context"
	"slices"

	"strata/plan"
)

// resumeOnly is what lets the hosts of volumes go on, and does nothing else.
func resumeOnly(opt plan.Options, sections []plan.Key) plan.Options {
	opt.ResumeOnly, opt.AllowDestroy, opt.Auto = map[plan.Key]bool{}, nil, nil
	for _, key := range sections {
		opt.ResumeOnly[key] = true
	}
	return opt
}

// waiting are the sections that were given up while their hosts are held, but
// those that Resume was called for already.
func (x *Runner) waiting() (sections []plan.Key) {
	if x.opt.Plan.ResumeOnly != nil {
		return nil
	}
	held := x.opt.Guard.Holding()
	for _, f := range x.attempts.givenUp {
		if slices.Contains(held, f.Section) && !x.resumed[f.Section] {
			sections = append(sections, f.Section)
		}
	}
	return sections
}

// Resume lets the hosts of sections that were given up go on, by a run that does
// nothing else, while the rest waits. Where that cannot be done, the guard tries
// again when the run has ended.
func (x *Runner) Resume(ctx context.Context, sections []plan.Key) {
	for _, key := range sections {
		x.resumed[key] = true
	}
	r, _ := Run(ctx, x.cfg, x.targets, Options{
		Plan: resumeOnly(x.opt.Plan, sections), Parallelism: len(sections), Guard: x.opt.Guard, Addresses: x.opt.Addresses, Keys: x.opt.Keys, HostKeys: x.opt.HostKeys,
		Starting: x.events.begins, Observe: x.events.ended, // sections of this run may still copy
	})
	x.steps += r.Steps
}
