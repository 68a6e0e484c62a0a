package archive

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	// packSize is from which length on a pack is stored, in bytes.
	packSize = 16 << 20
	// maxPackBlobs is how many blobs a pack has at most, maxPackHeader the length of their
	// header in bytes.
	maxPackBlobs  = 1 << 14
	maxPackHeader = maxPackBlobs * compressedEntry
	// uploads is how many packs are stored at a time.
	uploads = 3
)

// saver stores blobs that the repository does not have. Its methods may be called
// concurrently.
type saver struct {
	repo *Repository
	// whole says of a numbered pack that it is in the store.
	whole func(pack uint32) bool

	buffers sync.Pool    // of *[2][]byte, for what is compressed, and sealed
	stored  atomic.Int64 // bytes of packs
	known   atomic.Int64 // blobs that were there already

	// packing is held by who adds to a pack, also while that waits for its turn to be
	// stored: so there are never more packs than are open or being stored.
	packing sync.Mutex
	open    map[kind]*pack
	slots   chan struct{} // one for each pack that is being stored
	wg      sync.WaitGroup

	mu     sync.Mutex
	flight map[key]bool // in packs that are not stored yet
	err    error
}

func newSaver(r *Repository, whole func(uint32) bool) *saver {
	s := &saver{repo: r, whole: whole, slots: make(chan struct{}, uploads), open: map[kind]*pack{}, flight: map[key]bool{}}
	s.buffers.New = func() any { return new([2][]byte) }
	return s
}

// save stores a blob unless it is there, and returns its ID. An error may be of one
// that was saved before.
func (s *saver) save(ctx context.Context, k kind, plain []byte) (ID, error) {
	id := ID(sha256.Sum256(plain))
	known, err := s.claim(keyOf(k, id))
	if err != nil {
		return id, err
	}
	if known {
		s.known.Add(1)
		return id, nil
	}
	buffer := s.buffers.Get().(*[2][]byte)
	defer s.buffers.Put(buffer)
	buffer[0] = s.repo.codec.compress(buffer[0][:0], plain)
	content, size := buffer[0], len(plain)
	if k == dataBlob && len(content) >= len(plain) {
		content, size = plain, 0
	}
	buffer[1] = s.repo.seal.seal(buffer[1][:0], content)
	return id, s.put(ctx, blob{ID: id, Kind: k, Plain: uint32(size)}, buffer[1])
}

// put adds what is sealed to the pack that is begun, and has it stored if it is long
// enough.
func (s *saver) put(ctx context.Context, b blob, sealed []byte) error {
	s.packing.Lock()
	defer s.packing.Unlock()
	p := s.open[b.Kind]
	if p == nil {
		p = &pack{content: takeBuffer()}
		s.open[b.Kind] = p
	}
	p.add(b, sealed)
	if len(p.content) < packSize && len(p.blobs) < maxPackBlobs {
		return nil
	}
	delete(s.open, b.Kind)
	return s.store(ctx, p)
}

// claim tells whether a blob is there, or is being saved. If not the caller saves it.
func (s *saver) claim(k key) (known bool, err error) {
	s.mu.Lock()
	if s.err != nil || s.flight[k] {
		defer s.mu.Unlock()
		return true, s.err
	}
	s.flight[k] = true
	s.mu.Unlock()
	err = s.repo.index.Load().table.find(k, func(rec record) bool {
		known = s.whole(rec.pack())
		return !known
	})
	if known || err != nil {
		s.mu.Lock()
		delete(s.flight, k)
		s.mu.Unlock()
	}
	return known, err
}

// store stores a pack, after waiting for one of the others if as many as may are being
// stored. The caller has packing.
func (s *saver) store(ctx context.Context, p *pack) error {
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return s.fail(ctx.Err())
	}
	s.wg.Go(func() {
		defer func() { giveBuffer(p.content); <-s.slots }()
		if err := s.upload(ctx, p); err != nil {
			_ = s.fail(err) // whatever is called next returns it
		}
	})
	return nil
}

func (s *saver) upload(ctx context.Context, p *pack) error {
	id := p.finish(s.repo.seal)
	if err := s.repo.store.Put(ctx, packName(id), p.content); err != nil {
		return err
	}
	s.stored.Add(int64(len(p.content)))
	err := s.repo.known(ctx, s.repo.index.Load(), indexedPack{id, p.blobs})
	s.mu.Lock()
	for _, b := range p.blobs {
		delete(s.flight, keyOf(b.Kind, b.ID))
	}
	s.mu.Unlock()
	return err
}

// flush stores what is begun, and the index of all that is stored. Nothing is saved meanwhile.
func (s *saver) flush(ctx context.Context) error {
	s.packing.Lock()
	defer s.packing.Unlock()
	for _, k := range [...]kind{dataBlob, treeBlob} {
		if p := s.open[k]; p != nil {
			delete(s.open, k)
			if err := s.store(ctx, p); err != nil {
				return err
			}
		}
	}
	s.wg.Wait()
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if err == nil {
		err = s.repo.writePending(ctx)
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// end waits for what is being stored, and gives back what was begun.
func (s *saver) end() {
	s.packing.Lock()
	defer s.packing.Unlock()
	s.wg.Wait()
	for k, p := range s.open {
		giveBuffer(p.content)
		delete(s.open, k)
	}
	restBuffers()
}

// fail keeps the first error, which all later calls return.
func (s *saver) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = fmt.Errorf("storing: %w", err)
	}
	return s.err
}
