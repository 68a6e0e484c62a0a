package apply

import (
	"context"
	"fmt"

	"strata/plan"
	"strata/spdk"
)

// raid creates a mirror and makes sure that it is online: the call succeeds
// also when a leg is missing, and the RAID then waits for it.
func (c *caller) raid(ctx context.Context, t *spdk.Client, op plan.RaidCreate) error {
	var legs []string
	for _, l := range op.Legs {
		legs = append(legs, c.resolve(string(l)))
	}
	create := spdk.NewReq(spdk.RaidCreate{Name: op.Raid, Level: spdk.RAID1, BaseBdevs: legs, UUID: string(op.UUID)}, nil)
	ask := func() (get, sample *spdk.Req) {
		return spdk.NewReq(spdk.BdevGet{Name: op.Raid}, new([]spdk.Bdev)), spdk.NewReq(spdk.QDSampling{Name: op.Raid, Period: qdPeriod}, nil)
	}
	get, sample := ask()
	if t.Round(ctx, create, get, sample); create.Err != nil {
		return create.Err
	}
	if get.Err != nil || sample.Err != nil { // they may have come to it before it was there
		get, sample = ask()
		t.Round(ctx, get, sample)
	}
	if get.Err != nil {
		return fmt.Errorf("the RAID did not come online: %w", get.Err)
	}
	return sample.Err
}

// expectLegs fails when the RAID has lost a leg, or a rebuild fills one.
func (c *caller) expectLegs(ctx context.Context, t *spdk.Client, op plan.ExpectLegs) error {
	raids, err := t.GetRaids(ctx)
	if err != nil {
		return err
	}
	for _, r := range raids {
		if r.Name != op.Raid {
			continue
		}
		if r.Process != nil {
			return fmt.Errorf("RAID %s: a %s process runs on it", r.Name, r.Process.Type)
		}
		have := map[string]bool{}
		for _, b := range r.Bases {
			have[b.UUID] = b.Configured
		}
		apart := false
		for _, l := range op.Legs {
			if !have[c.resolve(string(l))] && !apart {
				apart = true
				for _, leg := range legsOf(ctx, t, r) {
					have[leg] = true
				}
			}
			if !have[c.resolve(string(l))] {
				return fmt.Errorf("RAID %s has lost a leg", r.Name)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no RAID %s any more", op.Raid)
}

// qdPeriod is how often a target looks at a mirror's queue, in microseconds:
// that is how a leg is found out that holds it up.
const qdPeriod = 50_000
