package nvmetcp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testNQN  = "nqn.2026-01.org.example:disk"
	testHost = "nqn.2026-01.org.example:host"
)

// memory is a backend, with what was done to it.
type memory struct {
	mu    sync.Mutex
	data  []byte
	sizes []int // of writes
	syncs int
	fail  error
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return copy(p, m.data[off:]), m.fail
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sizes = append(m.sizes, len(p))
	return copy(m.data[off:], p), m.fail
}

func (m *memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.syncs++
	return nil
}

// locked changes or looks at it.
func (m *memory) locked(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// content is what it has.
func (m *memory) content() (data []byte) {
	m.locked(func() { data = bytes.Clone(m.data) })
	return data
}

// trimmed is one that discards and zeroes.
type trimmed struct{ *memory }

func (m trimmed) ZeroAt(off, n int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.data[off : off+n])
	return nil
}

func (m trimmed) DiscardAt(off, n int64) error { return m.ZeroAt(off, n) }

// serve serves a target on the loopback until the test ends, when nothing of it may be left.
func serve(t testing.TB, target *Target) string {
	t.Helper()
	before := runtime.NumGoroutine()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- target.Serve(l) }()
	t.Cleanup(func() {
		target.Close()
		if err := <-done; err != ErrTargetClosed {
			t.Errorf("Serve: %v", err)
		}
		for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				b := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
			}
		}
	})
	return l.Addr().String()
}

// disk is a disk in memory of that many bytes, with blocks of 4096.
func disk(size int) (*Disk, *memory) {
	m := &memory{data: make([]byte, size)}
	return &Disk{NQN: testNQN, Hosts: []string{testHost}, Namespace: Namespace{
		UUID: [16]byte{1, 2, 3, 15: 16}, BlockSize: 4096, Size: int64(size), Backend: m}}, m
}

