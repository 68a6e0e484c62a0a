package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"strata/nvmetcp"
)

// sideHost is a host with a place in a network of its own and a path to each node. It
// writes blocks at random, reads them back, and reads those of another host. On an engine
// that does not answer it gives up soon, as hosts with several paths do, and looks for
// another, or the same.
type sideHost struct {
	*ledger
	name    string
	hostNQN string
	space   string
	nqn     string
	paths   []*Target
	other   *ledger

	mu      sync.RWMutex // held for writing while it is to be quiet
	conn    atomic.Pointer[sideConn]
	dialing sync.Mutex
	wrong   atomic.Pointer[error] // the first thing that it read and must not have
	stale   atomic.Int64          // reads of what had been written over before they began
	refused sync.Map              // why, by target
	stop    context.CancelFunc
	working sync.WaitGroup
}

// sideConn is a connection to an engine.
type sideConn struct {
	host   *nvmetcp.Host
	device *nvmetcp.Device
	by     string
}

const (
	// sideWorkers is how many commands a sideHost has under way.
	sideWorkers = 4
	// sidePatience is how long it waits for one.
	sidePatience = time.Second
)

// start has it write until end.
func (h *sideHost) start(seed uint64) {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	for i := range sideWorkers {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		h.working.Go(func() {
			for ctx.Err() == nil {
				h.mu.RLock()
				h.once(ctx, rnd)
				h.mu.RUnlock()
			}
		})
	}
}

// end ends it.
func (h *sideHost) end() {
	h.stop()
	h.working.Wait()
	h.close()
}

// close lets go of the engine.
func (h *sideHost) close() {
	if c := h.conn.Swap(nil); c != nil {
		c.host.Close()
	}
}

// once does one thing at random.
func (h *sideHost) once(ctx context.Context, rnd *rand.Rand) {
	c := h.connected(ctx)
	if c == nil {
		pause(ctx, 20*time.Millisecond)
		return
	}
	b := rnd.IntN(len(h.blocks))
	switch rnd.IntN(8) {
	case 0:
		h.readOwn(ctx, c, b)
	case 1:
		h.readOther(ctx, c, b)
	default:
		h.write(ctx, c, b)
	}
}

func (h *sideHost) write(ctx context.Context, c *sideConn, b int) {
	number, ok := h.begin(b, c.by)
	if !ok {
		return
	}
	begun := time.Now()
	err := h.do(ctx, c, func(ctx context.Context) error {
		return c.device.WriteAt(ctx, h.fill(b, number), h.offset+int64(b)*block)
	})
	switch {
	case err == nil:
		h.ledger.end(b, number, c.by, begun, done)
	case errors.Is(err, nvmetcp.Inaccessible):
		h.ledger.end(b, number, c.by, begun, refused)
	default:
		h.ledger.end(b, number, c.by, begun, unknown)
	}
}

func (h *sideHost) readOwn(ctx context.Context, c *sideConn, b int) {
	if !h.hold(b) {
		return
	}
	data := make([]byte, block)
	err := h.do(ctx, c, func(ctx context.Context) error { return c.device.ReadAt(ctx, data, h.offset+int64(b)*block) })
	defer h.leave(b) // once it is judged
	if err != nil {
		return
	}
	// What was overwritten an old engine reads from its own replica, if a host comes back
	// to it.
	if number, err := h.number(b, data); err == nil && number < h.acked(b) {
		h.stale.Add(1)
		return
	}
	h.found(h.judge(b, data))
}

func (h *sideHost) readOther(ctx context.Context, c *sideConn, b int) {
	data, least := make([]byte, block), h.other.acked(b)
	if h.do(ctx, c, func(ctx context.Context) error { return c.device.ReadAt(ctx, data, h.other.offset+int64(b)*block) }) != nil {
		return
	}
	switch number, err := h.other.number(b, data); {
	case err != nil:
		h.found(err)
	case number < least:
		h.stale.Add(1)
	}
}

