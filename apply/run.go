package apply

import (
	"context"

	"strata/lineage"
	"strata/schema"
	"strata/spdk"
)

// Run brings the nodes to what cfg asks for, as far as that can be done: it drives
// a Runner until nothing is left to do, and no peer is waited for.
func Run(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, opt Options) (*Result, error) {
	x := NewRunner(cfg, targets, opt)
	defer x.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a copy that goes on is the target's; it is taken up again by the next run
	for {
		if waiting := x.Settle(); len(waiting) > 0 {
			x.Resume(ctx, waiting)
		}
		if err := x.Look(ctx); err != nil {
			return x.Result(), err
		}
		if err := x.Plan(); err != nil {
			return x.Result(), err
		}
		r, unsure := x.Result(), x.Unsure()
		switch {
		case len(r.Deviations) > 0 && r.Passes == 0 && !unsure:
			return r, nil
		case opt.Attach && r.Plan.Empty() && !unsure:
			r.Attached, r.Converged = true, len(r.Plan.Blocked)+len(r.Failures) == 0
			return r, nil
		case r.Plan.Empty() && x.Patient() && x.Stopped():
			r.Stopped = true
			return r, nil
		case r.Plan.Empty() && x.Patient() && !unsure:
			x.Wait(ctx)
		case r.Plan.Empty() && !x.Copying() && !unsure:
			r.Converged = len(r.Plan.Blocked)+len(r.Failures)+len(r.Deviations) == 0
			return r, nil
		case x.enough() && x.Copying():
			x.Wait(ctx)
		case x.enough():
			return r, nil
		case !x.Approved():
			r.Declined = true
			return r, nil
		case x.MustLock():
			if locked, err := x.Lock(ctx); err != nil || !locked {
				r.Stopped = err == nil
				return r, err
			}
		case x.Stopped():
			r.Stopped = true
			return r, nil
		case r.Plan.Empty():
			x.Wait(ctx)
		default:
			x.Pass(ctx)
		}
	}
}
