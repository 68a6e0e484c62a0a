package archive

import (
	"context"
)

// indexFile is one that was there before a prune.
type indexFile struct {
	id    ID
	stays bool // as it is
	blobs int
}

// bitmap has a bit for each numbered pack.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(n uint32) bool { return b[n/64]>>(n%64)&1 == 1 }

func (b bitmap) set(n uint32) { b[n/64] |= 1 << (n % 64) }

// reindex writes new index files in place of those that have packs that go, or that are
// in another, and of those that are short; then it deletes those.
func (p *pruner) reindex(ctx context.Context) error {
	files, placed, err := p.survey(ctx)
	if err != nil {
		return err
	}
	var stay []indexedPack
	blobs := 0
	for _, f := range files {
		if f.stays {
			continue
		}
		if err := p.packsOf(ctx, f.id, func(k indexedPack, n uint32) error {
			if p.lost(n) || placed.has(n) {
				return nil
			}
			placed.set(n)
			if stay, blobs = append(stay, k), blobs+len(k.Blobs); blobs < indexBlobs {
				return nil
			}
			err := p.repo.writeIndex(ctx, stay)
			stay, blobs = nil, 0
			return err
		}); err != nil {
			return err
		}
	}
	if len(stay) > 0 {
		if err := p.repo.writeIndex(ctx, stay); err != nil {
			return err
		}
	}
	for _, f := range files {
		if f.stays {
			continue
		}
		if err := p.lock.held(); err != nil {
			return err
		}
		if err := p.repo.store.Delete(ctx, indexDir+"/"+f.id.String()); err != nil {
			return err
		}
	}
	return nil
}

// survey tells which index files can stay, and which packs are in these.
func (p *pruner) survey(ctx context.Context) (files []indexFile, placed bitmap, err error) {
	placed = newBitmap(len(p.first))
	short := 0
	for id := range p.index.files {
		f := indexFile{id: id, stays: true}
		var packs []uint32
		if err := p.packsOf(ctx, id, func(k indexedPack, n uint32) error {
			f.blobs += len(k.Blobs)
			f.stays = f.stays && !p.lost(n) && !placed.has(n)
			packs = append(packs, n)
			return nil
		}); err != nil {
			return nil, nil, err
		}
		if f.stays && f.blobs < indexBlobs/4 {
			short++
		}
		if f.stays {
			for _, n := range packs {
				placed.set(n)
			}
		}
		files = append(files, f)
	}
	if short < 2 {
		return files, placed, nil
	}
	// Those that are short come together: what they have is placed anew.
	for i := range files {
		f := &files[i]
		if !f.stays || f.blobs >= indexBlobs/4 {
			continue
		}
		f.stays = false
		if err := p.packsOf(ctx, f.id, func(_ indexedPack, n uint32) error {
			placed[n/64] &^= 1 << (n % 64)
			return nil
		}); err != nil {
			return nil, nil, err
		}
	}
	return files, placed, nil
}

// lost tells whether a pack goes or is not there.
func (p *pruner) lost(n uint32) bool { return p.size[n] == 0 || p.goes(n) }

// packsOf calls f with the packs of an index file and their numbers.
func (p *pruner) packsOf(ctx context.Context, id ID, f func(indexedPack, uint32) error) error {
	text, err := p.repo.loadFile(ctx, indexDir, id)
	if err != nil {
		return err
	}
	return eachPack(text, func(k indexedPack) error {
		n := uint32(0)
		if _, err := p.marks.run.find(keyOf(packEntry, k.ID), func(_ int64, rec record) bool {
			n = p.first[rec.pack()]
			return false
		}); err != nil {
			return err
		}
		return f(k, n)
	})
}
