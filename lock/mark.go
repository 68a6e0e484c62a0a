package lock

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// mark is what a holder has on nodes, the lock or the seat: a bdev without storage
// of a fixed name, of which a target makes only one. Its UUID is the holder's, and
// deleting or resizing by that UUID touches no other's. A second one beside it has
// the holder in words as its name.
type mark struct {
	name    string // of the bdev
	noteAs  func(lineage.LockNote) string
	in      func(*state.Node) state.Lock // what a look found of it
	cluster lineage.Cluster
	targets map[lineage.Node]*spdk.Client

	mu     sync.Mutex
	notes  map[lineage.Node]string    // the bdev in words, of the nodes it is held on
	sizes  map[lineage.Node]uint64    // MiB that the bdev was last grown to
	alive  map[lineage.Node]time.Time // when the call was sent by which it was last known to be held
	signed map[lineage.Node]time.Time // when the last sign of life was sent
}

func newMark(name string, noteAs func(lineage.LockNote) string, in func(*state.Node) state.Lock) mark {
	return mark{name: name, noteAs: noteAs, in: in, notes: map[lineage.Node]string{}, sizes: map[lineage.Node]uint64{}, alive: map[lineage.Node]time.Time{}, signed: map[lineage.Node]time.Time{}}
}

// timeFormat is that of the times in a note.
const timeFormat = time.RFC3339

// of are the targets of some nodes.
func (m *mark) of(nodes []lineage.Node) map[lineage.Node]*spdk.Client {
	some := map[lineage.Node]*spdk.Client{}
	for _, n := range nodes {
		some[n] = m.targets[n]
	}
	return some
}

// nodes are those it is held on, sorted.
func (m *mark) nodes() []lineage.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.notes))
}

// create takes it on one node; a [LockedError] is that another has it. Whose it is to
// be is written down first, so that it is never nobody's.
func (m *mark) create(ctx context.Context, node lineage.Node, note lineage.LockNote) error {
	err := m.write(ctx, node, note, true)
	sent := time.Now()
	if err == nil {
		_, err = m.targets[node].NullCreate(ctx, spdk.NullCreate{Name: m.name, NumBlocks: 1, BlockSize: 512, UUID: string(note.Holder)})
	}
	if spdk.ClassOf(err) == spdk.Exists {
		has, rerr := m.read(ctx, node)
		switch {
		case rerr != nil:
			err = rerr
		case has.Holder == note.Holder:
			err = nil // the answer to an earlier try was lost
		case has.Holder == "":
			err = errors.New("somebody else had it until a moment ago")
		default:
			m.release(ctx, []lineage.Node{node}, note.Holder)
			return &LockedError{Node: node, Note: has}
		}
	}
	if err != nil {
		m.release(ctx, []lineage.Node{node}, note.Holder)
		return err
	}
	m.mu.Lock()
	m.alive[node] = sent
	m.mu.Unlock()
	return nil
}

// createAll takes it on the first node and then on all others together; those who come
// for the same nodes meet at the first. What does not answer is no conflict. It returns
// the error of each.
func (m *mark) createAll(ctx context.Context, nodes []lineage.Node, note lineage.LockNote) []error {
	errs := make([]error, len(nodes))
	if errs[0] = m.create(ctx, nodes[0], note); IsLocked(errs[0]) {
		return errs
	}
	var wg sync.WaitGroup
	for i, n := range nodes[1:] {
		wg.Go(func() { errs[i+1] = m.create(ctx, n, note) })
	}
	wg.Wait()
	return errs
}

// read says who holds it on a node.
func (m *mark) read(ctx context.Context, node lineage.Node) (lineage.LockNote, error) {
	n := state.Read(ctx, m.cluster, map[lineage.Node]*spdk.Client{node: m.targets[node]}).Nodes[node]
	if n.Unknown != "" {
		return lineage.LockNote{}, errors.New(n.Unknown)
	}
	return m.in(n).Note(), nil
}

