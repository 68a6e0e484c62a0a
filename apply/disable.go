package apply

import (
	"context"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// busyTimeout is longer than a target tries to reach a peer once.
const busyTimeout = 15 * time.Second

// disable fails a controller's outstanding I/O. While the target tries to reach
// a peer that does not answer, up to 10 s at a time, it refuses to. With alternate addresses it
// tries one after another, for ever where none answers, so these go first. One that refuses for
// longer than a try takes is never done with connecting (state.Snapshot.Resets): then its I/O
// fails as it is detached, which comes next.
func disable(ctx context.Context, t *spdk.Client, controller string) error {
	for late := time.Now().Add(busyTimeout); ; {
		err := t.DisableController(ctx, controller)
		if spdk.ClassOf(err) != spdk.Busy {
			// One that is being deleted is gone as far as that goes.
			return unless(spdk.NotFound, err)
		}
		if time.Now().After(late) {
			return nil
		}
		if err := dropAlternates(ctx, t, controller); err != nil {
			return err
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// dropAlternates has a controller look for its peer at no other address than it does just now. One
// that it has gone on to meanwhile is refused, as the target is busy with it; the last is never taken.
func dropAlternates(ctx context.Context, t *spdk.Client, controller string) error {
	paths, err := pathsOf(ctx, t, controller)
	if err != nil {
		return err
	}
	for _, p := range paths {
		for _, a := range p.Alternates {
			at := address(lineage.Portal{Address: a.TrAddr, Port: a.TrSvcID, RDMA: a.TrType == spdk.RDMA})
			if err := t.DetachPath(ctx, controller, at); spdk.ClassOf(err) == spdk.Unreachable {
				return err
			}
		}
	}
	return nil
}
