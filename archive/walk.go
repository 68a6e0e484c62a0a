package archive

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Block is a block of an image.
type Block struct {
	Off, Len int64  // bytes
	Data     []byte // nil for zeroes; it is not to be changed, nor kept
}

// Blocks calls f with the blocks of an image that differ from those of since, or with
// since nil with those that are not zero. f is called by several goroutines at a time,
// with blocks in no order. The first error ends it. What is next to each other in the
// repository is read at once, some MiB at a time.
func (i *Image) Blocks(ctx context.Context, since *Image, f func(Block) error) error {
	return i.walk(ctx, since, f, func(err error) error { return err })
}

// BlocksUnless calls f, as Blocks does, with the blocks of an image that has says are not
// there. It is given where a block is, in bytes, and its SHA-256, and is called by several
// goroutines at a time. Nothing is read of blocks that are there.
func (i *Image) BlocksUnless(ctx context.Context, has func(ctx context.Context, off, n int64, sum ID) (bool, error), f func(Block) error) error {
	lacking := func(ctx context.Context, p int64) (map[ID][]int64, error) {
		list, err := i.piece(ctx, p)
		if err != nil {
			return nil, err
		}
		var mu sync.Mutex
		blocks := map[ID][]int64{}
		first := p * i.shape.perPiece()
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(asking)
		for at, id := range list {
			n := first + int64(at)
			group.Go(func() error {
				there, err := has(ctx, n*i.BlockSize, i.shape.blockLen(n), id)
				if err == nil && !there {
					mu.Lock()
					defer mu.Unlock()
					blocks[id] = append(blocks[id], n)
				}
				return err
			})
		}
		return blocks, group.Wait()
	}
	return i.walkPieces(ctx, lacking, f)
}

// asking is how many blocks are asked for at a time whether they are there.
const asking = 8

// walkPieces calls f with the blocks of all pieces that differing gives.
func (i *Image) walkPieces(ctx context.Context, differing func(context.Context, int64) (map[ID][]int64, error), f func(Block) error) error {
	strict := func(err error) error { return err }
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(walkers)
	for p := range i.shape.pieces() {
		blocks, err := differing(ctx, p)
		if err == nil {
			err = i.walkPiece(ctx, group, blocks, f, strict)
		}
		if err != nil {
			group.Go(func() error { return err })
			break
		}
	}
	return group.Wait()
}

const (
	// spanBytes is how much is read at once, spanGap how much is read to no use before two
	// reads are better.
	spanBytes, spanGap = 4 << 20, 64 << 10
	// walkers is how many reads are under way.
	walkers = 4
)

// wanted is a blob that a piece has, and where in it.
type wanted struct {
	place
	blocks []int64
}

