package archive

import (
	"context"
	"fmt"
	"sync"
)

// Sums are the SHA-256 of n blocks from a block on, in order: what a volume that should
// be equal is compared with.
func (i *Image) Sums(ctx context.Context, block, n int64) ([]ID, error) {
	if block < 0 || n < 0 || block+n > i.shape.blocks() {
		return nil, fmt.Errorf("blocks %d to %d are not in an image of %d", block, block+n, i.shape.blocks())
	}
	sums := make([]ID, 0, n)
	for int64(len(sums)) < n {
		at := block + int64(len(sums))
		list, err := i.piece(ctx, at/i.shape.perPiece())
		if err != nil {
			return nil, i.at(at, err)
		}
		list = list[at%i.shape.perPiece():]
		sums = append(sums, list[:min(int64(len(list)), n-int64(len(sums)))]...)
	}
	return sums, nil
}

// Verified is what a verification came to.
type Verified struct {
	Blocks  int64   // whole; those that are zero need not be read, and are not counted
	Damaged []error // what is not whole, with the place in the image; the first hundred
	Failed  int64   // how many there are
}

// Verify reads everything that a record's image consists of, and compares it with the
// sums by which it is known. The error is of what keeps it from going on, not of what is
// damaged. progress, if not nil, is called with the bytes of the image that were read.
func (i *Image) Verify(ctx context.Context, progress func(bytes int64)) (Verified, error) {
	var v Verified
	var mu sync.Mutex
	err := i.walk(ctx, nil, func(b Block) error {
		mu.Lock()
		defer mu.Unlock()
		v.Blocks++
		if progress != nil {
			progress(b.Len)
		}
		return nil
	}, func(err error) error {
		mu.Lock()
		defer mu.Unlock()
		if v.Failed++; len(v.Damaged) < 100 {
			v.Damaged = append(v.Damaged, err)
		}
		return nil
	})
	return v, err
}
