package lock

import (
	"context"
	"errors"
	"slices"
	"time"

	"strata/lineage"
	"strata/state"
)

// ErrStopped is that the wait for a lock was ended.
var ErrStopped = errors.New("stopped while waiting for a lock")

// Take takes the lock on nodes, all of them or none. It waits for other holders,
// and for those that seem to be dead to be that for certain, unless it has some
// already. What snap has of former holders it takes away.
func (l *Lock) Take(ctx context.Context, nodes []lineage.Node, snap *state.Snapshot, stop <-chan struct{}) error {
	defer l.dropWishes()
	first := !l.Held()
	if first && l.Note.Watch {
		if err := l.giveWay(ctx, nodes, stop); err != nil {
			return err
		}
	}
	for until := time.Now().Add(l.Wait); ; {
		err := l.try(ctx, nodes)
		var locked *LockedError
		if !errors.As(err, &locked) {
			if err == nil {
				for _, n := range nodes {
					l.clean(ctx, n, snap.Nodes[n].Lock.Notes, l.Holder)
				}
				l.keep()
			}
			return err
		}
		dead, unsure := false, false
		switch {
		case l.Note.Watch && locked.Note.Watch:
			dead = l.quiet(ctx, locked, nodes)
		case first && l.Dead != nil && locked.Note.By != "" && l.Dead(locked.Note):
			dead, unsure = l.silent(ctx, locked, nodes)
		}
		if dead {
			if locked.Err = l.takeOver(ctx, locked); locked.Err == nil {
				continue
			}
		}
		switch {
		case unsure:
			err = pause(ctx, checkEvery, stop)
		case first && time.Now().Before(until):
			l.waiting(locked)
			err = l.wait(ctx, locked, until, stop)
		}
		if err != nil {
			return err
		}
	}
}

// wait returns when it is time to try again: what is waited for has changed, may be
// dead, or has been waited for long enough.
func (l *Lock) wait(ctx context.Context, locked *LockedError, until time.Time, stop <-chan struct{}) error {
	for {
		l.wish(ctx, locked)
		if err := pause(ctx, min(retryAfter, time.Until(until)), stop); err != nil {
			return err
		}
		mayBeDead := locked.Err != nil || l.Note.Watch && locked.Note.Watch || l.Dead != nil && locked.Note.By != "" && l.Dead(locked.Note)
		if mayBeDead || !time.Now().Before(until) || l.check(ctx, locked.Node, locked.Note.Holder) {
			return nil
		}
	}
}

// pause waits for a while, unless ctx or stop ends that.
func pause(ctx context.Context, d time.Duration, stop <-chan struct{}) error {
	select {
	case <-stop:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// takeOver frees a node of a holder that is dead, by its UUID: what somebody
// else may have taken since stays.
func (l *Lock) takeOver(ctx context.Context, locked *LockedError) error {
	err := unlessMissing(l.targets[locked.Node].NullDelete(ctx, string(locked.Note.Holder)))
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
	switch {
	case locked.Err != nil:
		l.tell("trying again to take over the lock of %s on node %s, which is dead: %v", Holder(locked.Note), locked.Node, locked.Err)
	case locked.Note.Watch:
		l.tell("waiting for %s, a watch that has locked node %s and gives way after the steps in hand", Holder(locked.Note), locked.Node)
	default:
		l.tell("waiting for %s, who has locked node %s", Holder(locked.Note), locked.Node)
	}
}

// try takes the lock on nodes. What does not answer counts as not held; it is no
// conflict.
func (l *Lock) try(ctx context.Context, nodes []lineage.Node) error {
	if len(nodes) == 0 {
		return nil
	}
	note := l.Note
	note.Holder = l.Holder
	errs := l.createAll(ctx, nodes, note)
	if at := slices.IndexFunc(errs, IsLocked); at >= 0 {
		l.release(ctx, nodes, l.Holder)
		return errs[at]
	}
	l.mu.Lock()
	for i, err := range errs {
		if err != nil {
			l.tries[nodes[i]]++
			l.why[nodes[i]] = err.Error()
		}
	}
	l.mu.Unlock()
	return ctx.Err()
}