func (i *Image) walk(ctx context.Context, since *Image, f func(Block) error, bad func(error) error) error {
	if since != nil && since.BlockSize != i.BlockSize {
		return fmt.Errorf("records %s and %s have blocks of different sizes and cannot be compared", i.Record.ID.Short(), since.Record.ID.Short())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(walkers)
	var empty ID // the last tree of a piece in which nothing was found
	for p := range i.shape.pieces() {
		tree, err := i.pieceTree(ctx, p)
		if err == nil && tree == empty && since == nil {
			continue
		}
		var blocks map[ID][]int64
		if err == nil {
			blocks, err = i.differing(ctx, since, p)
		}
		if err == nil {
			if len(blocks) == 0 {
				empty = tree
			}
			err = i.walkPiece(ctx, group, blocks, f, bad)
		} else if ctx.Err() == nil {
			err = bad(i.at(p*i.shape.perPiece(), fmt.Errorf("and the %d bytes from there on: %w", i.shape.pieceLen(p), err)))
		}
		if err != nil {
			group.Go(func() error { return err })
			break
		}
	}
	return group.Wait()
}

// differing is the blocks of a piece that are not as in since, or not zero.
func (i *Image) differing(ctx context.Context, since *Image, p int64) (map[ID][]int64, error) {
	var old []ID
	if since != nil && p < since.shape.pieces() {
		a, err := i.pieceTree(ctx, p)
		if err != nil {
			return nil, err
		}
		b, err := since.pieceTree(ctx, p)
		if err != nil || a == b {
			return nil, err
		}
		if old, err = since.piece(ctx, p); err != nil {
			return nil, err
		}
	}
	list, err := i.piece(ctx, p)
	if err != nil {
		return nil, err
	}
	blocks := map[ID][]int64{}
	first := p * i.shape.perPiece()
	whole, last := i.repo.zero(i.BlockSize), i.repo.zero(i.shape.blockLen(first+int64(len(list))-1))
	for n, id := range list {
		was := whole
		if n == len(list)-1 {
			was = last
		}
		if n < len(old) {
			was = old[n]
		}
		if id != was {
			blocks[id] = append(blocks[id], first+int64(n))
		}
	}
	return blocks, nil
}

// walkPiece has the blobs of a piece read in the order of packs.
func (i *Image) walkPiece(ctx context.Context, group *errgroup.Group, blocks map[ID][]int64, f func(Block) error, bad func(error) error) error {
	var all []wanted
	for id, at := range blocks {
		if id == i.repo.zero(i.shape.blockLen(at[0])) {
			for _, n := range at {
				if err := f(Block{Off: n * i.BlockSize, Len: i.shape.blockLen(n)}); err != nil {
					return err
				}
			}
			continue
		}
		places, err := i.repo.places(ctx, dataBlob, id)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			if err := bad(i.at(at[0], err)); err != nil {
				return err
			}
			continue
		}
		all = append(all, wanted{places[0], at})
	}
	slices.SortFunc(all, func(a, b wanted) int {
		return cmp.Or(bytes.Compare(a.pack[:], b.pack[:]), cmp.Compare(a.Offset, b.Offset))
	})
	for len(all) > 0 && ctx.Err() == nil {
		n := 1
		for n < len(all) && all[n].pack == all[0].pack &&
			int64(all[n].Offset)-all[n-1].end() <= spanGap && all[n].end()-int64(all[0].Offset) <= spanBytes {
			n++
		}
		span := all[:n:n]
		all = all[n:]
		group.Go(func() error { return i.readSpan(ctx, span, f, bad) })
	}
	return ctx.Err()
}

func (b blob) end() int64 { return int64(b.Offset) + int64(b.Length) }

// readSpan reads neighbours in a pack at once. What is not whole there is looked for
// elsewhere.
func (i *Image) readSpan(ctx context.Context, span []wanted, f func(Block) error, bad func(error) error) error {
	from := int64(span[0].Offset)
	raw, failed := i.repo.store.Get(ctx, packName(span[0].pack), from, span[len(span)-1].end()-from)
	for _, w := range span {
		var data []byte
		err := failed
		if err == nil {
			data, err = i.repo.openBlob(w.blob, raw[int64(w.Offset)-from:w.end()-from])
		}
		if err != nil && ctx.Err() == nil {
			data, err = i.repo.loadBlob(ctx, dataBlob, w.ID)
		}
		if err == nil && int64(len(data)) != i.shape.blockLen(w.blocks[0]) {
			err = fmt.Errorf("%w: blob %s has %d bytes", ErrDamaged, w.ID.Short(), len(data))
		}
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			for _, n := range w.blocks {
				if err := bad(i.at(n, err)); err != nil {
					return err
				}
			}
			continue
		}
		for _, n := range w.blocks {
			if err := f(Block{n * i.BlockSize, i.shape.blockLen(n), data}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (i *Image) at(block int64, err error) error {
	return fmt.Errorf("record %s, byte %d: %w", i.Record.ID.Short(), block*i.BlockSize, err)
}

// zero is the ID of n zero bytes.
func (r *Repository) zero(n int64) ID {
	if id, is := r.zeroes.Load(n); is {
		return id.(ID)
	}
	id := zeroes(n)
	r.zeroes.Store(n, id)
	return id
}
