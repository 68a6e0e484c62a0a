package sweep

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
)

const (
	hostNQN = "nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001"
	think   = 40 * time.Millisecond
	// again is how long a host without any path waits before it looks for one.
	again = 25 * time.Millisecond
	// patience is how long a host may have to wait for one I/O.
	patience = 60 * time.Second
)

// host uses a volume, as a machine with a path to every node does that never
// gives up a path. It writes block after block, each time something new, and
// reads back what was acknowledged.
type host struct {
	w        *world
	volume   string
	id       lineage.Volume
	spans    []span // what of its disk is where
	reads    bool   // never writes
	discards bool   // what it has written, before it writes there again
	second   *host  // is written to after this one, by the same machine
	first    *host  // of which this is the second
	nqn      string
	paths    []*sim.Conn // by node
	disk     *disk       // by all paths at once; nil: whichever path there is is tried
	side     bool        // one of several that share the volume, by one node each
	node     int         // that it reaches it by
	base     int         // the first block that it writes to
	count    int         // how many these are
	think    time.Duration
	cancel   context.CancelFunc
	done     chan struct{}
	longest  time.Duration

	mu      sync.Mutex
	leaving bool
	acked   [blocks]uint32 // the last write of each block that was acknowledged; 0 for none
	under   [blocks]uint32 // the one under way
	begun   uint32         // the last write, acknowledged or not
	err     error
}

// newHost lets a host begin to use a volume.
func (w *world) newHost(volume string, reads bool) (*host, error) {
	h, err := w.idle(volume, reads)
	if err == nil {
		h.begin()
	}
	return h, err
}

// newPair lets a host begin to use two volumes.
func (w *world) newPair(first, second string) (a, b *host, err error) {
	if a, err = w.idle(first, false); err != nil {
		return nil, nil, err
	}
	if b, err = w.idle(second, false); err != nil {
		return nil, nil, err
	}
	a.second, b.first = b, a
	a.begin()
	return a, b, nil
}

func (w *world) idle(volume string, reads bool) (*host, error) {
	h := &host{w: w, volume: volume, reads: reads, count: blocks, think: think, paths: make([]*sim.Conn, len(nodes)), done: make(chan struct{})}
	var err error
	h.id, err = w.incarnation(volume)
	h.spans = spans(w.sc.first(), h.id)
	h.nqn = string(lineage.Cluster("lab").ExportNQN(h.id))
	return h, err
}

func (h *host) begin() {
	h.w.mu.Lock()
	h.w.shared[h.volume] = append(h.w.shared[h.volume], h)
	h.w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go h.run(ctx)
}

// stop ends the host, whatever it waits for.
func (h *host) stop() error {
	if h.first != nil {
		h.first.stop()
	} else {
		h.cancel()
		<-h.done
	}
	h.close()
	return h.err
}

func (h *host) close() {
	if h.disk != nil {
		h.disk.close()
	}
	for _, p := range h.paths {
		if p != nil {
			p.Close()
		}
	}
}

// leave lets the host finish what it has begun.
func (h *host) leave() error {
	h.mu.Lock()
	h.leaving = true
	h.mu.Unlock()
	<-h.done
	return h.stop()
}

func (h *host) going(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ctx.Err() == nil && h.err == nil && !h.leaving
}

func (h *host) run(ctx context.Context) {
	defer close(h.done)
	if h.side {
		reads := make(chan struct{})
		go h.share(ctx, reads)
		defer func() { <-reads }()
	}
	r := rand.New(rand.NewPCG(1, 1))
	for n := uint32(1); h.going(ctx); n++ {
		for _, x := range []*host{h, h.second} {
			if x == nil {
				continue
			}
			if x.discards {
				x.fail(x.discard(ctx, int(n)%x.count, n))
			}
			if !x.reads {
				x.fail(x.write(ctx, int(n)%x.count, n))
			}
			x.fail(x.read(ctx, r.IntN(x.count)))
		}
		select {
		case <-ctx.Done():
		case <-time.After(h.think):
		}
	}
}

func (h *host) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.err == nil && !errors.Is(err, context.Canceled) {
		h.err = fmt.Errorf("host of %s: %w", h.volume, err)
		h.w.logf("%v", h.err)
	}
}

func (h *host) write(ctx context.Context, b int, n uint32) error {
	h.mu.Lock()
	h.under[b], h.begun = n, n
	h.mu.Unlock()
	p := block{h.volume[0], n, uint32(h.base + b)}.bytes()
	err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.WriteAt(ctx, p, offset(h.base+b)) })
	if err == nil {
		h.mu.Lock()
		h.acked[b] = n
		h.mu.Unlock()
		if h.side {
			err = h.w.acknowledged(h.volume, h.node)
		}
	}
	return err
}

