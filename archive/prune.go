package archive

import (
	"bytes"
	"context"
	"fmt"
)

// Pruned says what a Prune did.
type Pruned struct {
	Records  int   // that are there
	Deleted  int   // packs
	Repacked int   // packs of which a part was needed, which is in others now
	Freed    int64 // bytes
	Unused   int64 // bytes that no record needs and that stay, for they are few in their packs
}

// unusedShare is what part of a repository may be needed by nobody, in hundredths:
// packs are written anew until no more is.
const unusedShare = 5

// Prune deletes what no record needs. It has the repository for itself; LockedError if
// somebody uses it. Killed at any moment it leaves a repository that is whole.
func (r *Repository) Prune(ctx context.Context) (Pruned, error) {
	if !r.locks {
		return Pruned{}, fmt.Errorf("%s: nothing is deleted without locks", r.store)
	}
	l, err := r.lock(ctx, true)
	if err != nil {
		return Pruned{}, err
	}
	defer l.release()
	r.pending.take() // of backups that have failed: what no index has goes
	r.index.Store(newIndex(r.dir))
	if err := r.refresh(ctx); err != nil {
		return Pruned{}, err
	}
	c, err := r.census(ctx)
	if err != nil {
		return Pruned{}, err
	}
	// The table is as it was before for as long as this goes on, and of no use afterwards.
	r.index.Store(newIndex(r.dir))
	defer func() {
		c.index.close()
		r.index.Swap(newIndex(r.dir)).close()
		r.pending.take()
	}()
	p := &pruner{census: c, lock: l, limit: c.limit(), saver: newSaver(r, func(uint32) bool { return true })}
	p.done.Records = c.records
	defer p.saver.end()
	err = p.run(ctx)
	return p.done, err
}

// pruner carries a prune out: what is needed of packs that go is stored in others, then
// indexes are written that know only what stays, those before are deleted, and last the
// packs.
type pruner struct {
	*census
	lock  *lock
	saver *saver
	limit uint64
	done  Pruned
}

func (p *pruner) run(ctx context.Context) error {
	for n := range p.first {
		n := uint32(n)
		if p.first[n] != n {
			continue
		}
		unused := int64(p.size[n]) - int64(p.need[n])
		switch {
		case !p.goes(n):
			p.done.Unused += unused
		case p.need[n] > 0:
			if err := p.repack(ctx, n); err != nil {
				return err
			}
			p.done.Repacked++
			p.done.Freed += unused
		case p.size[n] > 0:
			p.done.Deleted++
			p.done.Freed += unused
		}
	}
	if err := p.saver.flush(ctx); err != nil {
		return err
	}
	if err := p.lock.there(ctx); err != nil {
		return err
	}
	if err := p.reindex(ctx); err != nil {
		return err
	}
	return p.delete(ctx)
}

// goes tells whether a pack goes: it is not needed, or so little that the rest is in
// the way.
func (c *census) goes(n uint32, limit uint64) bool {
	return c.need[n] == 0 || c.hundredths(n) >= limit
}

func (p *pruner) goes(n uint32) bool { return p.census.goes(p.first[n], p.limit) }

// hundredths is which part of a pack is not needed. A header is part of every pack.
func (c *census) hundredths(n uint32) uint64 {
	return 100 * uint64(c.size[n]-min(c.size[n], c.need[n]+c.need[n]>>6)) / uint64(max(1, c.size[n]))
}

// limit is from how many hundredths on packs are written anew, so that of all that
// stays no more is unused than may be.
func (c *census) limit() uint64 {
	var unused [101]uint64
	var needed uint64
	for n := range c.first {
		if c.first[n] == uint32(n) && c.need[n] > 0 {
			needed += uint64(c.need[n])
			unused[c.hundredths(uint32(n))] += uint64(c.size[n] - min(c.size[n], c.need[n]))
		}
	}
	sum := uint64(0)
	for h := range uint64(len(unused)) {
		if sum += unused[h]; sum > needed*unusedShare/100 && h > 1 {
			return h
		}
	}
	return uint64(len(unused))
}

// repack stores what is needed of a pack anew. It is read and compared before it is.
func (p *pruner) repack(ctx context.Context, n uint32) error {
	id, err := p.index.packs.id(n)
	if err != nil {
		return err
	}
	content, err := p.repo.store.Get(ctx, packName(id), 0, -1)
	if err != nil {
		return err
	}
	needed, err := p.needed(content, n, id)
	if err != nil {
		return err
	}
	for _, b := range needed {
		sealed := content[b.Offset : b.Offset+b.Length]
		if _, err := p.repo.openBlob(b, bytes.Clone(sealed)); err != nil {
			return p.repo.damaged(b.Kind, b.ID, fmt.Errorf("pack %s: %w", id, err))
		}
		if err := p.saver.put(ctx, b, sealed); err != nil {
			return err
		}
	}
	return nil
}

// needed is the blobs of a pack that are marked.
func (p *pruner) needed(content []byte, n uint32, id ID) (needed []blob, err error) {
	blobs, err := readPack(p.repo.seal, content)
	if err != nil {
		return nil, fmt.Errorf("%s: pack %s: %w: %w", p.repo.store, id, ErrDamaged, err)
	}
	for _, b := range blobs {
		if _, err := p.marks.run.find(keyOf(b.Kind, b.ID), func(at int64, rec record) bool {
			if rec.pack() == n && rec.blob().Offset == b.Offset && p.marks.has(at) {
				needed = append(needed, b)
				return false
			}
			return true
		}); err != nil {
			return nil, err
		}
	}
	sum := uint32(0)
	for _, b := range needed {
		sum += b.Length
	}
	if sum != p.need[n] {
		return nil, fmt.Errorf("%s: pack %s: %w: its header and the index do not say the same", p.repo.store, id, ErrDamaged)
	}
	return needed, nil
}

// delete deletes the packs that go, which no index has any more.
func (p *pruner) delete(ctx context.Context) error {
	gone := func(id ID) error {
		if err := p.lock.held(); err != nil {
			return err
		}
		return p.repo.store.Delete(ctx, packName(id))
	}
	for n := range p.first {
		if n := uint32(n); p.first[n] == n && p.size[n] > 0 && p.goes(n) {
			id, err := p.index.packs.id(n)
			if err != nil {
				return err
			}
			if err := gone(id); err != nil {
				return err
			}
		}
	}
	for _, id := range p.orphans {
		if err := gone(id); err != nil {
			return err
		}
		p.done.Deleted++
	}
	return nil
}
