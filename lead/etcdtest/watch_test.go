package etcdtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"strata/lead"
)

// within is the time in which another watch has to lead.
const within = 5 * time.Second

// watch is one of several that stand for election, on a machine of its own.
type watch struct {
	n    int
	etcd *lead.Etcd
	ways []*proxy // to the members
}

func (c *etcd) watch(t *testing.T, n int) *watch {
	t.Helper()
	w := &watch{n: n, etcd: &lead.Etcd{Place: lead.Place{Prefix: "strata"}, By: fmt.Sprintf("watch%d@lab", n)}}
	for _, m := range c.members {
		p := newProxy(t, m.client)
		w.ways = append(w.ways, p)
		w.etcd.Hosts = append(w.etcd.Hosts, p.address())
	}
	return w
}

func (w *watch) cut() {
	for _, p := range w.ways {
		p.cut()
	}
}

func (w *watch) mend() {
	for _, p := range w.ways {
		p.mend()
	}
}

func (w *watch) kill() {
	for _, p := range w.ways {
		p.kill()
	}
}

// journal has, in their order, the moments at which watches were told that they lead.
type journal struct {
	t *testing.T

	mu   sync.Mutex
	last term
	over map[term]bool
	when time.Time
	lead chan term // a term begins
}

// term is the time for which a watch leads: its number of those of the watch.
type term struct{ watch, n int }

// says takes note that a watch was told that it leads: after another was, it is not,
// unless it was elected again.
func (j *journal) says(now term) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over[now] {
		j.t.Errorf("watch %d leads in term %d, after watch %d did", now.watch, now.n, j.last.watch)
	}
	if j.last != now {
		j.over[j.last] = true
		j.last = now
		select {
		case j.lead <- now:
		default:
		}
	}
	j.when = time.Now()
}

// ago is when somebody was last told that they lead.
func (j *journal) ago() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.Since(j.when)
}

// run has watches stand for election, lead, and ask all the time whether they do.
func run(t *testing.T, ctx context.Context, watches ...*watch) *journal {
	t.Helper()
	j := &journal{t: t, over: map[term]bool{}, lead: make(chan term, 100)}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	for _, w := range watches {
		all.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				got, err := w.etcd.Lead(ctx, "lab")
				if err != nil {
					select {
					case <-ctx.Done():
					case <-time.After(time.Second):
					}
					continue
				}
				for ctx.Err() == nil && got.Check(ctx) == nil {
					j.says(term{w.n, n})
					time.Sleep(20 * time.Millisecond)
				}
				got.Resign()
			}
		})
		if w == watches[0] {
			<-j.lead
		}
	}
	return j
}

// next waits until another watch leads.
func (j *journal) next(t *testing.T, but int) term {
	t.Helper()
	for {
		select {
		case now := <-j.lead:
			if now.watch != but {
				return now
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no other watch leads")
		}
	}
}
