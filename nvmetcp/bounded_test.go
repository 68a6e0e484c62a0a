package nvmetcp

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hoard is a backend that counts what it is given at a time, and answers nothing
// until it is let go.
type hoard struct {
	held, most atomic.Int64
	let        chan struct{}
}

func (h *hoard) take(n int) (int, error) {
	for held := h.held.Add(int64(n)); ; {
		most := h.most.Load()
		if held <= most || h.most.CompareAndSwap(most, held) {
			break
		}
	}
	<-h.let
	h.held.Add(-int64(n))
	return n, nil
}

func (h *hoard) ReadAt(p []byte, _ int64) (int, error)  { return h.take(len(p)) }
func (h *hoard) WriteAt(p []byte, _ int64) (int, error) { return h.take(len(p)) }

// TestBounded: however much a host asks for at a time, a queue holds no more data than
// its windows have room for, all of it comes to an end, and small commands are among it.
func TestBounded(t *testing.T) {
	for _, c := range []struct {
		name  string
		t     *Target
		write bool
	}{
		{"reads", &Target{}, false},
		{"writes in capsules", &Target{}, true},
		{"writes that are asked for", &Target{InCapsule: -1, AskFor: 256 << 10}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &hoard{let: make(chan struct{})}
			dsk, _ := disk(4096)
			dsk.Namespace.Size, dsk.Namespace.Backend = 1<<30, b
			c.t.Connect = dsk.Connect
			h := connect(t, serve(t, c.t), HostOptions{Depth: 100})
			d := open(t, h)
			var all sync.WaitGroup
			for i := range 60 {
				all.Go(func() {
					p, do := make([]byte, 1<<20), d.ReadAt
					if i%3 == 0 {
						p = p[:4096]
					}
					if c.write {
						do = d.WriteAt
					}
					if err := do(t.Context(), p, int64(i)<<20); err != nil {
						t.Error(err)
					}
				})
			}
			// It has what it can have once that does not grow any more.
			for most := int64(-1); most != b.most.Load() || most < windowFor/2; time.Sleep(50 * time.Millisecond) {
				most = b.most.Load()
			}
			if got := b.most.Load(); got > windowFor {
				t.Errorf("%d bytes are held at a time, and %d is what there may be", got, windowFor)
			}
			close(b.let)
			all.Wait()
			if got := b.most.Load(); got > windowFor || b.held.Load() != 0 {
				t.Errorf("%d bytes were held at a time, and %d at the end", got, b.held.Load())
			}
		})
	}
}
