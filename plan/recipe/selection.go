package recipe

import (
	"errors"
	"fmt"

	"strata/plan"
	"strata/plan/check"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Select leaves of a whole plan, made by Build of the same, what is selected and what that
// needs. What a section needs beyond what it waits for the check finds out, as of any plan:
// of what does not pass without the rest, all that is done before on the same nodes is
// taken, too, or it is left out.
func Select(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, p *plan.Plan, s plan.Selection) (*plan.Plan, error) {
	if s.All() {
		return p, nil
	}
	snap, opt = world.Fit(cfg, snap), released(opt)
	over := opt.Wishes.Over(cfg)
	opt = forParts(over, snap, opt)
	for {
		part := s.Of(p, cfg)
		err := check.New(over, snap, opt).Check(part)
		if err == nil {
			return part, nil
		}
		var f *plan.Fault
		if !errors.As(err, &f) {
			return nil, err
		}
		wider, ok := s.Beyond(f.Key)
		if !ok {
			return nil, fmt.Errorf("what is selected cannot be done without the rest: %w", err)
		}
		s = wider
	}
}