func connect(t testing.TB, addr string, o HostOptions) *Host {
	t.Helper()
	o.HostNQN, o.Subsystem = testHost, testNQN
	h, err := Connect(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func open(t testing.TB, h *Host) *Device {
	t.Helper()
	d, err := h.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func random(n int) []byte {
	p := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(p)
	return p
}

// TestData: what is written is read, however it is carried.
func TestData(t *testing.T) {
	for _, c := range []struct {
		name string
		t    *Target
		h    HostOptions
		most int // bytes of the largest write that arrives
	}{
		{"whole clusters in a capsule", &Target{}, HostOptions{}, 1 << 20},
		{"clusters of 4 MiB", &Target{MaxTransfer: 4 << 20}, HostOptions{}, 1 << 20},
		{"asked for", &Target{InCapsule: -1}, HostOptions{}, 1 << 20},
		{"asked for in parts", &Target{InCapsule: -1, AskFor: 64 << 10}, HostOptions{}, 1 << 20},
		{"asked for in odd parts", &Target{InCapsule: 4096, AskFor: 12 << 10, MaxTransfer: 128 << 10}, HostOptions{Depth: 3}, 128 << 10},
		{"digests", &Target{}, HostOptions{HeaderDigest: true, DataDigest: true, Queues: 3}, 1 << 20},
		{"digests of what is asked for", &Target{InCapsule: -1, AskFor: 100 << 10}, HostOptions{HeaderDigest: true, DataDigest: true}, 1 << 20},
		{"one at a time", &Target{MaxTransfer: 8192, Depth: 2, Queues: 1}, HostOptions{Queues: 4}, 8192},
	} {
		t.Run(c.name, func(t *testing.T) {
			const size = 8 << 20
			dsk, m := disk(size)
			c.t.Connect = dsk.Connect
			h := connect(t, serve(t, c.t), c.h)
			d := open(t, h)
			if d.Size != size || d.BlockSize != 4096 || d.UUID != dsk.Namespace.UUID {
				t.Errorf("the host sees %d bytes, blocks of %d, %x", d.Size, d.BlockSize, d.UUID)
			}
			want := random(size)
			var all sync.WaitGroup
			for off := 0; off < size; off += 2 << 20 {
				all.Go(func() {
					for _, part := range [][2]int{{0, 1 << 20}, {1 << 20, 1<<20 + 4096}, {1<<20 + 4096, 2 << 20}} {
						if err := d.WriteAt(t.Context(), want[off+part[0]:off+part[1]], int64(off+part[0])); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if !bytes.Equal(m.content(), want) {
				t.Error("the backend does not have what was written")
			}
			most := 0
			m.locked(func() {
				for _, n := range m.sizes {
					most = max(most, n)
				}
			})
			if most != c.most {
				t.Errorf("the largest write was of %d bytes, want %d", most, c.most)
			}
			got := make([]byte, size)
			if err := d.ReadAt(t.Context(), got, 0); err != nil || !bytes.Equal(got, want) {
				t.Errorf("what is read is not what was written: %v", err)
			}
			if err := d.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			m.locked(func() {
				if m.syncs != 1 {
					t.Errorf("a flush was %d", m.syncs)
				}
			})
		})
	}
}

// TestZeroes: zeroes and discarded bytes are 0, whether the backend knows how or not.
func TestZeroes(t *testing.T) {
	for _, able := range []bool{false, true} {
		dsk, m := disk(4 << 20)
		if able {
			dsk.Namespace.Backend = trimmed{m}
		}
		copy(m.data, random(4<<20))
		want := m.content()
		d := open(t, connect(t, serve(t, &Target{Connect: dsk.Connect}), HostOptions{}))
		if err := d.Zero(t.Context(), 4096, 3<<20); err != nil {
			t.Fatal(err)
		}
		clear(want[4096 : 4096+3<<20])
		if err := d.Discard(t.Context(), 4<<20-8192, 4096); err != nil {
			t.Fatal(err)
		}
		if able {
			clear(want[4<<20-8192 : 4<<20-4096])
		}
		if !bytes.Equal(m.content(), want) {
			t.Errorf("able %v: it has other data", able)
		}
	}
}

// TestRefused: who is not listed is refused, and so is what does not exist.
func TestRefused(t *testing.T) {
	dsk, _ := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect})
	for _, c := range []struct {
		host, sub string
		want      Status
	}{
		{testHost + "2", testNQN, HostRefused},
		{testHost, testNQN + "2", ConnectParameters},
	} {
		_, err := Connect(t.Context(), addr, HostOptions{HostNQN: c.host, Subsystem: c.sub})
		if !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v", c.host, c.sub, err)
		}
	}
	h := connect(t, addr, HostOptions{})
	if _, err := h.Open(t.Context(), 2); !errors.Is(err, InvalidNamespace) {
		t.Errorf("namespace 2: %v", err)
	}
	if ids, err := h.Namespaces(t.Context()); err != nil || len(ids) != 1 || ids[0] != 1 {
		t.Errorf("namespaces: %v %v", ids, err)
	}
}

// TestWrong: commands that are wrong get a status, and the queue goes on.
func TestWrong(t *testing.T) {
	dsk, m := disk(1 << 20)
	h := connect(t, serve(t, &Target{Connect: dsk.Connect, MaxTransfer: 64 << 10}), HostOptions{})
	d := open(t, h)
	q := h.queues[0]
	cmd := func(op uint8, nsid uint32, lba uint64, blocks uint32) sqe {
		c := newCommand(op)
		c.put(1, nsid)
		c.put64(10, lba)
		c.put(12, blocks-1)
		return c
	}
	block := make([]byte, 4096)
	for _, c := range []struct {
		name       string
		c          sqe
		data, room []byte
		want       Status
	}{
		{"read beyond the end", cmd(opRead, 1, 256, 1), nil, block, OutOfRange},
		{"write beyond the end", cmd(opWrite, 1, 255, 2), make([]byte, 8192), nil, OutOfRange},
		{"an LBA that overflows", cmd(opRead, 1, 1<<64-1, 1), nil, block, OutOfRange},
		{"zeroes beyond the end", cmd(opWriteZeroes, 1, 200, 100), nil, nil, OutOfRange},
		{"no such namespace", cmd(opRead, 2, 0, 1), nil, block, InvalidNamespace},
		{"too little data", cmd(opWrite, 1, 0, 2), block, nil, InvalidSGLLength},
		{"too much data", cmd(opWrite, 1, 0, 1), make([]byte, 8192), nil, InvalidSGLLength},
		{"no room", cmd(opRead, 1, 0, 2), nil, block, InvalidSGLLength},
		{"more than a command moves", cmd(opRead, 1, 0, 17), nil, make([]byte, 17*4096), InvalidField},
		{"no such command", cmd(0x77, 1, 0, 1), nil, nil, InvalidOpcode},
		{"ranges that are not there", cmd(opDSM, 1, 3, 1), block[:16], nil, InvalidSGLLength},
		{"an admin command", cmd(opIdentify, 1, 0, 1), nil, block, InvalidOpcode},
		{"a compare that differs", cmd(opCompare, 1, 0, 1), bytes.Repeat([]byte{1}, 4096), nil, CompareFailure},
		{"a compare that does not", cmd(opCompare, 1, 0, 1), block, nil, 0},
	} {
		_, err := q.do(t.Context(), c.c, c.data, c.room)
		if c.want == 0 && err != nil || c.want != 0 && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for _, c := range []struct {
		name string
		c    sqe
		room int
		want Status
	}{
		{"a structure that there is not", func() sqe { c := newCommand(opIdentify); c.put(10, 0x44); return c }(), 4096, InvalidField},
		{"a log page that there is not", func() sqe { c := newCommand(opGetLogPage); c.put(10, 0x77|1023<<16); return c }(), 4096, InvalidLogPage},
		{"a log page of no ANA", func() sqe { c := newCommand(opGetLogPage); c.put(10, logANA|1023<<16); return c }(), 4096, InvalidLogPage},
		{"a log page of another length", func() sqe { c := newCommand(opGetLogPage); c.put(10, logErrors|7<<16); return c }(), 4096, InvalidField},
		{"a feature that there is not", func() sqe { c := newCommand(opSetFeatures); c.put(10, 0x55); return c }(), 0, InvalidField},
		{"nothing said of what is supported", func() sqe { c := newCommand(opSetFeatures); c.put(10, featBehavior); return c }(), 0, InvalidField},
		{"an admin opcode that there is not", newCommand(0x10), 0, InvalidOpcode},
	} {
		_, err := h.admin.do(t.Context(), c.c, nil, make([]byte, c.room))
		if !errors.Is(err, c.want) || !errors.As(err, new(Status)) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	m.locked(func() { m.fail = io.ErrUnexpectedEOF })
	if err := d.WriteAt(t.Context(), block, 0); !errors.Is(err, WriteFault) {
		t.Errorf("a write that the backend fails: %v", err)
	}
	m.locked(func() { m.fail = Status(InternalError) })
	if err := d.WriteAt(t.Context(), block, 0); !errors.Is(err, InternalError) {
		t.Errorf("a write that the backend fails with a status: %v", err)
	}
	m.locked(func() { m.fail = nil })
	if err := d.ReadAt(t.Context(), block, 100); !errors.Is(err, ErrRange) {
		t.Errorf("half a block: %v", err)
	}
	if err := d.ReadAt(t.Context(), block, 0); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// TestManyHosts: they come and go at the same time.
func TestManyHosts(t *testing.T) {
	dsk, _ := disk(8 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect, Connections: 200})
	var all sync.WaitGroup
	ids := sync.Map{}
	for i := range 40 {
		all.Go(func() {
			h, err := Connect(t.Context(), addr, HostOptions{HostNQN: testHost, Subsystem: testNQN, Queues: 3})
			if err != nil {
				t.Error(err)
				return
			}
			defer h.Close()
			if other, twice := ids.LoadOrStore(h.ID, i); twice {
				t.Errorf("hosts %v and %d have the same controller id %d", other, i, h.ID)
			}
			d, err := h.Open(t.Context(), 1)
			if err != nil {
				t.Error(err)
				return
			}
			want := []byte(strings.Repeat(fmt.Sprintf("%-16d", i), 512))
			got := make([]byte, len(want))
			for range 20 {
				if err := errors.Join(d.WriteAt(t.Context(), want, int64(i)*8192), d.ReadAt(t.Context(), got, int64(i)*8192)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("host %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestTooMany: a connection beyond the limit is closed, and another's end makes room.
func TestTooMany(t *testing.T) {
	dsk, _ := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect, Connections: 2})
	h := connect(t, addr, HostOptions{})
	if _, err := Connect(t.Context(), addr, HostOptions{HostNQN: testHost, Subsystem: testNQN}); err == nil {
		t.Fatal("a third connection was taken in")
	}
	h.Close()
	for {
		h, err := Connect(t.Context(), addr, HostOptions{HostNQN: testHost, Subsystem: testNQN})
		if err == nil {
			h.Close()
			return
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}