// write writes a note that says that the holder lives, and takes away the one before;
// unless it is the first, only where there is one.
func (m *mark) write(ctx context.Context, node lineage.Node, note lineage.LockNote, first bool) error {
	if !first { // the end of what it is held for leaves no half of it
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), beatTimeout)
		defer cancel()
	}
	note.Seen = time.Now().UTC().Format(timeFormat)
	if note.Since == "" {
		note.Since = note.Seen
	}
	name := m.noteAs(note)
	if _, err := m.targets[node].NullCreate(ctx, spdk.NullCreate{Name: name, NumBlocks: 1, BlockSize: 512}); err != nil && spdk.ClassOf(err) != spdk.Exists {
		return err
	}
	m.mu.Lock()
	old := m.notes[node]
	if old != "" || first {
		m.notes[node] = name
	} else {
		old, name = name, "" // it was given back meanwhile
	}
	m.mu.Unlock()
	if old != "" && old != name {
		_ = m.targets[node].NullDelete(ctx, old) // whoever has it next takes it away
	}
	return nil
}

// check asks a node who has it. It reports whether the node said that it is held no
// more; no answer is no news.
func (m *mark) check(ctx context.Context, node lineage.Node, holder lineage.UUID) (gone bool) {
	var bdevs []spdk.Bdev
	req := spdk.NewReq(spdk.BdevGet{Name: m.name}, &bdevs)
	if err := m.targets[node].Round(ctx, req); err != nil {
		return false
	}
	return spdk.ClassOf(req.Err) == spdk.NotFound || req.Err == nil && (len(bdevs) != 1 || bdevs[0].UUID != string(holder))
}

// fresh reports whether a node has said not long ago that it is held.
func (m *mark) fresh(node lineage.Node) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[node] != "" && time.Since(m.alive[node]) < watchStops
}

// freshest is when the call was sent by which it was last known to be held on any node;
// zero if on none.
func (m *mark) freshest() (at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := range m.notes {
		if m.alive[n].After(at) {
			at = m.alive[n]
		}
	}
	return at
}

// has reports whether it is held on a node.
func (m *mark) has(node lineage.Node) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[node] != ""
}

// lose takes note that it is held no more on a node, and reports whether it was.
func (m *mark) lose(node lineage.Node) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.notes[node] != ""
	delete(m.notes, node)
	delete(m.sizes, node)
	return held
}

// release gives it back, by the holder's UUID: what another has taken since stays.
func (m *mark) release(ctx context.Context, nodes []lineage.Node, holder lineage.UUID) {
	var wg sync.WaitGroup
	for _, n := range nodes {
		m.mu.Lock()
		note := m.notes[n]
		delete(m.notes, n)
		delete(m.sizes, n)
		m.mu.Unlock()
		if note == "" {
			continue
		}
		wg.Go(func() {
			t := m.targets[n]
			// What stays, for its target does not answer, keeps its note: by that
			// others find out that the holder is dead.
			if unlessMissing(t.NullDelete(ctx, string(holder))) == nil {
				_ = t.NullDelete(ctx, note) // whoever has it next takes it away
			}
		})
	}
	wg.Wait()
}

// clean takes away what former holders wrote.
func (m *mark) clean(ctx context.Context, node lineage.Node, notes []lineage.LockNote, holder lineage.UUID) {
	for _, note := range notes {
		if note.Holder != holder {
			_ = m.targets[node].NullDelete(ctx, m.noteAs(note)) // gone already, or tried again by the next
		}
	}
}

// every calls f once in a while for some of the nodes, as those say that it is given,
// until ctx ends; a node that is slow delays no other. The channel is closed when all
// calls have ended.
func (m *mark) every(ctx context.Context, d time.Duration, which func() []lineage.Node, f func(context.Context, lineage.Node)) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var calls sync.WaitGroup
		defer calls.Wait()
		var mu sync.Mutex
		busy := map[lineage.Node]bool{}
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for _, n := range which() {
				mu.Lock()
				skip := busy[n]
				busy[n] = true
				mu.Unlock()
				if skip {
					continue
				}
				calls.Go(func() {
					f(ctx, n)
					mu.Lock()
					defer mu.Unlock()
					busy[n] = false
				})
			}
		}
	}()
	return ended
}

func unlessMissing(err error) error {
	if spdk.ClassOf(err) == spdk.NotFound {
		return nil
	}
	return err
}
