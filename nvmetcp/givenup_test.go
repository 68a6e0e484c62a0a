package nvmetcp

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
)

// stuck is a backend that does not answer until it is let go.
type stuck struct {
	*memory
	let chan struct{}
}

func (s stuck) ReadAt(p []byte, off int64) (int, error) {
	<-s.let
	return s.memory.ReadAt(p, off)
}

// TestGivenUp: a command that is given up leaves its buffer alone, and its place is
// used again.
func TestGivenUp(t *testing.T) {
	dsk, m := disk(1 << 20)
	copy(m.data, random(1<<20))
	s := stuck{m, make(chan struct{})}
	dsk.Namespace.Backend = s
	h := connect(t, serve(t, &Target{Connect: dsk.Connect}), HostOptions{Depth: 2})
	d := open(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	p := make([]byte, 8192)
	for range 2 {
		if err := d.ReadAt(ctx, p, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	close(s.let)
	q := make([]byte, 8192)
	for range 10 {
		if err := d.ReadAt(t.Context(), q, 4096); err != nil || !bytes.Equal(q, m.data[4096:4096+8192]) {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(p, make([]byte, 8192)) {
		t.Error("data went to who had given up")
	}
}

// slow is a stuck backend whose writes do not end either, until the host has left.
type slow struct {
	*memory
	left chan struct{}
}

func (s slow) WriteAt(p []byte, off int64) (int, error) {
	<-s.left
	return len(p), nil
}

// TestLeft: that a host has gone is told although commands of its are stuck.
func TestLeft(t *testing.T) {
	dsk, m := disk(1 << 20)
	s := slow{m, make(chan struct{})}
	dsk.Namespace.Backend = s
	addr := serve(t, &Target{Connect: func(x *Session) (Controller, error) {
		c, err := dsk.Connect(x)
		c.Left = func() { close(s.left) }
		return c, err
	}})
	h := connect(t, addr, HostOptions{})
	d := open(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := d.WriteAt(ctx, make([]byte, 4096), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	h.Close()
	select {
	case <-s.left:
	case <-time.After(time.Minute):
		t.Fatal("nobody is told that the host has left")
	}
}

// TestUnsent: a write that is given up while the target waits for its data ends the
// connection.
func TestUnsent(t *testing.T) {
	dsk, _ := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect, InCapsule: -1})
	h := connect(t, addr, HostOptions{})
	d := open(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for h.Err() == nil {
		if err := d.WriteAt(ctx, bytes.Repeat([]byte{1}, 4096), 0); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrLost) && err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(h.Err(), ErrLost) || !errors.Is(h.Err(), errUnsent) {
		t.Error(h.Err())
	}
	if d.WriteAt(t.Context(), make([]byte, 4096), 0) == nil {
		t.Error("the connection goes on")
	}
}
