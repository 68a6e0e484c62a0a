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

// A Lock keeps all others from changing the nodes while a Run does. On every
// node it is a bdev without storage: the target makes only one of its name,
// and its UUID is the holder's. It is taken on all nodes that answer or on
// none, so that two holders never wait for one another, and asked for again
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

	silences map[lineage.UUID]*silence // of holders that seem to be dead

	mu        sync.Mutex
	notes     map[lineage.Node]string // the bdev that says who holds it, of the nodes it is held on
	tries     map[lineage.Node]int
	why       map[lineage.Node]string // it is not held there, as far as that is known
	announced bool
	stop      context.CancelFunc
	keeps     chan struct{}
}

const (
	lockCheck  = time.Second      // a lock that was taken away is noticed after that
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

// nodes are those it is held on, sorted.
func (l *Lock) nodes() []lineage.Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.notes))
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

// giveUp has the nodes count as not to be had, and says why.
func (l *Lock) giveUp(nodes []lineage.Node, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range nodes {
		l.tries[n], l.why[n] = lockTries, why.Error()
	}
}

func (l *Lock) tell(format string, args ...any) {
	if l.Tell != nil {
		l.Tell(fmt.Sprintf(format, args...))
	}
}
