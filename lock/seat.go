package lock

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// A Seat lets one of several watches of a cluster work. It is on every node that answers,
// beside the locks, and taken where nobody gives a sign of life who has it.
//
// What protects data are the locks and what plans make of nodes that do not answer. Two
// watches of which each reaches nodes that the other does not may both have the seat, on
// different nodes, until one sees the other; where both reach a node, its lock has them take turns.
type Seat struct {
	Holder lineage.UUID // not that of a lock: a target has each UUID once
	Note   lineage.LockNote
	// Tell is told for whom, or why, this watch stands by, when that is another than
	// before; nil for nobody.
	Tell func(string)
	// StandingBy is called at every look of a watch that stands by; nil for nothing.
	StandingBy func(context.Context)

	told lineage.UUID // or noNode
}

// noteEvery is how often the seat's note says when its holder was last seen, which is for
// who reads it: that the holder lives is seen by its signs of life.
const noteEvery = 30 * time.Second

// noNode is for whom a watch stands by that reaches no node.
const noNode = lineage.UUID("none")

// Lead waits until the seat is this watch's. Its error is that of ctx.
func (s *Seat) Lead(ctx context.Context, c lineage.Cluster, targets map[lineage.Node]*spdk.Client) (*Term, error) {
	t := &Term{seat: s, note: s.Note, over: make(chan struct{})}
	t.mark = newMark(c.Seat(), c.SeatNote, func(n *state.Node) state.Lock { return n.Seat })
	t.cluster, t.targets = c, targets
	t.note.Holder = s.Holder
	for {
		start := time.Now()
		t.note.Since = start.UTC().Format(timeFormat) // of the term, however often the note is written
		looked := make(chan struct{})
		go func() {
			defer close(looked)
			if s.StandingBy != nil {
				s.StandingBy(ctx)
			}
		}()
		leads := t.take(ctx)
		<-looked
		if leads {
			t.begin()
			return t, nil
		}
		if err := pause(ctx, lookEvery-time.Since(start), nil); err != nil {
			return nil, err
		}
	}
}

// Term is the time for which a watch has the seat.
type Term struct {
	seat *Seat
	note lineage.LockNote
	mark
	seen sightings

	end   context.CancelFunc
	ended []<-chan struct{}
	once  sync.Once
	over  chan struct{}
}

// Lost is closed when the seat is, or may soon be, another's.
func (t *Term) Lost() <-chan struct{} { return t.over }

// take takes the seat on all nodes that answer or on none, unless somebody has it who
// gives signs of life.
func (t *Term) take(ctx context.Context) bool {
	seen := t.seen.look(ctx, t.name, t.targets)
	nodes := slices.Sorted(maps.Keys(seen))
	if len(nodes) == 0 {
		t.standBy(ctx, "", noNode)
		return false
	}
	for _, n := range nodes {
		if s := seen[n]; s.holder != "" && s.holder != t.note.Holder && !s.silent() {
			t.standBy(ctx, n, s.holder)
			return false
		}
	}
	ctx, cancel := context.WithTimeout(ctx, watchStops)
	defer cancel()
	for _, n := range nodes {
		t.free(ctx, n, seen[n])
	}
	errs := t.createAll(ctx, nodes, t.note)
	if slices.ContainsFunc(errs, IsLocked) || len(t.nodes()) == 0 {
		t.resign(nodes)
		return false
	}
	return true
}

// free frees a node of a holder that gives no sign of life, by its UUID, and of what it
// wrote.
func (t *Term) free(ctx context.Context, node lineage.Node, s sighting) {
	if s.holder == "" || s.holder == t.note.Holder {
		return
	}
	if unlessMissing(t.targets[node].NullDelete(ctx, string(s.holder))) != nil {
		return // somebody has it there, then
	}
	if n := state.Read(ctx, t.cluster, map[lineage.Node]*spdk.Client{node: t.targets[node]}).Nodes[node]; n.Unknown == "" {
		t.clean(ctx, node, n.Seat.Notes, t.note.Holder)
	}
}

