package sweep

import (
	"context"

	"strata/spdk/sim"
)

// discards is how many blocks a machine has that discards, behind those of all others.
const discards = 4

// newDiscarder lets a machine begin to use a volume that discards what it has written, now
// and then, in whole clusters and in parts of them, and writes there again.
func (w *world) newDiscarder(volume string) (*host, error) {
	h, err := w.idle(volume, false)
	if err != nil {
		return nil, err
	}
	h.discards = true
	h.base, h.count = 2*blocks, discards
	h.begin()
	return h, nil
}

// discard discards something about a block, turn by turn: its cluster, that and the next, or
// what is behind it in its cluster and at the beginning of the next. In the last it has what it
// had, in the others nobody knows what.
func (h *host) discard(ctx context.Context, b int, n uint32) error {
	at := offset(h.base+b) / cluster * cluster
	from, size := at, int64(cluster)
	switch n / discards % 4 {
	case 0:
		return nil
	case 1:
		size = 2 * cluster
	case 2:
		from = at + cluster/2
	}
	if from == at {
		h.mu.Lock()
		h.acked[b] = 0
		h.mu.Unlock()
	}
	return h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.Discard(ctx, from, size) })
}
