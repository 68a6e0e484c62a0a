package nvmetcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// recorder keeps what is sent and received.
type recorder struct {
	net.Conn
	mu      sync.Mutex
	in, out bytes.Buffer
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in.Write(p[:n])
	return n, err
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.out.Write(p)
	r.mu.Unlock()
	return r.Conn.Write(p)
}

// conversation has a host do some of everything, and returns what each of its
// connections has sent and received.
func conversation(t testing.TB, target *Target, o HostOptions) (sent, received [][]byte) {
	dsk, _ := disk(64 << 10)
	target.Connect = dsk.Connect
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go target.Serve(l)
	defer target.Close()
	addr := l.Addr().String()
	var all []*recorder
	o.HostNQN, o.Subsystem, o.HostID = testHost, testNQN, [16]byte{1}
	o.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
		nc, err := net.Dial("tcp", addr)
		r := &recorder{Conn: nc}
		all = append(all, r)
		return r, err
	}
	h, err := Connect(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := random(16 << 10)
	for _, err := range []error{d.WriteAt(t.Context(), p, 4096), d.ReadAt(t.Context(), p[:8192], 0),
		d.Zero(t.Context(), 0, 8192), d.Discard(t.Context(), 0, 4096), d.Flush(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h.Close()
	for _, r := range all {
		sent, received = append(sent, r.out.Bytes()), append(received, r.in.Bytes())
	}
	return sent, received
}

func seeds(t testing.TB) (sent, received [][]byte) {
	for _, c := range []struct {
		t *Target
		h HostOptions
	}{
		{&Target{}, HostOptions{Depth: 4}},
		{&Target{InCapsule: -1, AskFor: 4096}, HostOptions{Depth: 4}},
		{&Target{InCapsule: 8192}, HostOptions{Depth: 4, HeaderDigest: true, DataDigest: true}},
	} {
		s, r := conversation(t, c.t, c.h)
		sent, received = append(sent, s...), append(received, r...)
	}
	return sent, received
}

// FuzzTarget: whatever a host sends, a target neither panics nor stays, and writes
// only where the namespace is. With io it comes on an I/O queue that is connected.
func FuzzTarget(f *testing.F) {
	sent, _ := seeds(f)
	for _, s := range sent {
		f.Add(false, s)
		if len(s) > 2*icLen {
			f.Add(true, s[icLen:])
		}
	}
	f.Fuzz(func(t *testing.T, onIO bool, data []byte) {
		dsk, m := disk(64 << 10)
		dsk.Namespace.Backend = trimmed{m}
		target := &Target{Connect: dsk.Connect, Patience: 2 * time.Second, InCapsule: 8192, MaxTransfer: 16 << 10}
		host := func(qid, id uint16) (*raw, uint16) {
			a, b := net.Pipe()
			target.ServeConn(b)
			r := (&raw{t, newWire(a, 5*time.Second)}).hello()
			return r, r.connected(qid, id)
		}
		var nc net.Conn
		if onIO {
			admin, id := host(0, anyController)
			defer admin.nc.Close()
			r, _ := host(1, id)
			nc = r.nc
		} else {
			a, b := net.Pipe()
			target.ServeConn(b)
			nc = a
		}
		go io.Copy(io.Discard, nc)
		nc.SetWriteDeadline(time.Now().Add(5 * time.Second))
		nc.Write(data)
		nc.Close()
		done := make(chan struct{})
		go func() { target.Close(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("the target does not end")
		}
		if len(m.data) != 64<<10 {
			t.Fatal("the disk has another size")
		}
	})
}

// FuzzHost: whatever a target sends, a host neither panics nor waits for ever.
func FuzzHost(f *testing.F) {
	_, received := seeds(f)
	for i := 0; i+1 < len(received); i += 2 {
		f.Add(received[i], received[i+1])
		f.Add(received[i], received[i])
	}
	f.Fuzz(func(t *testing.T, admin, ioq []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		answers := [][]byte{admin, ioq}
		var ends sync.WaitGroup
		defer ends.Wait()
		h, err := Connect(ctx, "x", HostOptions{HostNQN: testHost, Subsystem: testNQN, Depth: 4, HostID: [16]byte{1}, HeaderDigest: len(admin) > 11 && admin[11]&1 == 1,
			DataDigest: len(admin) > 11 && admin[11]&2 == 2, Patience: time.Second,
			Dial: func(context.Context, string) (net.Conn, error) {
				if len(answers) == 0 {
					return nil, io.EOF
				}
				a, b := net.Pipe()
				say := answers[0]
				answers = answers[1:]
				heard := make(chan struct{}, 64)
				ends.Go(func() {
					for p := make([]byte, 64<<10); ; {
						if _, err := b.Read(p); err != nil {
							return
						}
						select {
						case heard <- struct{}{}:
						default:
						}
					}
				})
				ends.Go(func() {
					speak(b, say, heard)
					b.Close()
				})
				return a, nil
			}})
		if err != nil {
			return
		}
		defer h.Close()
		if d, err := h.Open(ctx, 1); err == nil {
			p := make([]byte, 16<<10)
			d.WriteAt(ctx, p, 4096)
			d.ReadAt(ctx, p, 0)
			d.Flush(ctx)
		}
	})
}

// speak sends PDUs one at a time, each once something was heard, or after a while: so
// most come after the command they answer.
func speak(nc net.Conn, all []byte, heard chan struct{}) {
	nc.SetWriteDeadline(time.Now().Add(2 * time.Second))
	for len(all) > 0 {
		select {
		case <-heard:
		case <-time.After(5 * time.Millisecond):
		}
		n := len(all)
		if n > 8 {
			n = int(min(max(uint64(binary.LittleEndian.Uint32(all[4:])), 8), uint64(n)))
		}
		if _, err := nc.Write(all[:n]); err != nil {
			return
		}
		all = all[n:]
	}
	for range 4 { // the host may be busy on another queue
		select {
		case <-heard:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
