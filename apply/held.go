package apply

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
	"strata/state"
)

// held are the nodes it is held on, sorted.
func (l *Lock) held() []lineage.Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.notes))
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

// allows says why an op must not be carried out. To let hosts go on is never
// forbidden.
func (l *Lock) allows(op plan.Op) error {
	if _, resume := op.(plan.Resume); l == nil || resume {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notes[op.On()] == "" {
		return fmt.Errorf("node %s: this run does not hold its lock, so nothing is changed there: %s", op.On(), cmp.Or(l.why[op.On()], "it was not asked for"))
	}
	return nil
}

// verify looks whether the lock is still held on the nodes of a section.
func (l *Lock) verify(ctx context.Context, s *plan.Section) {
	if l == nil {
		return
	}
	nodes := map[lineage.Node]bool{}
	for _, stage := range s.Stages {
		for _, step := range stage {
			nodes[step.Op.On()] = true
		}
	}
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { l.look(ctx, n) })
	}
	wg.Wait()
}

// look asks a node who holds its lock. No answer is no news.
func (l *Lock) look(ctx context.Context, node lineage.Node) {
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
		look, renew := time.NewTicker(lockLook), time.NewTicker(lockRenew)
		defer look.Stop()
		defer renew.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
				l.each(func(n lineage.Node) { l.look(ctx, n) })
			case <-renew.C:
				l.each(func(n lineage.Node) { _ = l.write(ctx, n) }) // what does not take it is looked at again
			}
		}
	}()
}

func (l *Lock) each(f func(lineage.Node)) {
	var wg sync.WaitGroup
	for _, n := range l.held() {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
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
	l.release(ctx, l.held())
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
