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
// ends the rest go faster. A node that hangs delays no other.
type limits struct {
	mu    sync.Mutex
	nodes map[lineage.Node]*limit
}

// limit is what copies to one node have.
type limit struct {
	turn   chan struct{} // full while somebody has what follows, and calls the node
	copies []string      // the bdevs that are written to
	total  int64         // bytes a second; 0 for no limit
	// scale is what copies have of that for the sake of hosts, at most 1; where
	// there is no limit, of what they had before they were slowed down.
	scale float64
	had   int64
}

func newLimits() *limits { return &limits{nodes: map[lineage.Node]*limit{}} }

// take waits for the limit of a node, which is then to be given back.
func (l *limits) take(n lineage.Node) (is *limit, give func()) {
	l.mu.Lock()
	is = l.nodes[n]
	if is == nil {
		is = &limit{turn: make(chan struct{}, 1), scale: 1}
		l.nodes[n] = is
	}
	l.mu.Unlock()
	is.turn <- struct{}{}
	return is, func() { <-is.turn }
}

// enter limits a bdev that is about to be copied to.
func (l *limits) enter(ctx context.Context, t *spdk.Client, op plan.WriteLimit, bdev string) error {
	is, give := l.take(op.Node)
	defer give()
	is.total = op.BytesPerSec
	is.add(bdev)
	// One that ended a moment ago may be gone.
	return is.share(ctx, t)[bdev]
}

// join takes note of a bdev that is copied to and has no limit.
func (l *limits) join(n lineage.Node, bdev string) {
	is, give := l.take(n)
	defer give()
	is.add(bdev)
}

// leave takes note of the end of a copy, if it was limited.
func (l *limits) leave(ctx context.Context, t *spdk.Client, n lineage.Node, bdev string) {
	is, give := l.take(n)
	defer give()
	if i := slices.Index(is.copies, bdev); i >= 0 {
		is.copies = slices.Delete(is.copies, i, i+1)
		if is.all() > 0 {
			is.share(ctx, t)
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
	is, give := l.take(n)
	defer give()
	scale := max(slowest, min(is.scale*factor, 1))
	if scale == is.scale || is.total == 0 && is.had == 0 && rate == 0 {
		return 0, false
	}
	is.had = cmp.Or(is.had, rate)
	is.scale = scale
	is.share(ctx, t)
	if scale == 1 {
		is.had = 0
	}
	return is.all(), true
}

// forget has the next copies to a node begin with the whole of their rate.
func (l *limits) forget(n lineage.Node) {
	is, give := l.take(n)
	defer give()
	is.scale, is.had = 1, 0
}

func (l *limit) add(bdev string) {
	if !slices.Contains(l.copies, bdev) {
		l.copies = append(l.copies, bdev)
	}
}

// all is how fast copies to the node may go together, in bytes a second; 0 for no limit.
func (l *limit) all() int64 {
	if l.total == 0 && l.scale == 1 {
		return 0
	}
	return int64(l.scale * float64(cmp.Or(l.total, l.had)))
}

// share gives every copy its share, in whole MiB as targets take it, and
// returns the errors by bdev.
func (l *limit) share(ctx context.Context, t *spdk.Client) map[string]error {
	errs := map[string]error{}
	for _, bdev := range l.copies {
		var share int64
		if all := l.all(); all > 0 {
			share = max(1, all/mib/int64(len(l.copies)))
		}
		errs[bdev] = t.SetQoSLimit(ctx, spdk.QoSLimit{Name: bdev, Limits: spdk.Limits{WMBps: uint64(share)}})
	}
	return errs
}

// limitHosts has hosts get so much of a bdev at most.
func (c *caller) limitHosts(ctx context.Context, t *spdk.Client, op plan.HostLimit) error {
	return t.SetQoSLimit(ctx, spdk.QoSLimit{Name: c.resolve(op.Bdev), Limits: spdk.Limits{
		IOPS: uint64(op.Limits.IOPS), RMBps: uint64(op.Limits.Read / mib), WMBps: uint64(op.Limits.Write / mib),
	}})
}
