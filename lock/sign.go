package lock

import (
	"context"
	"time"

	"strata/lineage"
	"strata/spdk"
)

// sign is a sign of life on a node, which fails where another has it: the bdev grows by a
// MiB that it does not have.
type sign struct {
	node   lineage.Node
	holder lineage.UUID
	size   uint64 // MiB
	sent   time.Time
	req    *spdk.Req
}

func (m *mark) sign(node lineage.Node, holder lineage.UUID) sign {
	m.mu.Lock()
	m.sizes[node]++
	size, now := m.sizes[node], time.Now()
	m.signed[node] = now
	m.mu.Unlock()
	return sign{node, holder, size, now, spdk.NewReq(spdk.NullResize{Name: string(holder), MiB: size}, nil)}
}

// answered takes note of what came of a sign of life, and reports what check does.
func (m *mark) answered(ctx context.Context, s sign) (gone bool) {
	node, req, size, sent := s.node, s.req, s.size, s.sent
	if spdk.ClassOf(req.Err) == spdk.Invalid { // it is larger, from before
		b, err := m.targets[node].GetBdev(ctx, string(s.holder))
		if err != nil {
			return spdk.ClassOf(err) == spdk.NotFound
		}
		size = b.Size()>>20 + 1
		sent = time.Now()
		req.Err = m.targets[node].NullResize(ctx, string(s.holder), size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if req.Err == nil && m.notes[node] != "" {
		m.sizes[node] = max(m.sizes[node], size)
		if sent.After(m.alive[node]) {
			m.alive[node] = sent
		}
	}
	return spdk.ClassOf(req.Err) == spdk.NotFound
}

// beat gives a sign of life on a node. It reports what check does. With it goes out what
// else is to be asked.
func (m *mark) beat(ctx context.Context, node lineage.Node, holder lineage.UUID, with ...*spdk.Req) (gone bool) {
	s := m.sign(node, holder)
	_ = m.targets[node].Round(ctx, append([]*spdk.Req{s.req}, with...)...) // each request has its error
	return m.answered(ctx, s)
}

// Sign is a sign of life on a node for what a watch asks there anyway, and whom to tell
// when that was answered; nil where the watch has not the seat. Where none goes out for
// longer than a second the term sends one itself.
func (t *Term) Sign(node lineage.Node) (*spdk.Req, func(context.Context)) {
	if !t.has(node) {
		return nil, nil
	}
	s := t.sign(node, t.note.Holder)
	return s.req, func(ctx context.Context) {
		if t.answered(ctx, s) {
			t.gone(node)
		}
	}
}

// overdue are the nodes on which no sign of life went out for longer than a second.
func (m *mark) overdue() (nodes []lineage.Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := range m.notes {
		if time.Since(m.signed[n]) > checkEvery+checkEvery/10 {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
