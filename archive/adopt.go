package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// present has a bit for each numbered pack: whether the store has it.
type present struct {
	bits bitmap
	n    uint32
}

func (p *present) has(pack uint32) bool {
	// What got its number later was stored by this process.
	return pack >= p.n || p.bits.has(pack)
}

// survey lists the packs that the store has. Those that no index has, left by who was
// killed, are taken into the index, with what is in them used again. Blobs of packs
// that are in an index and not in the store count as not there, so that a backup stores
// them again. The caller has a lock.
func (r *Repository) survey(ctx context.Context) (found *present, adopted int, err error) {
	x := r.index.Load()
	found = &present{n: x.packs.n}
	found.bits = newBitmap(int(found.n))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(4)
	var count atomic.Int64
	unseen := r.pending.ids()
	for entry, err := range r.store.List(ctx, dataDir) {
		if err != nil {
			return nil, 0, errors.Join(err, group.Wait())
		}
		id, err := ParseID(entry.Name)
		if err != nil {
			continue
		}
		delete(unseen, id)
		known := false
		if err := x.table.find(keyOf(packEntry, id), func(rec record) bool {
			known = true
			if n := rec.pack(); n < found.n {
				found.bits.set(n)
			}
			return true
		}); err != nil {
			return nil, 0, errors.Join(err, group.Wait())
		}
		if known {
			continue
		}
		group.Go(func() error {
			blobs, err := r.packHeader(inner, id, entry.Size)
			if errors.Is(err, errPack) || errors.Is(err, fs.ErrNotExist) {
				return nil // nobody refers to it
			}
			if err != nil {
				return err
			}
			count.Add(1)
			return r.known(inner, x, indexedPack{id, blobs})
		})
	}
	if err = group.Wait(); err == nil {
		r.pending.drop(unseen) // somebody has pruned them: no index had them
	}
	return found, int(count.Load()), err
}

// errPack is of a file among the packs that is none.
var errPack = errors.New("it is no pack")

// packHeader reads what is in a pack of size bytes from its end.
func (r *Repository) packHeader(ctx context.Context, id ID, size int64) ([]blob, error) {
	bad := func(err error) error { return fmt.Errorf("%s: pack %s: %w: %w", r.store, id, errPack, err) }
	if size < overhead+4 || size > maxPack {
		return nil, bad(fmt.Errorf("it has %d bytes", size))
	}
	// Most headers are shorter than this.
	tail := min(size, 16<<10)
	end, err := r.store.Get(ctx, packName(id), size-tail, tail)
	if err != nil {
		return nil, err
	}
	n, err := headerLength(end[tail-4:], size)
	if err != nil {
		return nil, bad(err)
	}
	header := end[:tail-4]
	if n > len(header) {
		if header, err = r.store.Get(ctx, packName(id), size-4-int64(n), int64(n)); err != nil {
			return nil, err
		}
	}
	blobs, err := readHeader(r.seal, header[len(header)-n:], size)
	if err != nil {
		return nil, bad(err)
	}
	return blobs, nil
}
