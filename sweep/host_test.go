package sweep

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"strata/lineage"
	"strata/spdk/sim"
)

const (
	hostNQN   = "nqn.2014-08.org.nvmexpress:uuid:6a9f1e1c-0000-4000-8000-000000000001"
	blockSize = 512
	blocks    = 12
	think     = 40 * time.Millisecond
	// attempt is how long a host tries one path before it tries the next.
	attempt = 250 * time.Millisecond
	// patience is how long a host may have to wait for one I/O.
	patience = 60 * time.Second
)

// host uses a volume, as a machine with a path to every node does that never
// gives up a path. It writes block after block, each time something new, and
// reads back what was acknowledged.
type host struct {
	w       *world
	volume  string
	reads   bool // never writes
	nqn     string
	paths   []*sim.Conn // by node
	cancel  context.CancelFunc
	done    chan struct{}
	longest time.Duration

	mu    sync.Mutex
	acked [blocks]uint32 // the last write of each block that was acknowledged; 0 for none
	under [blocks]uint32 // the one under way
	err   error
}

func (w *world) newHost(volume string, reads bool) (*host, error) {
	h := &host{w: w, volume: volume, reads: reads, paths: make([]*sim.Conn, len(nodes)), done: make(chan struct{})}
	var err error
	if h.nqn, err = w.exportOf(volume); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go h.run(ctx)
	return h, nil
}

func (h *host) stop() error {
	h.cancel()
	<-h.done
	for _, p := range h.paths {
		if p != nil {
			p.Close()
		}
	}
	return h.err
}

func (h *host) run(ctx context.Context) {
	defer close(h.done)
	r := rand.New(rand.NewPCG(1, 1))
	for n := uint32(1); ctx.Err() == nil && h.err == nil; n++ {
		b := int(n) % blocks
		if !h.reads {
			h.fail(h.write(ctx, b, n))
		}
		h.fail(h.read(ctx, r.IntN(blocks)))
		select {
		case <-ctx.Done():
		case <-time.After(think):
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

// content is what the nth write puts into a block.
func (h *host) content(b int, n uint32) []byte {
	p := bytes.Repeat([]byte(h.volume[:1]), blockSize)
	binary.LittleEndian.PutUint32(p, n)
	binary.LittleEndian.PutUint32(p[4:], uint32(b))
	return p
}

// offset spreads the blocks over the first clusters of the volume.
func offset(b int) int64 { return int64(b)*(1<<20)/4 + int64(b)*blockSize }

func (h *host) write(ctx context.Context, b int, n uint32) error {
	h.mu.Lock()
	h.under[b] = n
	h.mu.Unlock()
	p := h.content(b, n)
	err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.WriteAt(ctx, p, offset(b)) })
	if err == nil {
		h.mu.Lock()
		h.acked[b] = n
		h.mu.Unlock()
	}
	return err
}

func (h *host) read(ctx context.Context, b int) error {
	p := make([]byte, blockSize)
	if err := h.io(ctx, func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, p, offset(b)) }); err != nil {
		return err
	}
	return h.check(b, p)
}

// check compares what was read from a block with what was acknowledged.
func (h *host) check(b int, p []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.acked[b] == 0 || bytes.Equal(p, h.content(b, h.acked[b])) || bytes.Equal(p, h.content(b, h.under[b])) {
		return nil
	}
	return fmt.Errorf("block %d has write %d of block %d, not write %d", b, binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:]), h.acked[b])
}

// io does one I/O by whatever path takes it.
func (h *host) io(ctx context.Context, f func(context.Context, *sim.Namespace) error) error {
	start := time.Now()
	for i := 0; ; i++ {
		ns := h.path(i % len(nodes))
		if ns != nil {
			try, cancel := context.WithTimeout(ctx, attempt)
			err := f(try, ns)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				h.longest = max(h.longest, time.Since(start))
				return err
			}
		} else if i%len(nodes) == len(nodes)-1 {
			select {
			case <-ctx.Done():
			case <-time.After(attempt / 10):
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(start) > patience {
			h.longest = time.Since(start)
			return fmt.Errorf("no answer for %v", time.Since(start))
		}
	}
}

// path is the device by way of a node, nil when there is none.
func (h *host) path(i int) *sim.Namespace {
	if h.paths[i] == nil {
		conn, err := h.w.c.Host(hostNQN).Connect(fmt.Sprintf("10.0.0.%d", i+1), "4420", h.nqn)
		if err != nil {
			return nil
		}
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

// wrote reports whether anything was acknowledged.
func (h *host) wrote() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.acked != [blocks]uint32{}
}

// exportOf finds the NQN of a volume's export by its heads.
func (w *world) exportOf(volume string) (nqn string, err error) {
	w.c.Look(func(v *sim.View) {
		for _, l := range v.Lvols() {
			if n, ok := lineage.Parse(lineage.LvolName(l.Name)); ok && n.Of().Name == volume {
				nqn = string(lineage.Cluster("lab").ExportNQN(n.Of()))
			}
		}
	})
	if nqn == "" {
		err = fmt.Errorf("there is no volume %s", volume)
	}
	return nqn, err
}
