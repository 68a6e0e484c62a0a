package archive

import (
	"container/list"
	"context"
	"sync"
)

// cache keeps what was loaded, the last used longest, up to a weight in bytes. What
// several ask for at once is loaded once.
type cache[K comparable, V any] struct {
	room   int64
	weight func(V) int64

	mu      sync.Mutex
	used    int64
	entries map[K]*list.Element
	order   list.List // of *cached, the last used first
	loading map[K]*load[V]
}

type cached[K comparable, V any] struct {
	key   K
	value V
}

type load[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func newCache[K comparable, V any](room int64, weight func(V) int64) *cache[K, V] {
	return &cache[K, V]{room: room, weight: weight, entries: map[K]*list.Element{}, loading: map[K]*load[V]{}}
}

// get is what is kept, or what fetch returns. Who waits for another's fetch that fails
// because the other gave up fetches by itself.
func (c *cache[K, V]) get(ctx context.Context, k K, fetch func() (V, error)) (V, error) {
	for {
		c.mu.Lock()
		if e, is := c.entries[k]; is {
			c.order.MoveToFront(e)
			c.mu.Unlock()
			return e.Value.(*cached[K, V]).value, nil
		}
		l, is := c.loading[k]
		if !is {
			break
		}
		c.mu.Unlock()
		select {
		case <-l.done:
		case <-ctx.Done():
			var none V
			return none, ctx.Err()
		}
		if l.err == nil {
			return l.value, nil
		}
	}
	l := &load[V]{done: make(chan struct{})}
	c.loading[k] = l
	c.mu.Unlock()
	l.value, l.err = fetch()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loading, k)
	close(l.done)
	if l.err == nil {
		c.keep(k, l.value)
	}
	return l.value, l.err
}

func (c *cache[K, V]) keep(k K, v V) {
	c.entries[k] = c.order.PushFront(&cached[K, V]{k, v})
	c.used += c.weight(v)
	for c.used > c.room && c.order.Len() > 0 {
		e := c.order.Remove(c.order.Back()).(*cached[K, V])
		delete(c.entries, e.key)
		c.used -= c.weight(e.value)
	}
}
