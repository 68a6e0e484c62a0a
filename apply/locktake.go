package apply

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// errStopped is that Options.Stop has ended the wait for a lock.
var errStopped = errors.New("stopped while waiting for a lock")

// take takes the lock on nodes, all of them or none. It waits for other holders,
// and for those that seem to be dead to be that for certain, unless it has some
// already.
func (l *Lock) take(ctx context.Context, nodes []lineage.Node, snap *state.Snapshot, stop <-chan struct{}) error {
	first := len(l.nodes()) == 0
	for until := time.Now().Add(l.Wait); ; {
		err := l.try(ctx, nodes)
		var locked *LockedError
		if !errors.As(err, &locked) {
			if err == nil {
				l.clean(ctx, nodes, snap)
				l.keep()
			}
			return err
		}
		again := min(lockRetry, time.Until(until))
		dead, unsure := false, false
		if first && l.Dead != nil && locked.Note.By != "" && l.Dead(locked.Note) {
			dead, unsure = l.silent(ctx, locked, nodes)
		}
		if dead {
			if locked.Err = l.takeOver(ctx, locked); locked.Err == nil {
				continue
			}
		}
		switch {
		case unsure:
			again = lockCheck
		case !first || !time.Now().Before(until):
			return err
		default:
			l.waiting(locked)
		}
		select {
		case <-stop:
			return errStopped
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// takeOver frees a node of a holder that is dead, by its UUID: what somebody
// else may have taken since stays.
func (l *Lock) takeOver(ctx context.Context, locked *LockedError) error {
	err := unless(spdk.NotFound, l.targets[locked.Node].NullDelete(ctx, string(locked.Note.Holder)))
	if err == nil {
		l.tell("taking over the lock of %s, which is dead", Holder(locked.Note))
	}
	return err
}

// waiting tells, once, what is waited for.
func (l *Lock) waiting(locked *LockedError) {
	if l.announced {
		return
	}
	l.announced = true
	if locked.Err != nil {
		l.tell("trying again to take over the lock of %s on node %s, which is dead: %v", Holder(locked.Note), locked.Node, locked.Err)
		return
	}
	l.tell("waiting for %s, who has locked node %s", Holder(locked.Note), locked.Node)
}

// try takes the lock on the first node and then on all others together; those
// who come for the same nodes meet at the first. What does not answer counts as
// not held; it is no conflict.
func (l *Lock) try(ctx context.Context, nodes []lineage.Node) error {
	if len(nodes) == 0 {
		return nil
	}
	errs := make([]error, len(nodes))
	if errs[0] = l.create(ctx, nodes[0]); !isLocked(errs[0]) {
		var wg sync.WaitGroup
		for i, n := range nodes[1:] {
			wg.Go(func() { errs[i+1] = l.create(ctx, n) })
		}
		wg.Wait()
	}
	at := slices.IndexFunc(errs, isLocked)
	if at < 0 {
		return ctx.Err()
	}
	l.release(ctx, nodes)
	return errs[at]
}

func isLocked(err error) bool {
	var locked *LockedError
	return errors.As(err, &locked)
}

// create takes the lock on one node. Whose it is to be is written down first,
// so that no lock is ever nobody's.
func (l *Lock) create(ctx context.Context, node lineage.Node) error {
	err := l.write(ctx, node)
	if err == nil {
		_, err = l.targets[node].NullCreate(ctx, spdk.NullCreate{Name: l.cluster.Lock(), NumBlocks: 1, BlockSize: 512, UUID: string(l.Holder)})
	}
	if spdk.ClassOf(err) == spdk.Exists {
		note, rerr := l.read(ctx, node)
		switch {
		case rerr != nil:
			err = rerr
		case note.Holder == l.Holder:
			err = nil // the answer to an earlier try was lost
		case note.Holder == "":
			err = errors.New("somebody else had it until a moment ago")
		default:
			l.release(ctx, []lineage.Node{node})
			return &LockedError{Node: node, Note: note}
		}
	}
	if err != nil {
		l.release(ctx, []lineage.Node{node})
		l.mu.Lock()
		l.tries[node]++
		l.why[node] = err.Error()
		l.mu.Unlock()
	}
	return err
}

// read says who holds the lock of a node.
func (l *Lock) read(ctx context.Context, node lineage.Node) (lineage.LockNote, error) {
	snap := state.Read(ctx, l.cluster, map[lineage.Node]*spdk.Client{node: l.targets[node]})
	n := snap.Nodes[node]
	if n.Unknown != "" {
		return lineage.LockNote{}, errors.New(n.Unknown)
	}
	return n.Lock.Note(), nil
}

// clean takes away what former holders wrote.
func (l *Lock) clean(ctx context.Context, nodes []lineage.Node, snap *state.Snapshot) {
	for _, node := range nodes {
		for _, note := range snap.Nodes[node].Lock.Notes {
			if note.Holder != l.Holder {
				_ = l.targets[node].NullDelete(ctx, l.cluster.LockNote(note)) // gone already, or tried again by the next
			}
		}
	}
}
