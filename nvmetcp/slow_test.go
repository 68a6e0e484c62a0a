package nvmetcp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestSlow: who is slow is disconnected, and who is idle is not.
func TestSlow(t *testing.T) {
	dsk, _ := disk(1 << 20)
	const patience = 100 * time.Millisecond
	addr := serve(t, &Target{Connect: dsk.Connect, Patience: patience})
	ended := func(t *testing.T, r *raw) {
		t.Helper()
		start := time.Now()
		r.nc.SetReadDeadline(start.Add(10 * time.Second))
		if n, err := io.Copy(io.Discard, r.nc); err != nil && !errors.Is(err, net.ErrClosed) && isTimeout(err) {
			t.Errorf("it is still connected after %v, and %d bytes: %v", time.Since(start), n, err)
		}
	}
	t.Run("says nothing", func(t *testing.T) { ended(t, dial(t, addr)) })
	t.Run("does not connect", func(t *testing.T) { ended(t, dial(t, addr).hello()) })
	t.Run("stops within a header", func(t *testing.T) {
		r := ioQueue(t, addr)
		r.nc.Write([]byte{4, 0, 72})
		ended(t, r)
	})
	t.Run("stops within data", func(t *testing.T) {
		r := ioQueue(t, addr)
		r.nc.Write(bytesOf(capsuleCmd, 0, 72, 72, 72+4096, make([]byte, 64+100)))
		ended(t, r)
	})
	t.Run("does not read", func(t *testing.T) {
		r := ioQueue(t, addr)
		r.nc.(*net.TCPConn).SetReadBuffer(4096) // or the kernel takes it all
		read := newCommand(opRead)
		read.put(1, 1)
		read.put(12, 255)
		read.sgl(sglTransport, 1<<20)
		for i := range uint16(31) {
			binary.LittleEndian.PutUint16(read[2:], i)
			r.send(capsuleCmd, 0, read, nil)
		}
		time.Sleep(3 * patience)
		ended(t, r)
	})
	t.Run("is idle", func(t *testing.T) {
		r := ioQueue(t, addr)
		time.Sleep(3 * patience)
		r.send(capsuleCmd, 0, newCommand(opFlush), nil)
		r.completion()
	})
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// TestSilence: a host that is not heard when it has promised to be is disconnected,
// and one whose target is silent finds out.
func TestSilence(t *testing.T) {
	dsk, _ := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect})
	r := dial(t, addr).hello()
	c, data := connectCommand(0, anyController)
	c.put(12, 100)
	r.send(capsuleCmd, 0, c, data)
	r.completion()
	for range 5 {
		time.Sleep(50 * time.Millisecond)
		r.send(capsuleCmd, 0, newCommand(opKeepAlive), nil)
		r.completion()
	}
	var p pdu
	start := time.Now()
	if err := r.read(&p); err != io.EOF || time.Since(start) < 100*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(start), err)
	}

	h := connect(t, addr, HostOptions{KeepAlive: 100 * time.Millisecond, Dial: silentAfter(t, 600)})
	select {
	case <-h.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody notices that the target is silent")
	}
	if d := (&Device{h: h, BlockSize: 4096, Size: 4096}); !errors.Is(h.Err(), ErrLost) || !errors.Is(d.Flush(t.Context()), ErrLost) {
		t.Errorf("%v", h.Err())
	}
}

// silentAfter dials connections on which the target falls silent a while, in
// milliseconds, after they were made.
func silentAfter(t testing.TB, ms int) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return &silent{Conn: nc, from: time.Now().Add(time.Duration(ms) * time.Millisecond), end: make(chan struct{})}, nil
	}
}

// silent is a connection on which nothing arrives from some time on.
type silent struct {
	net.Conn
	from time.Time
	end  chan struct{}
}

func (s *silent) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == nil && time.Now().After(s.from) {
		<-s.end
		return 0, net.ErrClosed
	}
	return n, err
}

func (s *silent) Close() error {
	select {
	case <-s.end:
	default:
		close(s.end)
	}
	return s.Conn.Close()
}
