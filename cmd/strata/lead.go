package main

import (
	"strata/lock"
	"strata/watch"
)

// newWatchLock is the lock of a watch by this process, which others may wish for.
func newWatchLock() (*lock.Lock, error) {
	l, err := newLock()
	if err != nil {
		return nil, err
	}
	l.Note.Watch = true
	l.Wait = lockWait
	return l, nil
}

// newLeader is what elects the watch of this process, which has that lock.
func newLeader(l *lock.Lock) (watch.Leader, error) {
	id, err := randomUUID()
	if err != nil {
		return nil, err
	}
	return watch.OnNodes{Seat: &lock.Seat{Holder: id, Note: l.Note}, Lock: l}, nil
}
