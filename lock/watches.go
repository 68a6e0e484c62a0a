package lock

import (
	"context"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// A watch that holds something gives a sign of life each second. What it has not been
// told by a node for watchStops, counted from when it asked, it takes for lost and begins
// nothing more there. Others take over what has given no sign of life for watchSilent,
// counted by their own clock from when they first saw the last one to when they asked for
// the last time. No clock is compared with another's; the two must only not differ in speed
// by half.
const (
	beatTimeout = time.Second
	watchStops  = 2 * time.Second
	watchSilent = 3250 * time.Millisecond
	lookEvery   = 500 * time.Millisecond // of a watch that stands by
	lookTimeout = 750 * time.Millisecond // what is slower does not count
)

// sighting is what was last seen of a mark on a node.
type sighting struct {
	holder lineage.UUID // "" for nobody
	size   uint64       // bytes: it grows with every sign of life
	since  time.Time    // this was first seen
	asked  time.Time    // the last time
}

// silent reports whether there is a holder that has given no sign of life for long.
func (s sighting) silent() bool { return s.holder != "" && s.asked.Sub(s.since) >= watchSilent }

// sightings of a mark, by node.
type sightings struct {
	mu   sync.Mutex
	last map[lineage.Node]sighting
}

// look asks nodes who has a mark, which costs the same however many bdevs there are. It
// returns what those said that answered soon.
func (s *sightings) look(ctx context.Context, name string, targets map[lineage.Node]*spdk.Client) map[lineage.Node]sighting {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	seen := map[lineage.Node]sighting{}
	var wg sync.WaitGroup
	for n, t := range targets {
		wg.Go(func() {
			asked := time.Now()
			b, err := t.GetBdev(ctx, name)
			now := sighting{holder: lineage.UUID(b.UUID), size: b.Size(), since: time.Now(), asked: asked}
			switch {
			case spdk.ClassOf(err) == spdk.NotFound:
				now.holder, now.size = "", 0
			case err != nil:
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if old, known := s.last[n]; known && old.holder == now.holder && old.size == now.size {
				now.since = old.since
			}
			if s.last == nil {
				s.last = map[lineage.Node]sighting{}
			}
			s.last[n], seen[n] = now, now
		})
	}
	wg.Wait()
	return seen
}

// LookOn sees which watches hold locks. A watch that stands by calls it every now and
// then, to know the silence of one that has died by the time it has to.
func (l *Lock) LookOn(ctx context.Context) {
	l.watches.look(ctx, l.name, l.targets)
}

// quiet reports whether another watch that holds a lock has given no sign of life for
// long, on the node on which it was met.
func (l *Lock) quiet(ctx context.Context, locked *LockedError, nodes []lineage.Node) bool {
	now, answered := l.watches.look(ctx, l.name, l.of(nodes))[locked.Node]
	return answered && now.holder == locked.Note.Holder && now.silent()
}
