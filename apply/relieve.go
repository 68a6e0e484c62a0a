package apply

import (
	"context"
	"slices"

	"strata/plan"
)

// relief is what lets the hosts of volumes go on, and does nothing else.
func relief(opt plan.Options, sections []string) plan.Options {
	opt.Relieve, opt.AllowDestroy = map[string]bool{}, nil
	for _, key := range sections {
		opt.Relieve[key] = true
	}
	return opt
}

// waiting are the sections that were given up while hosts wait for them, but
// those that were relieved already.
func (x *runner) waiting(failed []Failure) (sections []string) {
	if x.opt.Plan.Relieve != nil {
		return nil
	}
	holds := x.opt.Guard.Holding()
	for _, f := range failed {
		if slices.Contains(holds, f.Section) && !x.relieved[f.Section] {
			sections = append(sections, f.Section)
		}
	}
	return sections
}

// relieve lets the hosts of sections that were given up go on, while the rest
// of the run waits, and returns how many steps were done. Where that cannot be
// done, the guard tries again when the run has ended.
func (x *runner) relieve(ctx context.Context, sections []string) int {
	for _, key := range sections {
		x.relieved[key] = true
	}
	told := func(tell func(Event)) func(Event) {
		if tell == nil {
			return nil
		}
		return func(e Event) {
			x.telling.Lock() // sections of the run may still copy
			defer x.telling.Unlock()
			tell(e)
		}
	}
	r, _ := Run(ctx, x.cfg, x.targets, Options{
		Plan: relief(x.opt.Plan, sections), Parallelism: len(sections), Guard: x.opt.Guard,
		Starting: told(x.opt.Starting), Observe: told(x.opt.Observe),
	})
	return r.Steps
}
