package archive

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// An index file is written when so many blobs or so much time have come together.
	// What a process that is killed had in no index yet is found by the next one (adopt).
	indexBlobs    = 1 << 14
	indexInterval = 2 * time.Minute
)

// pending are packs that are stored, and in no index file yet. They are those of all backups
// of a process: what one has stored another counts as there, and whoever makes a record
// writes the index of all first, also of a backup that has failed since.
type pending struct {
	writing sync.Mutex // held by who writes an index file of them

	mu    sync.Mutex
	packs []indexedPack
	blobs int
	since time.Time // of the first
}

// add reports whether it is time to write an index file.
func (p *pending) add(pack indexedPack) (due bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(p.packs, func(have indexedPack) bool { return have.ID == pack.ID }) {
		p.put(pack)
	}
	return p.blobs >= indexBlobs || time.Since(p.since) >= indexInterval
}

// put adds packs. p.mu is held.
func (p *pending) put(packs ...indexedPack) {
	if len(p.packs) == 0 {
		p.since = time.Now()
	}
	p.packs = append(p.packs, packs...)
	for _, pack := range packs {
		p.blobs += len(pack.Blobs)
	}
}

func (p *pending) take() []indexedPack {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.packs
	p.packs, p.blobs = nil, 0
	return all
}

// ids are those of all.
func (p *pending) ids() map[ID]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[ID]bool{}
	for _, pack := range p.packs {
		all[pack.ID] = true
	}
	return all
}

// drop forgets packs that are not there any more.
func (p *pending) drop(gone map[ID]bool) {
	if len(gone) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	all, since := slices.DeleteFunc(p.packs, func(pack indexedPack) bool { return gone[pack.ID] }), p.since
	p.packs, p.blobs = nil, 0
	p.put(all...)
	p.since = since
}

// known takes a pack that is stored into an index, and has it in the next index file, which
// is written if it is time. It is pending before others find what is in it.
func (r *Repository) known(ctx context.Context, x *index, p indexedPack) error {
	due := r.pending.add(p)
	if err := x.add(p); err != nil || !due {
		return err
	}
	return r.writePending(ctx)
}

// writePending writes the index of all packs that are pending, or returns when somebody else
// has. What could not be written stays pending.
func (r *Repository) writePending(ctx context.Context) error {
	r.pending.writing.Lock()
	defer r.pending.writing.Unlock()
	now := r.pending.take()
	if len(now) == 0 {
		return nil
	}
	err := r.writeIndex(ctx, now)
	if err != nil {
		r.pending.mu.Lock()
		r.pending.put(now...)
		r.pending.mu.Unlock()
	}
	return err
}