// standBy tells for whom this watch stands by.
func (t *Term) standBy(ctx context.Context, node lineage.Node, holder lineage.UUID) {
	if t.seat.Tell == nil || t.seat.told == holder {
		return
	}
	text := "standing by: no node answers, so whose the seat is cannot be found out"
	if holder != noNode {
		note, err := t.read(ctx, node)
		if err != nil || note.Holder != holder {
			return // another time
		}
		text = "standing by: " + seated(note)
	}
	t.seat.told = holder
	t.seat.Tell(text)
}

// seated says in words who has the seat.
func seated(n lineage.LockNote) string {
	if n.By == "" {
		return Holder(n) + " has the seat"
	}
	return fmt.Sprintf("%s (process %d), since %s, has the seat", n.By, n.PID, n.Since)
}

// begin has the seat kept until the term is over.
func (t *Term) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	t.end = cancel
	t.ended = []<-chan struct{}{
		t.every(ctx, checkEvery/4, t.overdue, func(ctx context.Context, n lineage.Node) { t.confirm(ctx, n) }),
		t.every(ctx, noteEvery, t.nodes, func(ctx context.Context, n lineage.Node) {
			_ = t.write(ctx, n, t.note, false) // only words
		}),
		t.watch(ctx), t.spread(ctx),
	}
}

// confirm gives a sign of life on a node, and reports whether the node has taken it.
func (t *Term) confirm(ctx context.Context, node lineage.Node) bool {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	sent := time.Now()
	if t.beat(ctx, node, t.note.Holder) {
		t.gone(node)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.notes[node] != "" && !t.alive[node].Before(sent)
}

// watch ends the term when no node has confirmed it for too long.
func (t *Term) watch(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for left := watchStops; pause(ctx, left, nil) == nil; {
			if left = watchStops - time.Since(t.freshest()); left <= 0 {
				t.lost()
				return
			}
		}
	}()
	return ended
}

// spread takes the seat on nodes that come back, each second. Where another has it who
// lives, the one stays that has it on the first node, by name, of those it sees.
func (t *Term) spread(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, checkEvery, nil) == nil {
			held := t.nodes()
			missing := maps.Clone(t.targets)
			for _, n := range held {
				delete(missing, n)
			}
			seen := t.seen.look(ctx, t.name, missing)
			for _, n := range slices.Sorted(maps.Keys(seen)) {
				s := seen[n]
				switch {
				case s.holder == "" || s.holder == t.note.Holder || s.silent():
					t.join(ctx, n, s)
				case len(held) == 0 || n < held[0]:
					t.lost()
					return
				}
			}
		}
	}()
	return ended
}

// join takes the seat on one node more.
func (t *Term) join(ctx context.Context, node lineage.Node, s sighting) {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	t.free(ctx, node, s)
	_ = t.create(ctx, node, t.note) // or at the next look
}

// Check fails if the seat is, or may be, another's by now: it asks the nodes, and one
// that says otherwise will do.
func (t *Term) Check(ctx context.Context) error {
	select {
	case <-t.over:
		return errSeatLost
	default:
	}
	nodes := t.nodes()
	confirmed := make(chan bool, len(nodes))
	for _, n := range nodes {
		go func() { confirmed <- t.confirm(ctx, n) }()
	}
	for range nodes {
		if <-confirmed {
			return nil
		}
	}
	t.lost()
	return errSeatLost
}

var errSeatLost = fmt.Errorf("this watch has lost the seat, or cannot tell: no node has confirmed it; it begins nothing more and stands by")

// gone takes note that the seat on a node is another's, which ends the term where it was
// the last.
func (t *Term) gone(node lineage.Node) {
	if t.lose(node) && t.freshest().IsZero() {
		t.lost()
	}
}

// lost ends the term.
func (t *Term) lost() { t.once.Do(func() { close(t.over) }) }

// Resign gives the seat back. It may be called again.
func (t *Term) Resign() {
	t.lost()
	t.end()
	for _, ended := range t.ended {
		<-ended
	}
	t.resign(t.nodes())
}

func (t *Term) resign(nodes []lineage.Node) {
	ctx, cancel := context.WithTimeout(context.Background(), beatTimeout)
	defer cancel()
	t.release(ctx, nodes, t.note.Holder)
}
