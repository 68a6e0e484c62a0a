// Package lock says who may change nodes, and which of several watches works. Both are
// marks on the targets themselves (mark.go): a [Lock] is held while something is
// changed, the seat as long as a watch works. It never decides what is done, and
// remembers nothing that is not on a target.
package lock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// A Lock keeps all others from changing the nodes while an apply does, or a watch
// (Note.Watch). It is taken on all nodes that answer or on none, so that two holders
// never wait for one another, and asked for again and again, for it ends with the
// target and can be taken away by force.
type Lock struct {
	Holder lineage.UUID
	Note   lineage.LockNote // By, Realm, PID and Watch
	// Wait is how long another holder is waited for.
	Wait time.Duration
	// Dead reports whether the holder that wrote a note is no more, by what this
	// machine knows of its processes; nil knows of none. If it does not renew its
	// notes either (ApplySilent), its lock is taken over.
	Dead func(lineage.LockNote) bool
	// Tell is told, once, whom the lock waits for, and whose it takes over; nil
	// for nobody.
	Tell func(string)

	mark
	silences map[lineage.UUID]*silence // of holders that seem to be dead
	watches  sightings                 // of the locks of other watches

	tries     map[lineage.Node]int
	why       map[lineage.Node]string // it is not held there, as far as that is known
	others    map[lineage.Node]bool   // others may have it there: it was lost, or not to be had
	wishes    map[lineage.Node]bool   // there is one of ours
	announced bool
	wished    chan struct{} // closed when another wishes for it; nil for who gives way to nobody
	firm      bool          // it gives way to nobody
	stop      context.CancelFunc
	keeps     <-chan struct{}
}

const (
	checkEvery = time.Second      // a lock that was taken away is noticed after that
	renewEvery = 10 * time.Second // the note says that the holder lives
	retryAfter = 250 * time.Millisecond
	mostTries  = 2 // at a node that does not take it
)

// LockedError is that somebody else holds a node's lock, or the seat there.
type LockedError struct {
	Node lineage.Node
	Note lineage.LockNote
	Err  error // why the lock of a holder that is dead could not be taken over
}

func (e *LockedError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("node %s is locked by %s, which is dead, and the lock cannot be taken over: %v. See that its target answers, and apply again", e.Node, Holder(e.Note), e.Err)
	}
	if e.Note.Watch {
		return fmt.Sprintf("node %s is locked by %s: a watch is at work there, which was asked to give way and has not yet. Wait for it with --lock-timeout 5m, or, if that process is gone for good, free the node with: strata unlock --force %s DIR, where DIR has the configuration",
			e.Node, Holder(e.Note), e.Node)
	}
	return fmt.Sprintf("node %s is locked by %s: an apply is at work there. Wait for it with --lock-timeout 5m, or, if that process is gone for good, free the node with: strata unlock --force %s DIR, where DIR has the configuration",
		e.Node, Holder(e.Note), e.Node)
}

// IsLocked reports whether an error is that another holds a lock.
func IsLocked(err error) bool {
	var locked *LockedError
	return errors.As(err, &locked)
}

// Holder says in words who holds a lock.
func Holder(n lineage.LockNote) string {
	if n.By == "" {
		return "someone who left no note (" + string(n.Holder) + ")"
	}
	s := fmt.Sprintf("%s (process %d) since %s", n.By, n.PID, n.Since)
	if seen, err := time.Parse(timeFormat, n.Seen); err == nil && n.Seen != n.Since {
		s += fmt.Sprintf(", last sign of life %v ago", time.Since(seen).Round(time.Second))
	}
	return s
}

// Begin readies the lock for a cluster; with other nodes, once it is held on none.
func (l *Lock) Begin(c lineage.Cluster, targets map[lineage.Node]*spdk.Client) {
	if l.Held() {
		return
	}
	if l.notes == nil {
		l.mark = newMark(c.Lock(), c.LockNote, func(n *state.Node) state.Lock { return n.Lock })
	}
	l.cluster, l.targets = c, targets
	l.tries, l.why, l.announced = map[lineage.Node]int{}, map[lineage.Node]string{}, false
	l.others, l.wishes = map[lineage.Node]bool{}, map[lineage.Node]bool{}
	if l.Note.Watch && !l.firm {
		l.wished = make(chan struct{})
	}
}

