package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// A Lock keeps all others from changing the nodes while a Run does. On every
// node it is a bdev without storage: the target makes only one of its name,
// and its UUID is the holder's. It is taken on all nodes that answer or on
// none, so that two holders never wait for one another, and looked at again
// and again, for it ends with the target and can be taken away by force.
type Lock struct {
	Holder lineage.UUID
	Note   lineage.LockNote // By, Realm and PID
	// Wait is how long another holder is waited for.
	Wait time.Duration
	// Dead reports whether the holder that wrote a note is no more, by what this
	// machine knows of its processes; nil knows of none. If it does not renew its
	// notes either (lockSilent), its lock is taken over.
	Dead func(lineage.LockNote) bool
	// Tell is told, once, whom the lock waits for, and whose it takes over; nil
	// for nobody.
	Tell func(string)

	cluster lineage.Cluster
	targets map[lineage.Node]*spdk.Client

	watched map[lineage.UUID]*watch // holders that seem to be dead

	mu    sync.Mutex
	notes map[lineage.Node]string // the bdev that says who holds it, of the nodes it is held on
	tries map[lineage.Node]int
	why   map[lineage.Node]string // it is not held there, as far as that is known
	told  bool
	stop  context.CancelFunc
	keeps chan struct{}
}

const (
	lockLook   = time.Second      // a lock that was taken away is noticed after that
	lockRenew  = 10 * time.Second // the note says that the holder lives
	lockRetry  = 250 * time.Millisecond
	lockTries  = 2 // at a node that does not take it
	lockNoteAs = time.RFC3339
)

// LockedError is that somebody else holds a node's lock.
type LockedError struct {
	Node lineage.Node
	Note lineage.LockNote
	Err  error // why the lock of a holder that is dead could not be taken over
}

func (e *LockedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("node %s is locked by %s, which is dead, and the lock cannot be taken over: %v. See that its target answers, and apply again", e.Node, Holder(e.Note), e.Err)
	}
	return fmt.Sprintf("node %s is locked by %s: an apply is at work there. Wait for it with --lock-timeout 5m, or, if that process is gone for good, free the node with: strata unlock --force %s DIR, where DIR has the configuration",
		e.Node, Holder(e.Note), e.Node)
}

// Holder says in words who holds a lock.
func Holder(n lineage.LockNote) string {
	if n.By == "" {
		return "someone who left no note (" + string(n.Holder) + ")"
	}
	s := fmt.Sprintf("%s (process %d) since %s", n.By, n.PID, n.Since)
	if seen, err := time.Parse(lockNoteAs, n.Seen); err == nil && n.Seen != n.Since {
		s += fmt.Sprintf(", last sign of life %v ago", time.Since(seen).Round(time.Second))
	}
	return s
}

// begin readies the lock for a cluster.
func (l *Lock) begin(c lineage.Cluster, targets map[lineage.Node]*spdk.Client) {
	l.cluster, l.targets = c, targets
	if l.notes == nil {
		l.notes, l.tries, l.why = map[lineage.Node]string{}, map[lineage.Node]int{}, map[lineage.Node]string{}
	}
}

// missing are the nodes of a snapshot that answer and that the lock is not
// held on, sorted, but those that did not take it before.
func (l *Lock) missing(snap *state.Snapshot) (nodes []lineage.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, n := range snap.Nodes {
		if n.Unknown != "" {
			continue
		}
		if n.Lock.Holder == l.Holder && l.notes[name] != "" {
			continue
		}
		l.lost(name)
		if l.tries[name] < lockTries {
			nodes = append(nodes, name)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// others reports whether somebody else has locked a node.
func (l *Lock) others(snap *state.Snapshot) bool {
	if l == nil {
		return false
	}
	for _, n := range snap.Nodes {
		if n.Unknown == "" && n.Lock.Holder != "" && n.Lock.Holder != l.Holder {
			return true
		}
	}
	return false
}

// errStopped is that Options.Stop has ended the wait for a lock.
var errStopped = errors.New("stopped while waiting for a lock")

// take takes the lock on nodes, all of them or none. It waits for other holders,
// and for those that seem to be dead to be that for certain, unless it has some
// already.
func (l *Lock) take(ctx context.Context, nodes []lineage.Node, snap *state.Snapshot, stop <-chan struct{}) error {
	first := len(l.held()) == 0
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
		dead, watching := false, false
		if first && l.Dead != nil && locked.Note.By != "" && l.Dead(locked.Note) {
			dead, watching = l.silent(ctx, locked, nodes)
		}
		if dead {
			if locked.Err = l.takeOver(ctx, locked); locked.Err == nil {
				continue
			}
		}
		switch {
		case watching:
			again = lockLook
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
	if l.told {
		return
	}
	l.told = true
	if locked.Err != nil {
		l.tell("trying again to take over the lock of %s on node %s, which is dead: %v", Holder(locked.Note), locked.Node, locked.Err)
		return
	}
	l.tell("waiting for %s, who has locked node %s", Holder(locked.Note), locked.Node)
}

func (l *Lock) tell(format string, args ...any) {
	if l.Tell != nil {
		l.Tell(fmt.Sprintf(format, args...))
	}
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

// giveUp has the nodes count as not to be had, and says why.
func (l *Lock) giveUp(nodes []lineage.Node, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range nodes {
		l.tries[n], l.why[n] = lockTries, why.Error()
	}
}
