package recipe

import (
	"errors"
	"fmt"
	"maps"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// maxFaults bounds how many sections are left out of a plan: where more are at
// fault, the planner is not to be trusted with the others either.
const maxFaults = 8

// defect is what a reader is told to do about a fault.
const defect = "this is a defect of strata and not of the configuration: please report it with this message and the output of strata status --json"

// checked makes a plan that passes the check. One section that does not, most
// often a volume, does not keep the others from what they need: the plan is
// made again without it, and the check is made again on all of that. A section
// that fails although it was left out, or too many of them, fail the plan.
func checked(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, build func(*schema.Config, *state.Snapshot, plan.Options) (*plan.Plan, *ahead, error)) (*plan.Plan, *check.Checker, error) {
	snap, opt = world.Fit(cfg, snap), released(opt)
	cfg = opt.Wishes.Over(cfg)
	opt = forParts(cfg, snap, opt)
	var faults []*plan.Fault
	for {
		p, a, err := build(cfg, snap, opt)
		c, unchecked := a.rest(p)
		if c == nil {
			c, unchecked = check.New(cfg, snap, opt), p
		}
		if err == nil {
			err = c.Check(unchecked)
		}
		var f *plan.Fault
		if err == nil {
			for _, f := range faults {
				p.Blocked = append(p.Blocked, plan.Finding{About: f.Key.String(), Text: "it is left as it is, for the plan made for it is not safe: " + f.Err.Error(), Hint: defect})
			}
			if !opt.OnePass {
				p.NoteMoves(cfg, opt.Wishes)
			}
			return p, c, nil
		}
		if !errors.As(err, &f) || opt.Skip[f.Key] || len(faults) == maxFaults {
			return nil, nil, fmt.Errorf("the plan is not safe and is not carried out: %w", err)
		}
		faults = append(faults, f)
		skip := map[plan.Key]bool{f.Key: true}
		maps.Copy(skip, opt.Skip)
		opt.Skip = skip
	}
}
