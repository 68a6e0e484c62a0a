package state

import (
	"context"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// Expected is what a node is expected to have: an lvol, or a RAID.
type Expected struct {
	Node lineage.Node
	Bdev string // by which the target finds it
	Lvol *Lvol  // nil for a RAID
	UUID lineage.UUID
	Raid *Raid // nil for an lvol; its legs by the UUIDs that the target knows
}

// Glance asks for a few objects and not for everything: it costs as much as these,
// however much the nodes have. It returns nil when each of them is what is expected,
// else what is not, of one of them. That says nothing of all the rest. A node that does
// not answer at once is not waited for: it may hold hosts up, and only Read finds that
// out.
func Glance(ctx context.Context, targets map[lineage.Node]*spdk.Client, all []Expected) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	by := map[lineage.Node][]Expected{}
	for _, e := range all {
		by[e.Node] = append(by[e.Node], e)
	}
	errs := make(chan error, len(by))
	for n, es := range by {
		go func() { errs <- glance(ctx, targets[n], es) }()
	}
	var err error
	for range by {
		if e := <-errs; e != nil {
			err = e
		}
	}
	return err
}

func glance(ctx context.Context, t *spdk.Client, all []Expected) error {
	if t == nil {
		return fmt.Errorf("node %s: there is no connection to it", all[0].Node)
	}
	answers := make([][]spdk.Bdev, len(all))
	reqs := make([]*spdk.Req, len(all))
	for i, e := range all {
		reqs[i] = spdk.NewReq(spdk.BdevGet{Name: e.Bdev}, &answers[i])
	}
	if err := ask(ctx, t, reqs...); err != nil {
		return fmt.Errorf("node %s: %w", all[0].Node, err)
	}
	for i, e := range all {
		if len(answers[i]) != 1 || !e.is(&answers[i][0]) {
			return fmt.Errorf("node %s: %s is not as expected", e.Node, e.Bdev)
		}
	}
	return nil
}

// is reports whether a bdev is what is expected.
func (e Expected) is(b *spdk.Bdev) bool {
	if e.Raid != nil {
		return b.Driver.Raid != nil && e.sameRaid(*b.Driver.Raid)
	}
	if b.Driver.Lvol == nil {
		return false
	}
	is := lvol(&spdk.Lvol{Snapshot: b.Driver.Lvol.Snapshot}, b)
	return (e.UUID == "" || b.UUID == string(e.UUID)) &&
		is.Size == e.Lvol.Size && is.Snapshot == e.Lvol.Snapshot && is.Parent == e.Lvol.Parent &&
		(is.External == "") == (e.Lvol.External == "")
}

// sameRaid reports whether a RAID is online with the same legs, and fills none.
func (e Expected) sameRaid(r spdk.Raid) bool {
	is := raid(r)
	legs := func(r *Raid) (all []lineage.UUID) {
		for _, l := range r.Legs {
			if l.Configured {
				all = append(all, l.UUID)
			}
		}
		slices.Sort(all)
		return all
	}
	return is.State == e.Raid.State && is.Rebuilding == e.Raid.Rebuilding && slices.Equal(legs(is), legs(e.Raid))
}
