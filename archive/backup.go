package archive

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// BackupOptions say what is backed up.
type BackupOptions struct {
	Volume string // name of the directory in the record
	Size   int64  // bytes of the image
	// BlockSize is in which pieces the image is compared, stored and read, in bytes: that
	// of the volume's clusters, or a part of it. At most MaxBlock.
	BlockSize int64
	// Base is a record of an image with the same block size, of which all is taken that is
	// not written. Without it, that is zeroes.
	Base *Record
}

// Backup is an image that is being written. WriteAt and ZeroAt may be called
// concurrently, in any order; the later of two writes to the same place counts.
//
// A write returns when it is in a queue of some blocks: errors of storing it come with a
// later write, or with Commit. At any moment until Commit returns the repository is as if
// nothing had been written, and what is stored already is used again by the next backup.
type Backup struct {
	repo  *Repository
	shape shape
	base  *Image
	name  string

	lock    *lock
	saver   *saver
	adopted int
	ctx     context.Context
	cancel  context.CancelFunc

	free    chan []byte // buffers of a block
	work    chan job
	workers sync.WaitGroup
	zeros   []byte

	mu      sync.Mutex
	closed  bool
	err     error
	ids     scratch // for each block its ID, or zeroes where it was not written
	touched []bool  // pieces with blocks that were written
	blocks  int64   // written
	partial map[int64]*partial
	latest  map[int64]*order
}

// job is a block to be stored.
type job struct {
	block int64
	turn  uint64
	data  []byte
}

// order is which of the writes to a block that are under way is the last.
type order struct {
	last  uint64
	under int
}

// Stats says what a backup has come to.
type Stats struct {
	Blocks  int64 // written, each counted once
	Known   int64 // of the blobs to be stored, those that were there already
	Stored  int64 // bytes of packs
	Adopted int   // packs that somebody who was stopped had left
}

// queued bounds what waits to be stored, in bytes.
const queued = 16 << 20

// ErrClosed says that a backup was committed or closed.
var ErrClosed = errors.New("the backup has ended")

// Backup begins one. It holds a lock, which others that write share, until it is
// committed or closed; whoever prunes has to wait. ctx bounds all of it.
func (r *Repository) Backup(ctx context.Context, o BackupOptions) (*Backup, error) {
	s := shape{o.Size, o.BlockSize}
	if err := errors.Join(checkVolume(o.Volume), s.check()); err != nil {
		return nil, err
	}
	if !r.locks {
		return nil, fmt.Errorf("%s: nothing is written without locks", r.store)
	}
	b := &Backup{repo: r, shape: s, name: o.Volume, partial: map[int64]*partial{}, latest: map[int64]*order{}, zeros: make([]byte, o.BlockSize)}
	b.touched = make([]bool, s.pieces())
	b.ids = scratch{dir: r.dir, limit: 8 << 20}
	var err error
	if b.lock, err = r.lock(ctx, false); err != nil {
		return nil, err
	}
	if err := b.begin(ctx, o.Base); err != nil {
		b.lock.release()
		return nil, err
	}
	return b, nil
}

func (b *Backup) begin(ctx context.Context, base *Record) error {
	r := b.repo
	if err := r.refresh(ctx); err != nil {
		return err
	}
	if base != nil {
		var err error
		if b.base, err = r.image(ctx, *base); err != nil {
			return err
		}
		if b.base.shape.BlockSize != b.shape.BlockSize {
			return fmt.Errorf("record %s has blocks of %d bytes, and a backup with blocks of %d cannot build on it: back up all", base.ID.Short(), b.base.shape.BlockSize, b.shape.BlockSize)
		}
	}
	var found *present
	b.saver = newSaver(r, func(n uint32) bool { return found.has(n) })
	found, adopted, err := r.survey(ctx)
	if err != nil {
		return err
	}
	b.adopted = adopted
	b.ctx, b.cancel = context.WithCancel(ctx)
	n := max(4, min(32, int(queued/b.shape.BlockSize)))
	b.free, b.work = make(chan []byte, n), make(chan job, n)
	for range n {
		b.free <- nil // made when it is needed first
	}
	for range max(2, min(n, atOnce())) {
		b.workers.Go(b.worker)
	}
	return nil
}

// Stats says what has come together. What is in the queue does not count yet.
func (b *Backup) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Stats{b.blocks, b.saver.known.Load(), b.saver.stored.Load(), b.adopted}
}

// Close ends a backup. One that was not committed leaves no record.
func (b *Backup) Close() error {
	b.cancel()
	b.stop()
	b.saver.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids.close()
	b.partial = nil
	b.lock.release()
	b.lock = nil
	return nil
}

// stop ends writing and waits for what is queued.
func (b *Backup) stop() {
	b.mu.Lock()
	was := b.closed
	b.closed = true
	b.mu.Unlock()
	if !was {
		close(b.work)
	}
	b.workers.Wait()
}

// fail keeps the first error.
func (b *Backup) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
}

// worker stores blocks.
func (b *Backup) worker() {
	for j := range b.work {
		if err := b.keep(j); err != nil {
			b.fail(err)
		}
		b.free <- j.data[:0]
	}
}

func (b *Backup) keep(j job) error {
	id, err := b.saver.save(b.ctx, dataBlob, j.data)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.latest[j.block]
	if o.under--; o.under == 0 {
		delete(b.latest, j.block)
	}
	if o.last != j.turn {
		return nil
	}
	return b.mark(j.block, id)
}

// mark notes what a block is.
func (b *Backup) mark(block int64, id ID) error {
	var was ID
	if _, err := b.ids.ReadAt(was[:], block*int64(len(was))); err != nil {
		return err
	}
	if was == (ID{}) {
		b.blocks++
	}
	b.touched[block/b.shape.perPiece()] = true
	_, err := b.ids.WriteAt(id[:], block*int64(len(id)))
	return err
}
