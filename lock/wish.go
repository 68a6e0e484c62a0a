package lock

import (
	"context"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// wishGrace is how long a watch that gave way leaves the nodes to whoever wished for
// them before it takes the wish for one that was left behind. Who waits tries every 250 ms.
const wishGrace = 3 * time.Second

// wish asks a watch that holds a node's lock to give way. Whose wish is there does not
// matter.
func (l *Lock) wish(ctx context.Context, locked *LockedError) {
	if !locked.Note.Watch {
		return
	}
	_, err := l.targets[locked.Node].NullCreate(ctx, spdk.NullCreate{Name: l.cluster.LockWish(), NumBlocks: 1, BlockSize: 512})
	if err == nil || spdk.ClassOf(err) == spdk.Exists {
		l.wishes[locked.Node] = true // or it is tried again with the lock
	}
}

// dropWishes takes away the wishes that were left, granted or not. Another's that is
// taken with them is made again when that finds the lock held by a watch.
func (l *Lock) dropWishes() {
	if len(l.wishes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	for node := range l.wishes {
		_ = l.targets[node].NullDelete(ctx, l.cluster.LockWish()) // or the watch does
		delete(l.wishes, node)
	}
}

// Wished is closed when somebody wishes for a lock that is held, until Begin is called
// again: then what is in hand is to be ended. nil is never closed: an apply gives way to nobody.
func (l *Lock) Wished() <-chan struct{} {
	if l == nil {
		return nil
	}
	return l.wished
}

// heard takes note of the answer to whether there is a wish.
func (l *Lock) heard(req *spdk.Req, bdevs []spdk.Bdev) {
	if req.Err != nil || len(bdevs) == 0 || l.wished == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.wished:
	default:
		close(l.wished)
	}
}

// wishFor asks whether there is a wish on a node.
func (l *Lock) wishFor(bdevs *[]spdk.Bdev) *spdk.Req {
	return spdk.NewReq(spdk.BdevGet{Name: l.cluster.LockWish()}, bdevs)
}

// giveWay waits, before a watch takes the lock, until whoever wishes for it has it. A
// wish that stays is one of somebody who died, and is taken away.
func (l *Lock) giveWay(ctx context.Context, nodes []lineage.Node, stop <-chan struct{}) error {
	for until := time.Now().Add(wishGrace); ; {
		wished := l.wishedOn(ctx, nodes)
		if len(wished) == 0 {
			return ctx.Err()
		}
		if !time.Now().Before(until) {
			for _, n := range wished {
				_ = l.targets[n].NullDelete(ctx, l.cluster.LockWish()) // gone already, or it is waited for again
			}
			return ctx.Err()
		}
		if err := pause(ctx, retryAfter, stop); err != nil {
			return err
		}
	}
}

// wishedOn are the nodes with a wish. One that does not answer soon has none.
func (l *Lock) wishedOn(ctx context.Context, nodes []lineage.Node) (wished []lineage.Node) {
	ctx, cancel := context.WithTimeout(ctx, checkEvery)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			var bdevs []spdk.Bdev
			if req := l.wishFor(&bdevs); l.targets[n].Round(ctx, req) == nil && req.Err == nil && len(bdevs) > 0 {
				mu.Lock()
				defer mu.Unlock()
				wished = append(wished, n)
			}
		})
	}
	wg.Wait()
	return wished
}
