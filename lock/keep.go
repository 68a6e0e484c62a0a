package lock

import (
	"context"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

const releaseTimeout = 10 * time.Second

// Verify asks whether the lock is still held on nodes.
func (l *Lock) Verify(ctx context.Context, nodes map[lineage.Node]bool) {
	if l == nil {
		return
	}
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { l.look(ctx, n) })
	}
	wg.Wait()
}

// look asks a node who holds its lock; a watch gives a sign of life with it, and sees
// whether another wishes for the lock.
func (l *Lock) look(ctx context.Context, node lineage.Node) {
	if !l.Note.Watch {
		if l.check(ctx, node, l.Holder) {
			l.lost(node)
		}
		return
	}
	if !l.has(node) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	var bdevs []spdk.Bdev
	wish := l.wishFor(&bdevs)
	if l.beat(ctx, node, l.Holder, wish) {
		l.lost(node)
	}
	l.heard(wish, bdevs)
}

// keep looks after the lock until it is released.
func (l *Lock) keep() {
	if l.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	note := l.Note
	note.Holder = l.Holder
	if note.Since == "" {
		note.Since = time.Now().UTC().Format(timeFormat)
	}
	looked := l.every(ctx, checkEvery, l.nodes, l.look)
	written := l.every(ctx, renewEvery, l.nodes, func(ctx context.Context, n lineage.Node) {
		_ = l.write(ctx, n, note, false)
	})
	ended := make(chan struct{})
	l.keeps = ended
	go func() {
		<-looked
		<-written
		close(ended)
	}()
}

// Inherit makes the lock of a holder that died, with the notes it wrote. That of a
// watch is looked after, and gives way to nobody any more: it is freed soon.
func (l *Lock) Inherit(ctx context.Context) {
	l.firm, l.wished = true, nil
	snap := state.Read(ctx, l.cluster, l.targets)
	for name, n := range snap.Nodes {
		for _, note := range n.Lock.Notes {
			if note.Holder == l.Holder {
				l.notes[name] = l.cluster.LockNote(note)
				l.Note = note
			}
		}
	}
	if l.Note.Watch {
		held := map[lineage.Node]bool{}
		for _, n := range l.nodes() {
			held[n] = true
		}
		l.Verify(ctx, held)
		l.keep()
	}
}

// End releases the lock wherever it is held.
func (l *Lock) End() {
	if l == nil {
		return
	}
	if l.stop != nil {
		l.stop()
		<-l.keeps
		l.stop = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	l.release(ctx, l.nodes(), l.Holder)
}

// Free frees a node of what whoever wrote the notes holds: the lock, or the seat.
func Free(ctx context.Context, t *spdk.Client, held state.Lock, noteAs func(lineage.LockNote) string) error {
	if held.Holder == "" {
		return nil
	}
	if err := unlessMissing(t.NullDelete(ctx, string(held.Holder))); err != nil {
		return err
	}
	for _, n := range held.Notes {
		if err := unlessMissing(t.NullDelete(ctx, noteAs(n))); err != nil {
			return err
		}
	}
	return nil
}
