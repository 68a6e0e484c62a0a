package nvmetcp

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// joined connects hosts to a target over pipes, so that what takes time can be tested in
// a bubble of synctest: no machine is too slow for that. It ends with the test.
func joined(t testing.TB, target *Target) func(context.Context, string) (net.Conn, error) {
	t.Cleanup(func() { target.Close() })
	return func(context.Context, string) (net.Conn, error) {
		a, b := net.Pipe()
		target.ServeConn(b)
		return a, nil
	}
}

// over is a raw host on a connection that is made so.
func over(t testing.TB, connect func(context.Context, string) (net.Conn, error)) *raw {
	nc, _ := connect(t.Context(), "")
	t.Cleanup(func() { nc.Close() })
	return &raw{t, newWire(nc, 10*time.Second)}
}

// TestSlow: who is slow is disconnected, and who is idle is not.
func TestSlow(t *testing.T) {
	const patience = 100 * time.Millisecond
	for name, slow := range map[string]func(t *testing.T, host, queue func() *raw) *raw{
		"says nothing":     func(_ *testing.T, host, _ func() *raw) *raw { return host() },
		"does not connect": func(_ *testing.T, host, _ func() *raw) *raw { return host().hello() },
		"stops within a header": func(_ *testing.T, _, queue func() *raw) *raw {
			r := queue()
			r.nc.Write([]byte{4, 0, 72})
			return r
		},
		"stops within data": func(_ *testing.T, _, queue func() *raw) *raw {
			r := queue()
			r.nc.Write(bytesOf(capsuleCmd, 0, 72, 72, 72+4096, make([]byte, 64+100)))
			return r
		},
		"does not read": func(_ *testing.T, _, queue func() *raw) *raw {
			r := queue()
			read := newCommand(opRead)
			read.put(1, 1)
			read.put(12, 255)
			read.sgl(sglTransport, 1<<20)
			r.send(capsuleCmd, 0, read, nil) // a single one: who waits for a mutex is not at rest in a bubble
			time.Sleep(3 * patience)
			return r
		},
		"is idle": func(_ *testing.T, _, queue func() *raw) *raw {
			r := queue()
			time.Sleep(3 * patience)
			r.send(capsuleCmd, 0, newCommand(opFlush), nil)
			r.completion()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dsk, _ := disk(1 << 20)
				connect := joined(t, &Target{Connect: dsk.Connect, Patience: patience})
				host := func() *raw { return over(t, connect) }
				r := slow(t, host, func() *raw {
					id := host().hello().connected(0, anyController)
					r := host().hello()
					r.connected(1, id)
					return r
				})
				if r == nil {
					return
				}
				start := time.Now()
				r.nc.SetReadDeadline(start.Add(10 * time.Second))
				if n, err := io.Copy(io.Discard, r.nc); err != nil || time.Since(start) > patience {
					t.Errorf("it is still connected after %v, and %d bytes: %v", time.Since(start), n, err)
				}
			})
		})
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// TestSilence: a host that is not heard when it has promised to be is disconnected,
// and one whose target is silent finds out.
func TestSilence(t *testing.T) {
	const promised = 100 * time.Millisecond
	t.Run("host", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dsk, _ := disk(1 << 20)
			r := over(t, joined(t, &Target{Connect: dsk.Connect})).hello()
			c, data := connectCommand(0, anyController)
			c.put(12, uint32(promised/time.Millisecond))
			r.send(capsuleCmd, 0, c, data)
			r.completion()
			for range 5 {
				time.Sleep(promised / 2)
				r.send(capsuleCmd, 0, newCommand(opKeepAlive), nil)
				r.completion()
			}
			var p pdu
			start := time.Now()
			if err := r.read(&p); err != io.EOF || time.Since(start) < promised {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
	})
	t.Run("target", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dsk, _ := disk(1 << 20)
			dial := joined(t, &Target{Connect: dsk.Connect})
			h := connect(t, "", HostOptions{KeepAlive: promised, Dial: silentAfter(dial, 6*promised)})
			start := time.Now()
			<-h.Lost()
			if took := time.Since(start); took < 6*promised || took > 8*promised {
				t.Errorf("it finds out after %v", took)
			}
			if d := (&Device{h: h, BlockSize: 4096, Size: 4096}); !errors.Is(h.Err(), ErrLost) || !errors.Is(d.Flush(t.Context()), ErrLost) {
				t.Errorf("%v", h.Err())
			}
		})
	})
}

// silentAfter dials connections on which the target falls silent a while after they
// were made.
func silentAfter(dial func(context.Context, string) (net.Conn, error), while time.Duration) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		nc, err := dial(ctx, addr)
		if err != nil {
			return nil, err
		}
		return &silent{Conn: nc, from: time.Now().Add(while), end: make(chan struct{})}, nil
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