// Missing are the nodes of a snapshot that answer and that the lock is not
// held on, sorted, but those that did not take it before.
func (l *Lock) Missing(snap *state.Snapshot) (nodes []lineage.Node) {
	for name, n := range snap.Nodes {
		if n.Unknown != "" {
			continue
		}
		if n.Lock.Holder == l.Holder && l.has(name) {
			continue
		}
		l.lost(name)
		l.mu.Lock()
		if l.tries[name] < mostTries {
			nodes = append(nodes, name)
		}
		l.mu.Unlock()
	}
	slices.Sort(nodes)
	return nodes
}

// Others reports whether somebody else has locked a node.
func (l *Lock) Others(snap *state.Snapshot) bool {
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

// SeemsDead reports whether somebody else has a lock who seems to be dead, or is a watch, of
// which one works at a time. Who then takes the lock makes certain of that.
func (l *Lock) SeemsDead(is state.Lock) bool {
	if l == nil || is.Holder == "" || is.Holder == l.Holder {
		return false
	}
	note := is.Note()
	return l.Note.Watch && note.Watch || l.Dead != nil && note.By != "" && l.Dead(note)
}

// Held reports whether it is held on any node.
func (l *Lock) Held() bool { return len(l.nodes()) > 0 }

// Allows says why a node must not be changed. A watch must have heard not long ago that
// it still has the lock, for others take it over from one that gives no sign of life.
func (l *Lock) Allows(node lineage.Node) error {
	if l == nil {
		return nil
	}
	fresh := !l.Note.Watch || l.fresh(node)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.notes[node] == "":
		return fmt.Errorf("node %s: this run does not hold its lock, so nothing is changed there: %s", node, cmp.Or(l.why[node], "it was not asked for"))
	case !fresh:
		return fmt.Errorf("node %s: for %v it has not said whether this watch still holds its lock, so nothing is changed there until it does", node, watchStops)
	}
	return nil
}

// AllowsWithout says why nothing must be done about a node that does not answer, or, for "",
// about what is on no node. There the lock cannot be: it must be held on another, and nobody may have taken it from one.
func (l *Lock) AllowsWithout(node lineage.Node) error {
	if l == nil {
		return nil
	}
	held := false
	for _, n := range slices.Sorted(maps.Keys(l.targets)) {
		err := l.Allows(n)
		l.mu.Lock()
		taken := l.notes[n] == "" && l.others[n]
		l.mu.Unlock()
		if n != node && taken {
			if node == "" {
				return err
			}
			return fmt.Errorf("nothing is done about node %s: %w", node, err)
		}
		held = held || n != node && err == nil
	}
	switch {
	case !held && node == "":
		return errors.New("this run holds the lock of no node")
	case !held:
		return fmt.Errorf("nothing is done about node %s: this run holds the lock of no other node", node)
	}
	return nil
}

// GiveUp has the nodes count as not to be had, and says why.
func (l *Lock) GiveUp(nodes []lineage.Node, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range nodes {
		l.tries[n], l.why[n], l.others[n] = mostTries, why.Error(), true
	}
}

// lost takes note that a node's lock is held no more.
func (l *Lock) lost(node lineage.Node) {
	if l.lose(node) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.others[node] = true
		l.why[node] = "it is gone, for the target was restarted or somebody used unlock --force"
		if l.Note.Watch {
			l.why[node] = "it is gone, for the target was restarted, another watch has taken it over, or somebody used unlock --force"
		}
	}
}

func (l *Lock) tell(format string, args ...any) {
	if l.Tell != nil {
		l.Tell(fmt.Sprintf(format, args...))
	}
}
