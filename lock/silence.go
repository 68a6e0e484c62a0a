package lock

import (
	"context"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// ApplySilent is how long an apply must not have renewed its notes, by the clock
// of who wants to take its lock over. Machines that were made from one image can
// share what Dead goes by, and the process that it misses may live on another.
const ApplySilent = 2 * renewEvery

// silence is since when the notes of a holder have been seen not to change.
type silence struct {
	notes  map[lineage.Node]lineage.LockNote
	since  time.Time
	broken bool // they have changed since they were first read: the holder lives
}

// see compares the notes of a holder with those seen before.
func (s *silence) see(notes map[lineage.Node]lineage.LockNote) {
	for node, note := range notes {
		if old, known := s.notes[node]; known && old != note {
			s.since, s.broken = time.Now(), true
		}
		s.notes[node] = note
	}
}

// silent reports whether a holder that seems to be dead is, for it has not
// renewed its notes on any of the nodes either for as long as it takes; or
// whether that has still to be seen, for it has given no sign of life so far.
func (l *Lock) silent(ctx context.Context, locked *LockedError, nodes []lineage.Node) (dead, unsure bool) {
	holder := locked.Note.Holder
	s := l.silences[holder]
	if s == nil {
		s = &silence{notes: map[lineage.Node]lineage.LockNote{}, since: time.Now()}
		if l.silences == nil {
			l.silences = map[lineage.UUID]*silence{}
		}
		l.silences[holder] = s
		l.tell("%s, who has locked node %s, seems to be dead; its lock is taken over if it gives no sign of life for %v", Holder(locked.Note), locked.Node, ApplySilent)
	}
	s.see(notesOf(state.Read(ctx, l.cluster, l.of(nodes)), holder))
	s.see(map[lineage.Node]lineage.LockNote{locked.Node: locked.Note})
	dead = time.Since(s.since) >= ApplySilent
	return dead, !dead && !s.broken
}

// notesOf are a holder's notes on the nodes that it has locked.
func notesOf(snap *state.Snapshot, holder lineage.UUID) map[lineage.Node]lineage.LockNote {
	notes := map[lineage.Node]lineage.LockNote{}
	for name, n := range snap.Nodes {
		if n.Unknown == "" && n.Lock.Holder == holder {
			notes[name] = n.Lock.Note()
		}
	}
	return notes
}

// Silent waits until the apply that holds a node's lock has not renewed its note for so
// long that, if nothing else speaks for it, it is dead. It returns false as soon
// as the holder gives a sign of life, or another has the lock.
func Silent(ctx context.Context, c lineage.Cluster, node lineage.Node, t *spdk.Client, note lineage.LockNote) (bool, error) {
	for until := time.Now().Add(ApplySilent); time.Now().Before(until); {
		if err := pause(ctx, checkEvery, nil); err != nil {
			return false, err
		}
		n := state.Read(ctx, c, map[lineage.Node]*spdk.Client{node: t}).Nodes[node]
		if n.Unknown == "" && n.Lock.Note() != note {
			return false, nil
		}
	}
	return true, nil
}
