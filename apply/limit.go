package apply

import (
	"cmp"
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
	// scales are what copies have of that for the sake of hosts, at most 1; where
	// there is no limit, of what they had before they were slowed down.
	scales map[lineage.Node]float64
	had    map[lineage.Node]int64
}

func newLimits() *limits {
	return &limits{copies: map[lineage.Node][]string{}, total: map[lineage.Node]int64{}, scales: map[lineage.Node]float64{}, had: map[lineage.Node]int64{}}
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

// join takes note of a bdev that is copied to and has no limit.
func (l *limits) join(n lineage.Node, bdev string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.copies[n], bdev) {
		l.copies[n] = append(l.copies[n], bdev)
	}
}

// leave takes note of the end of a copy, if it was limited.
func (l *limits) leave(ctx context.Context, t *spdk.Client, n lineage.Node, bdev string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.copies[n], bdev); i >= 0 {
		l.copies[n] = slices.Delete(l.copies[n], i, i+1)
		if l.all(n) > 0 {
			l.share(ctx, t, n)
		}
	}
}

// slowest is what copies have at least of their rate.
const slowest = 1.0 / 1024

// scale has copies to a node go faster or slower than now by a factor, but no faster
// than the limit, or than they went before they were slowed down. rate is how fast
// they go, in bytes a second. It returns how fast they may go then, 0 for no limit,
// and whether that is another rate.
func (l *limits) scale(ctx context.Context, t *spdk.Client, n lineage.Node, factor float64, rate int64) (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := cmp.Or(l.scales[n], 1)
	is := max(slowest, min(was*factor, 1))
	if is == was || l.total[n] == 0 && l.had[n] == 0 && rate == 0 {
		return 0, false
	}
	if l.had[n] == 0 {
		l.had[n] = rate
	}
	l.scales[n] = is
	l.share(ctx, t, n)
	if is == 1 {
		delete(l.had, n)
	}
	return l.all(n), true
}

// forget has the next copies to a node begin with the whole of their rate.
func (l *limits) forget(n lineage.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.scales, n)
	delete(l.had, n)
}

// all is how fast copies to a node may go together, in bytes a second; 0 for no limit.
func (l *limits) all(n lineage.Node) int64 {
	scale := cmp.Or(l.scales[n], 1)
	if l.total[n] == 0 && scale == 1 {
		return 0
	}
	return int64(scale * float64(cmp.Or(l.total[n], l.had[n])))
}

// share gives every copy its share, in whole MiB as targets take it, and
// returns the errors by bdev.
func (l *limits) share(ctx context.Context, t *spdk.Client, n lineage.Node) map[string]error {
	errs := map[string]error{}
	for _, bdev := range l.copies[n] {
		var share int64
		if all := l.all(n); all > 0 {
			share = max(1, all/mib/int64(len(l.copies[n])))
		}
		errs[bdev] = t.SetQoSLimit(ctx, spdk.QoSLimit{Name: bdev, WMBps: uint64(share)})
	}
	return errs
}
