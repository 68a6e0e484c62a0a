package backup

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"

	"strata/archive"
	"strata/nvmetcp"
)

// Fill is an lvol, which is empty and nobody else's, that an image is written to.
type Fill struct {
	Alone
	Cluster int64 // bytes
}

// Run writes the image, or what it has over what the lvol stands on, and tells how many
// bytes of it are written.
func (f *Fill) Run(ctx context.Context, of Content, tell func(bytes int64)) (err error) {
	disk, end, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer end(&err)
	if disk.Size < of.Size || of.Block%int64(disk.BlockSize) != 0 {
		return fmt.Errorf("%s has %d bytes in blocks of %d, and the image %d in pieces of %d", f.Bdev, disk.Size, disk.BlockSize, of.Size, of.Block)
	}
	w := &writer{disk: disk, cluster: max(f.Cluster, of.Block), block: of.Block, over: of.Over, seen: map[int64]map[int64]bool{}}
	if err := of.Blocks(ctx, w.has, func(b archive.Block) error {
		if err := w.write(ctx, b); err != nil {
			return err
		}
		tell(w.bytes.Load())
		return nil
	}); err != nil {
		return err
	}
	if of.Zeroes != nil {
		if err := of.Zeroes(ctx, func(off, n int64) error {
			if err := w.zero(ctx, off, n); err != nil {
				return err
			}
			tell(w.bytes.Load())
			return nil
		}); err != nil {
			return err
		}
	}
	if !of.Over {
		if err := w.pad(ctx); err != nil {
			return err
		}
	}
	return disk.Flush(ctx)
}

// writer writes blocks, and what is missing of the clusters that they are in: a target does
// not zero a cluster that is written to first. Over a layer it copies it from there.
type writer struct {
	disk           *nvmetcp.Device
	cluster, block int64
	over           bool
	bytes          atomic.Int64

	mu   sync.Mutex
	seen map[int64]map[int64]bool // blocks by cluster; nil of a cluster that is whole
}

func (w *writer) write(ctx context.Context, b archive.Block) error {
	switch {
	case b.Data != nil:
		if err := w.disk.WriteAt(ctx, b.Data, b.Off); err != nil {
			return err
		}
	case w.over:
		return w.zero(ctx, b.Off, b.Len)
	default:
		return nil // it reads as zero
	}
	w.wrote(b.Off, b.Len)
	return nil
}

// zero writes zeroes, which take room then.
func (w *writer) zero(ctx context.Context, off, n int64) error {
	if err := w.disk.Zero(ctx, off, n); err != nil {
		return err
	}
	w.wrote(off, n)
	return nil
}

// wrote notes that a block is written.
func (w *writer) wrote(off, n int64) {
	w.bytes.Add(n)
	if w.over || w.block == w.cluster {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c := off / w.cluster
	blocks, begun := w.seen[c]
	if !begun {
		blocks = map[int64]bool{}
		w.seen[c] = blocks
	}
	if blocks[off] = true; int64(len(blocks)) == w.cluster/w.block {
		w.seen[c] = nil
	}
}

// has reports whether the disk has a block already.
func (w *writer) has(ctx context.Context, off, n int64, sum archive.ID) (bool, error) {
	p := make([]byte, n)
	if err := w.disk.ReadAt(ctx, p, off); err != nil {
		return false, err
	}
	return sha256.Sum256(p) == sum, nil
}

// pad zeroes the rest of clusters that were written to in part.
func (w *writer) pad(ctx context.Context) error {
	for c, blocks := range w.seen {
		if blocks == nil {
			continue
		}
		for off := c * w.cluster; off < min((c+1)*w.cluster, w.disk.Size); off += w.block {
			if !blocks[off] {
				if err := w.disk.WriteAt(ctx, make([]byte, min(w.block, w.disk.Size-off)), off); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
