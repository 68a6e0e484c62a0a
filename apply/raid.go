package apply

import (
	"context"
	"fmt"
	"slices"

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
	r, err := raidNamed(ctx, t, op.Raid)
	if err != nil {
		return err
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

// removeLeg takes a leg out of a mirror, which may have it through a cipher. One that the mirror
// has lost meanwhile, with its peer or with the link to it, is out of it.
func (c *caller) removeLeg(ctx context.Context, t *spdk.Client, op plan.RaidRemoveLeg) error {
	leg := c.resolve(string(op.Leg))
	err := t.RaidRemoveBase(ctx, leg)
	if spdk.ClassOf(err) != spdk.NotFound {
		return err
	}
	r, get := raidNamed(ctx, t, op.Raid)
	if get != nil {
		return get
	}
	for base, u := range legsOf(ctx, t, r) {
		if u == leg {
			return t.RaidRemoveBase(ctx, base)
		}
	}
	return nil
}

// legsOf are the UUIDs of the legs that a mirror has by the names of its bases, also of those
// that it has through ciphers.
func legsOf(ctx context.Context, t *spdk.Client, r spdk.Raid) map[string]string {
	legs := map[string]string{}
	for _, b := range r.Bases {
		if !b.Configured {
			continue
		}
		legs[b.Name] = b.UUID
		through, err := t.GetBdev(ctx, b.Name)
		if err != nil || through.Driver.Crypto == nil {
			continue
		}
		if below, err := t.GetBdev(ctx, through.Driver.Crypto.Base); err == nil {
			legs[b.Name] = below.UUID
		}
	}
	return legs
}

func raidNamed(ctx context.Context, t *spdk.Client, name string) (spdk.Raid, error) {
	raids, err := t.GetRaids(ctx)
	if err != nil {
		return spdk.Raid{}, err
	}
	if i := slices.IndexFunc(raids, func(r spdk.Raid) bool { return r.Name == name }); i >= 0 {
		return raids[i], nil
	}
	return spdk.Raid{}, fmt.Errorf("there is no RAID %s any more", name)
}

// qdPeriod is how often a target looks at a mirror's queue, in microseconds:
// that is how a leg is found out that holds it up.
const qdPeriod = 50_000