// found takes note of what is wrong.
func (h *sideHost) found(err error) {
	if err != nil {
		err = fmt.Errorf("host %s reads: %w", h.name, err)
		h.wrong.CompareAndSwap(nil, &err)
	}
}

// do has a command done, and lets go of an engine that does not do it.
func (h *sideHost) do(ctx context.Context, c *sideConn, command func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, sidePatience)
	defer cancel()
	err := command(ctx)
	if err != nil && h.conn.CompareAndSwap(c, nil) {
		go c.host.Close()
	}
	return err
}

// connected is the connection that it has, or makes; nil when no path leads to an engine.
func (h *sideHost) connected(ctx context.Context) *sideConn {
	if c := h.conn.Load(); c != nil {
		return c
	}
	h.dialing.Lock()
	defer h.dialing.Unlock()
	if c := h.conn.Load(); c != nil {
		return c
	}
	found := make(chan *sideConn, len(h.paths))
	for _, x := range h.paths {
		go func() {
			c, err := h.connect(ctx, x)
			if err != nil {
				c = nil
				h.refused.Store(x.Name, err)
			}
			found <- c
		}()
	}
	for left := len(h.paths); left > 0; left-- {
		if c := <-found; c != nil {
			h.conn.Store(c)
			go func() { // those that are late are not needed
				for range left - 1 {
					if late := <-found; late != nil {
						late.host.Close()
					}
				}
			}()
			return c
		}
	}
	return nil
}

// connect connects to a node, if it serves.
func (h *sideHost) connect(ctx context.Context, x *Target) (*sideConn, error) {
	ctx, cancel := context.WithTimeout(ctx, sidePatience)
	defer cancel()
	host, err := nvmetcp.Connect(ctx, net.JoinHostPort(x.Address, x.Port), nvmetcp.HostOptions{HostNQN: h.hostNQN, Subsystem: h.nqn, Dial: dialIn(h.space)})
	if err != nil {
		return nil, err
	}
	device, err := open(ctx, host)
	if err != nil {
		go host.Close()
		return nil, err
	}
	return &sideConn{host, device, x.Name}, nil
}

// open opens the only namespace that is shown, if it is accessible.
func open(ctx context.Context, host *nvmetcp.Host) (*nvmetcp.Device, error) {
	shown, err := host.Namespaces(ctx)
	if err != nil {
		return nil, err
	}
	if len(shown) != 1 {
		return nil, wanted{shown, "one namespace"}
	}
	device, err := host.Open(ctx, shown[0])
	if err != nil {
		return nil, err
	}
	return device, device.ReadAt(ctx, make([]byte, block), 0)
}

// quiet has it do nothing while f runs.
func (h *sideHost) quiet(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// image reads the whole volume.
func (h *sideHost) image(t testing.TB) []byte {
	t.Helper()
	var image []byte
	h.eventually(t, "reads the volume", func(ctx context.Context, d *nvmetcp.Device) error {
		image = make([]byte, d.Size)
		return d.ReadAt(ctx, image, 0)
	})
	return image
}

// eventually has something done by an engine that it finds.
func (h *sideHost) eventually(t testing.TB, what string, f func(context.Context, *nvmetcp.Device) error) {
	t.Helper()
	Eventually(t, 20*time.Second, "host "+h.name+" "+what, func() error {
		c := h.connected(t.Context())
		if c == nil {
			err := errors.New("no path leads to an engine")
			h.refused.Range(func(_, why any) bool {
				err = errors.Join(err, why.(error))
				return true
			})
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return h.do(ctx, c, func(context.Context) error { return f(ctx, c.device) })
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// dialIn dials in a network namespace. Its thread comes back from there: what a thread has
// started that ends with it would end with it.
func dialIn(space string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (conn net.Conn, err error) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		here, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return nil, err
		}
		defer here.Close()
		there, err := os.Open(filepath.Join("/run/netns", space))
		if err != nil {
			return nil, err
		}
		defer there.Close()
		if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			return nil, err
		}
		defer func() {
			if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
				panic(err)
			}
		}()
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
}
