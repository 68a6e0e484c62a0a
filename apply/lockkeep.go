package apply

import (
	"cmp"
	"context"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
	"strata/state"
)

// verify asks whether the lock is still held on the nodes of a section.
func (l *Lock) verify(ctx context.Context, s *plan.Section) {
	if l == nil {
		return
	}
	nodes := map[lineage.Node]bool{}
	for step := range s.Steps() {
		nodes[step.Op.On()] = true
	}
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { l.check(ctx, n) })
	}
	wg.Wait()
}

// check asks a node who holds its lock. No answer is no news.
func (l *Lock) check(ctx context.Context, node lineage.Node) {
	var bdevs []spdk.Bdev
	req := spdk.NewReq(spdk.BdevGet{Name: l.cluster.Lock()}, &bdevs)
	if err := l.targets[node].Round(ctx, req); err != nil {
		return
	}
	if spdk.ClassOf(req.Err) == spdk.NotFound || req.Err == nil && (len(bdevs) != 1 || bdevs[0].UUID != string(l.Holder)) {
		l.mu.Lock()
		l.lost(node)
		l.mu.Unlock()
	}
}

// lost takes note that a node's lock is held no more. l.mu is held.
func (l *Lock) lost(node lineage.Node) {
	if l.notes[node] != "" {
		delete(l.notes, node)
		l.why[node] = "it is gone, for the target was restarted or somebody used unlock --force"
	}
}

// keep looks after the lock until it is released.
func (l *Lock) keep() {
	if l.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.stop, l.keeps = cancel, make(chan struct{})
	go func() {
		defer close(l.keeps)
		check, renew := time.NewTicker(lockCheck), time.NewTicker(lockRenew)
		defer check.Stop()
		defer renew.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-check.C:
				l.each(func(n lineage.Node) { l.check(ctx, n) })
			case <-renew.C:
				l.each(func(n lineage.Node) { _ = l.write(ctx, n) }) // what does not take it is checked again
			}
		}
	}()
}

func (l *Lock) each(f func(lineage.Node)) {
	var wg sync.WaitGroup
	for _, n := range l.nodes() {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}

// write writes a note that says that the holder lives, and takes away the one
// before.
func (l *Lock) write(ctx context.Context, node lineage.Node) error {
	note := l.Note
	note.Holder, note.Seen = l.Holder, time.Now().UTC().Format(lockNoteAs)
	note.Since = cmp.Or(note.Since, note.Seen)
	name := l.cluster.LockNote(note)
	if _, err := l.targets[node].NullCreate(ctx, spdk.NullCreate{Name: name, NumBlocks: 1, BlockSize: 512}); err != nil && spdk.ClassOf(err) != spdk.Exists {
		return err
	}
	l.mu.Lock()
	old := l.notes[node]
	l.notes[node] = name
	l.mu.Unlock()
	if old != "" && old != name {
		_ = l.targets[node].NullDelete(ctx, old) // whoever has the lock next takes it away
	}
	return nil
}

// inherit makes the lock of a holder that died, with the notes it wrote.
func (l *Lock) inherit(ctx context.Context) {
	snap := state.Read(ctx, l.cluster, l.targets)
	for name, n := range snap.Nodes {
		for _, note := range n.Lock.Notes {
			if note.Holder == l.Holder {
				l.notes[name] = l.cluster.LockNote(note)
				l.Note = note
			}
		}
	}
}

// end releases the lock wherever it is held.
func (l *Lock) end() {
	if l == nil {
		return
	}
	if l.stop != nil {
		l.stop()
		<-l.keeps
		l.stop = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), resumeTimeout)
	defer cancel()
	l.release(ctx, l.nodes())
}

// release gives the lock back, by the holder's UUID: a lock that another has
// taken since stays.
func (l *Lock) release(ctx context.Context, nodes []lineage.Node) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		l.mu.Lock()
		note := l.notes[n]
		delete(l.notes, n)
		l.mu.Unlock()
		if note == "" {
			continue
		}
		wg.Go(func() {
			t := l.targets[n]
			// A lock that stays, for its target does not answer, keeps its note: by
			// that others find out that the holder is dead.
			if unless(spdk.NotFound, t.NullDelete(ctx, string(l.Holder))) == nil {
				_ = t.NullDelete(ctx, note) // whoever has the lock next takes it away
			}
		})
	}
	wg.Wait()
}

// Unlock frees a node whose lock is held by whoever wrote the note.
func Unlock(ctx context.Context, c lineage.Cluster, t *spdk.Client, lock state.Lock) error {
	if err := unless(spdk.NotFound, t.NullDelete(ctx, string(lock.Holder))); err != nil {
		return err
	}
	for _, n := range lock.Notes {
		if err := unless(spdk.NotFound, t.NullDelete(ctx, c.LockNote(n))); err != nil {
			return err
		}
	}
	return nil
}
