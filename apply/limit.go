package apply

import (
	"context"
	"slices"
	"sync"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// limits shares the bandwidth that a node has for what is copied to it among
// the copies that are in hand: each has as much as any other, and when one
// ends the rest go faster.
type limits struct {
	mu     sync.Mutex
	copies map[lineage.Node][]string // the bdevs that are written to
	total  map[lineage.Node]int64    // bytes a second
}

func newLimits() *limits {
	return &limits{copies: map[lineage.Node][]string{}, total: map[lineage.Node]int64{}}
}

// enter limits a bdev that is about to be copied to.
func (l *limits) enter(ctx context.Context, t *spdk.Client, op plan.WriteLimit, bdev string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total[op.Node] = op.BytesPerSec
	if !slices.Contains(l.copies[op.Node], bdev) {
		l.copies[op.Node] = append(l.copies[op.Node], bdev)
	}
	// One that ended a moment ago may be gone.
	return l.share(ctx, t, op.Node)[bdev]
}

// leave takes note of the end of a copy, if it was limited.
func (l *limits) leave(ctx context.Context, t *spdk.Client, n lineage.Node, bdev string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.copies[n], bdev); i >= 0 {
		l.copies[n] = slices.Delete(l.copies[n], i, i+1)
		l.share(ctx, t, n)
	}
}

// share gives every copy its share, in whole MiB as targets take it, and
// returns the errors by bdev.
func (l *limits) share(ctx context.Context, t *spdk.Client, n lineage.Node) map[string]error {
	errs := map[string]error{}
	for _, bdev := range l.copies[n] {
		share := max(1, l.total[n]/mib/int64(len(l.copies[n])))
		errs[bdev] = t.SetQoSLimit(ctx, spdk.QoSLimit{Name: bdev, WMBps: uint64(share)})
	}
	return errs
}