func (h *host) read(ctx context.Context, b int) error {
	p := make([]byte, blockSize)
	if err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, p, offset(h.base+b)) }); err != nil {
		return err
	}
	return h.check(b, p)
}

// check compares what was read from a block with what was acknowledged.
func (h *host) check(b int, p []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	got, err := parseBlock(p)
	own := func(n uint32) block { return block{h.volume[0], n, uint32(h.base + b)} }
	if h.acked[b] == 0 || err == nil && (got == own(h.acked[b]) || got == own(h.under[b])) {
		return nil
	}
	return fmt.Errorf("block %d has %v (%v), not write %d", b, got, err, h.acked[b])
}

// io does one I/O by whatever path takes it.
func (h *host) io(ctx context.Context, f func(context.Context, *sim.Namespace) error) error {
	if h.side {
		return h.alone(ctx, f)
	}
	start := time.Now()
	most := patience
	if h.w.trouble != nil {
		most = max(most, h.w.sc.lasts()+h.w.trouble.lasts+patience/2) // what has its host waiting is over by then
		if h.w.trouble.asks {
			most += asks
		}
	}
	bounded, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	defer func() { h.longest = max(h.longest, time.Since(start)) }()
	for {
		if h.disk != nil {
			if ns := h.disk.namespace(); ns != nil {
				return f(bounded, ns)
			}
		}
		for i := range nodes {
			if h.disk != nil {
				break
			}
			ns := h.path(i)
			if ns == nil {
				continue
			}
			if err := f(bounded, ns); !errors.Is(err, sim.ErrPath) && bounded.Err() == nil {
				return err
			}
		}
		select {
		case <-bounded.Done():
			if ctx.Err() == nil {
				return fmt.Errorf("no answer for %v", most)
			}
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// reaches reports whether the host has its volume now, or in a moment.
func (h *host) reaches() bool {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	probe := &host{w: h.w, nqn: h.nqn, paths: make([]*sim.Conn, len(nodes))}
	defer probe.close()
	return probe.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, make([]byte, blockSize), 0) }) == nil
}

// path is the device by way of a node, nil when there is none.
func (h *host) path(i int) *sim.Namespace {
	if h.paths[i] == nil {
		conn, err := h.w.login(fmt.Sprintf("10.0.0.%d", i+1), h.nqn)
		if err != nil {
			return nil
		}
		conn.Multipath = true
		h.paths[i] = conn
	}
	ns, err := h.paths[i].Namespace(1)
	if err != nil {
		h.paths[i].Close()
		h.paths[i] = nil
		return nil
	}
	return ns
}

// sees makes sure that the host sees as much as is configured.
func (h *host) sees(cfg *schema.Config) error {
	for i := range nodes {
		ns := h.path(i)
		if ns == nil {
			continue
		}
		for _, v := range cfg.Volumes {
			if v.Name == h.volume && ns.Size() != v.Size {
				return fmt.Errorf("the host of %s sees %d of %d bytes", v.Name, ns.Size(), v.Size)
			}
		}
	}
	return nil
}

// wrote reports whether anything was acknowledged.
func (h *host) wrote() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acked != [blocks]uint32{}
}

// span is the number of the last write that was acknowledged, and of the last
// that was begun.
func (h *host) span() (acked, begun uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.acked {
		acked = max(acked, n)
	}
	return acked, h.begun
}

// has is what the volume has by what was acknowledged. Nothing is under way.
func (h *host) has() (c content) {
	for b, n := range h.acked {
		c[b] = block{h.volume[0], n, uint32(b)}
	}
	return c
}

// incarnation finds the volume that most heads are of.
func (w *world) incarnation(volume string) (id lineage.Volume, err error) {
	w.c.Look(func(v *sim.View) { id, err = incarnation(v.Lvols(), volume) })
	return id, err
}

func incarnation(lvols []sim.Stored, volume string) (id lineage.Volume, err error) {
	heads := map[lineage.Volume]int{}
	for _, l := range lvols {
		h, ok := head(l)
		if ok && h.Volume.Name != volume {
			h.Volume = h.Volume.Whole()
		}
		if ok && h.Volume.Name == volume {
			heads[h.Volume]++
			if heads[h.Volume] > heads[id] {
				id = h.Volume
			}
		}
	}
	if id.Name == "" {
		err = fmt.Errorf("there is no volume %s", volume)
	}
	return id, err
}
