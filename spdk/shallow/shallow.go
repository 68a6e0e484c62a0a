// Package shallow makes shallow copies, from their start to their end: the clusters of one
// snapshot go onto a bdev of the same node, which may lead anywhere. It knows nothing of
// what they are for.
package shallow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"strata/spdk"
)

// BlocksError says that a copy was not begun: source and destination have blocks of
// different sizes. A target takes the numbers of the source's blocks for those of the
// destination's, writes a part of the data in wrong places, and calls that complete.
type BlocksError struct {
	Src, Dst           string
	SrcBlock, DstBlock uint32
}

func (e *BlocksError) Error() string {
	return fmt.Sprintf("%s has blocks of %d bytes and %s of %d: a target would copy in silence what is not the same", e.Src, e.SrcBlock, e.Dst, e.DstBlock)
}

// Failed is that a target ended a copy.
type Failed struct {
	Text          string
	Copied, Total uint64 // clusters
}

func (e *Failed) Error() string {
	return fmt.Sprintf("%s after %d of %d clusters", e.Text, e.Copied, e.Total)
}

// pollEvery is how often a target is asked at least.
const pollEvery = 50 * time.Millisecond

// Start starts a copy (bdev_lvol_start_shallow_copy) and returns its number. A bdev that
// has just appeared is looked into for a moment, and cannot be opened for writing meanwhile.
func Start(ctx context.Context, t *spdk.Client, src, dst string) (uint32, error) {
	if err := t.WaitForExamine(ctx); err != nil {
		return 0, err
	}
	if err := sameBlocks(ctx, t, src, dst); err != nil {
		return 0, err
	}
	for free := false; ; {
		id, err := t.StartShallowCopy(ctx, src, dst)
		if spdk.ClassOf(err) != spdk.NotPermitted {
			return id, err
		}
		b, gerr := t.GetBdev(ctx, dst)
		if gerr != nil {
			return 0, gerr
		}
		if !b.Claimed && free {
			return 0, err
		}
		free = !b.Claimed // who had it may just have let it go
		if err := sleep(ctx, pollEvery); err != nil {
			return 0, err
		}
	}
}

// sameBlocks refuses bdevs of which one has other blocks than the other.
func sameBlocks(ctx context.Context, t *spdk.Client, src, dst string) error {
	found := [2][]spdk.Bdev{}
	reqs := [2]*spdk.Req{spdk.NewReq(spdk.BdevGet{Name: src}, &found[0]), spdk.NewReq(spdk.BdevGet{Name: dst}, &found[1])}
	t.Round(ctx, reqs[:]...)
	if err := errors.Join(reqs[0].Err, reqs[1].Err); err != nil {
		return err
	}
	if len(found[0]) != 1 || len(found[1]) != 1 {
		return fmt.Errorf("%d bdevs are called %s, and %d %s", len(found[0]), src, len(found[1]), dst)
	}
	if a, b := found[0][0].BlockSize, found[1][0].BlockSize; a != b {
		return &BlocksError{src, dst, a, b}
	}
	return nil
}

// Silence is how long a target that copies may say nothing: it goes on meanwhile, and one
// that has restarted knows of no copy.
const Silence = 30 * time.Second

// Follow waits for the end of a copy (bdev_lvol_check_shallow_copy), and tells how many
// clusters are copied, of how many. Only a copy whose target says so is complete.
func Follow(ctx context.Context, t *spdk.Client, id uint32, tell func(copied, total uint64)) error {
	start := time.Now()
	heard := start
	for {
		at, err := t.CheckShallowCopy(ctx, id)
		if Silent(err) && time.Since(heard) < Silence {
			if err := sleep(ctx, pollEvery); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		heard = time.Now()
		tell(at.CopiedClusters, at.TotalClusters)
		switch at.State {
		case spdk.CopyComplete:
			return nil
		case spdk.CopyInProgress:
		default:
			return &Failed{at.Error, at.CopiedClusters, at.TotalClusters}
		}
		if err := sleep(ctx, poll(time.Since(start))); err != nil {
			return err
		}
	}
}

// Silent reports whether a target said nothing.
func Silent(err error) bool {
	return spdk.ClassOf(err) == spdk.Unreachable || spdk.ClassOf(err) == spdk.Unknown
}

// poll is when to ask again for a copy that has taken so long: soon enough that its end
// is not noticed late as copies go, and never more often than a target looks at its socket.
func poll(took time.Duration) time.Duration {
	return min(max(took/40, 4*time.Millisecond), pollEvery)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
