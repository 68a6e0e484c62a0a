package nvmetcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// raw is a host that says what it likes.
type raw struct {
	t testing.TB
	*wire
}

func dial(t testing.TB, addr string) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &raw{t, newWire(nc, time.Minute)}
}

// hello agrees on nothing special.
func (r *raw) hello() *raw {
	r.t.Helper()
	var p pdu
	if err := errors.Join(r.send(icReq, 0, nil, nil), r.read(&p)); err != nil || p.kind() != icResp {
		r.t.Fatalf("ICReq is answered by %d: %v", p.kind(), err)
	}
	return r
}

// command is the header of a CapsuleCmd behind the common one.
func connectCommand(qid uint16, cntlid uint16) (sqe, []byte) {
	c := newCommand(opFabrics)
	c[4] = fcConnect
	binary.LittleEndian.PutUint16(c[42:], qid)
	binary.LittleEndian.PutUint16(c[44:], 31)
	c.sgl(sglInCapsule, connectLen)
	d := connectData{[16]byte{1}, cntlid, testNQN, testHost}
	return c, d.encode()
}

// connected is a queue of a controller that is enabled.
func (r *raw) connected(qid, cntlid uint16) (id uint16) {
	r.t.Helper()
	c, data := connectCommand(qid, cntlid)
	r.send(capsuleCmd, 0, c, data)
	e := r.completion()
	if e.status != 0 {
		r.t.Fatal(e.status)
	}
	if qid == 0 {
		c := newCommand(opFabrics)
		c[4] = fcPropertySet
		c.put(11, propCC)
		c.put(12, 1)
		r.send(capsuleCmd, 0, c, nil)
		r.completion()
	}
	return uint16(e.result)
}

func (r *raw) completion() cqe {
	r.t.Helper()
	var p pdu
	if err := r.read(&p); err != nil || p.kind() != capsuleResp {
		r.t.Fatalf("a PDU of type %d comes instead of a completion: %v", p.kind(), err)
	}
	return decodeCQE(p.head[commonLen:])
}

// terminated expects a C2HTermReq of a status and a field, and the end.
func (r *raw) terminated(fes uint16, field uint32) {
	r.t.Helper()
	var p pdu
	for p.head[0] = byte(capsuleResp); p.kind() == capsuleResp; {
		if err := r.read(&p); err != nil {
			r.t.Fatalf("the connection ends without a word: %v", err)
		}
	}
	if p.kind() != c2hTermReq || p.u16(8) != fes || p.u32(10) != field {
		r.t.Errorf("a PDU of type %d, status %d at %d; want C2HTermReq %d at %d", p.kind(), p.u16(8), p.u32(10), fes, field)
		return
	}
	r.skip(&p)
	if err := r.read(&p); err != io.EOF {
		r.t.Errorf("and it goes on: %v", err)
	}
}

// bytesOf is a PDU with a common header of one's own.
func bytesOf(kind pduType, flags uint8, hlen, pdo int, plen uint32, rest []byte) []byte {
	b := []byte{byte(kind), flags, byte(hlen), byte(pdo), 0, 0, 0, 0}
	binary.LittleEndian.PutUint32(b[4:], plen)
	return append(b, rest...)
}

// TestBadPDUs: what cannot be understood ends the connection, with the reason.
func TestBadPDUs(t *testing.T) {
	dsk, _ := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect, MaxTransfer: 64 << 10, InCapsule: 16 << 10})
	data := func(c sqe, flags uint8, n int) []byte {
		return bytesOf(capsuleCmd, flags, cmdLen, cmdLen, uint32(cmdLen+n), append(bytes.Clone(c), make([]byte, n)...))
	}
	write := newCommand(opWrite)
	write.put(1, 1)
	read := newCommand(opRead)
	for _, c := range []struct {
		name  string
		bytes []byte
		fes   uint16
		field uint32
	}{
		{"no such type", bytesOf(8, 0, 24, 0, 24, make([]byte, 16)), fesHeaderField, 0},
		{"one that only targets send", bytesOf(capsuleResp, 0, 24, 0, 24, make([]byte, 16)), fesHeaderField, 0},
		{"another length of the header", bytesOf(capsuleCmd, 0, 71, 0, 72, make([]byte, 64)), fesHeaderField, 2},
		{"less than a header", bytesOf(capsuleCmd, 0, 72, 0, 40, make([]byte, 64)), fesHeaderField, 3},
		{"data within the header", bytesOf(capsuleCmd, 0, 72, 60, 100, make([]byte, 100)), fesHeaderField, 3},
		{"no data where it should be", bytesOf(capsuleCmd, 0, 72, 100, 80, make([]byte, 64)), fesHeaderField, 4},
		{"4 GiB of data", bytesOf(capsuleCmd, 0, 72, 72, 1<<32-1, make([]byte, 64)), fesHeaderField, 4},
		{"a digest that was not agreed on", bytesOf(capsuleCmd, flagHeaderDigest, 72, 0, 76, make([]byte, 68)), fesHeaderField, 1},
		{"a data digest that was not agreed on", data(write, flagDataDigest, 512), fesHeaderField, 1},
		{"more data than a capsule has", data(write, 0, 20<<10), fesDataLimit, 4},
		{"data that nobody asked for", bytesOf(h2cData, flagLast, 24, 24, 24+512, make([]byte, 16+512)), fesHeaderField, 10},
		{"a second ICReq", bytesOf(icReq, 0, 128, 0, 128, make([]byte, 120)), fesHeaderField, 0},
		{"a TermReq without an end", bytesOf(h2cTermReq, 0, 24, 0, 1<<20, make([]byte, 16)), fesHeaderField, 4},
		{"an R2T with data", bytesOf(r2tPDU, 0, 24, 24, 100, make([]byte, 92)), fesHeaderField, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := dial(t, addr).hello()
			qid, id := uint16(0), uint16(anyController)
			if c.fes == fesDataLimit { // admin queues have a limit of their own
				id = dialed(t, addr)
				qid = 1
			}
			r.connected(qid, id)
			r.t = t
			r.nc.Write(c.bytes)
			r.terminated(c.fes, c.field)
		})
	}
	t.Run("no ICReq", func(t *testing.T) {
		r := dial(t, addr)
		r.nc.Write(data(read, 0, 0))
		r.terminated(fesSequence, 0)
	})
	t.Run("another version", func(t *testing.T) {
		r := dial(t, addr)
		r.nc.Write(bytesOf(icReq, 0, 128, 0, 128, append([]byte{7}, make([]byte, 119)...)))
		r.terminated(fesUnsupported, 8)
	})
	t.Run("a command before Connect", func(t *testing.T) {
		r := dial(t, addr).hello()
		r.send(capsuleCmd, 0, read, nil)
		if e := r.completion(); e.status != SequenceError {
			t.Error(e.status)
		}
	})
	t.Run("an I/O queue of a controller that there is not", func(t *testing.T) {
		r := dial(t, addr).hello()
		c, data := connectCommand(1, 77)
		r.send(capsuleCmd, 0, c, data)
		if e := r.completion(); !errors.Is(e.status, ConnectParameters) || e.result != 16|1<<16 {
			t.Errorf("%v, result %#x", e.status, e.result)
		}
	})
}

// dialed is the controller of an admin queue that stays.
func dialed(t testing.TB, addr string) uint16 {
	return dial(t, addr).hello().connected(0, anyController)
}

// ioQueue is a raw I/O queue.
func ioQueue(t testing.TB, addr string) *raw {
	t.Helper()
	id := dialed(t, addr)
	r := dial(t, addr).hello()
	r.connected(1, id)
	return r
}

// TestAskedFor: of what is asked for, exactly that may be sent.
func TestAskedFor(t *testing.T) {
	dsk, m := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect, InCapsule: -1, AskFor: 8192, MaxTransfer: 64 << 10})
	write := newCommand(opWrite)
	write.put(1, 1)
	write.put(12, 3)
	write.sgl(sglTransport, 4*4096)
	begin := func(t *testing.T) (*raw, pdu) {
		r := ioQueue(t, addr)
		r.send(capsuleCmd, 0, write, nil)
		var p pdu
		if err := r.read(&p); err != nil || p.kind() != r2tPDU || p.u32(12) != 0 || p.u32(16) != 8192 {
			t.Fatalf("no R2T: type %d, %d bytes at %d, %v", p.kind(), p.u32(16), p.u32(12), err)
		}
		return r, p
	}
	part := func(p pdu, at, n uint32) []byte {
		var b [16]byte
		copy(b[:4], p.head[8:12])
		binary.LittleEndian.PutUint32(b[4:], at)
		binary.LittleEndian.PutUint32(b[8:], n)
		return b[:]
	}
	for _, c := range []struct {
		name       string
		at, n      uint32
		len        int
		flags      uint8
		fes        uint16
		field      uint32
		anotherTag bool
	}{
		{"beyond", 0, 8192 + 512, 8192 + 512, flagLast, fesDataRange, 12, false},
		{"elsewhere", 4096, 4096, 4096, flagLast, fesDataRange, 12, false},
		{"another length", 0, 4096, 8192, 0, fesHeaderField, 16, false},
		{"no last", 0, 8192, 8192, 0, fesHeaderField, 1, false},
		{"last too early", 0, 4096, 4096, flagLast, fesHeaderField, 1, false},
		{"of another tag", 0, 8192, 8192, flagLast, fesHeaderField, 10, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, p := begin(t)
			if c.anotherTag {
				p.head[10]++
			}
			r.send(h2cData, c.flags, part(p, c.at, c.n), make([]byte, c.len))
			r.terminated(c.fes, c.field)
		})
	}
	t.Run("right", func(t *testing.T) {
		r, p := begin(t)
		want := random(4 * 4096)
		r.send(h2cData, 0, part(p, 0, 4096), want[:4096])
		r.send(h2cData, flagLast, part(p, 4096, 4096), want[4096:8192])
		if err := r.read(&p); err != nil || p.kind() != r2tPDU || p.u32(12) != 8192 {
			t.Fatalf("no second R2T: %v", err)
		}
		r.send(h2cData, flagLast, part(p, 8192, 8192), want[8192:])
		if e := r.completion(); e.status != 0 || !bytes.Equal(m.content()[:4*4096], want) {
			t.Errorf("%v", e.status)
		}
	})
}

// TestDigests: damaged data fails its command, and a damaged header the connection.
func TestDigests(t *testing.T) {
	dsk, m := disk(1 << 20)
	addr := serve(t, &Target{Connect: dsk.Connect})
	digests := func(t *testing.T) *raw {
		id := dialed(t, addr)
		r := dial(t, addr)
		var p pdu
		if err := errors.Join(r.send(icReq, 0, []byte{0, 0, 0, 3}, nil), r.read(&p)); err != nil || p.head[11] != 3 {
			t.Fatalf("digests are not agreed on: %v", err)
		}
		r.hdgst, r.ddgst = true, true
		r.connected(1, id)
		return r
	}
	write := newCommand(opWrite)
	write.put(1, 1)
	write.sgl(sglInCapsule, 4096)
	block := bytes.Repeat([]byte{7}, 4096)
	for at, name := range map[int]string{20: "header", 1000: "data"} {
		t.Run(name, func(t *testing.T) {
			r := digests(t)
			bend := &bent{Conn: r.nc, at: at}
			r.nc = bend
			r.send(capsuleCmd, 0, write, block)
			if name == "header" {
				var p pdu
				if err := r.read(&p); err != nil || p.kind() != c2hTermReq || p.u16(8) != fesHeaderDigest {
					t.Errorf("type %d, status %d: %v", p.kind(), p.u16(8), err)
				}
				return
			}
			if e := r.completion(); e.status != TransientTransport {
				t.Error(e.status)
			}
			if !bytes.Equal(m.content()[:4096], make([]byte, 4096)) {
				t.Error("damaged data was written")
			}
			r.send(capsuleCmd, 0, write, block)
			if e := r.completion(); e.status != 0 || !bytes.Equal(m.content()[:4096], block) {
				t.Errorf("the next: %v", e.status)
			}
		})
	}
}

// bent damages one byte that is written.
type bent struct {
	net.Conn
	at int
}

func (b *bent) Write(p []byte) (int, error) {
	if b.at >= 0 && b.at < len(p) {
		p = bytes.Clone(p)
		p[b.at] ^= 1
	}
	b.at -= len(p)
	return b.Conn.Write(p)
}

// TestTwice: no two commands have one id, but that of an event request is given up
// by who uses it again.
func TestTwice(t *testing.T) {
	dsk, m := disk(1 << 20)
	s := stuck{m, make(chan struct{})}
	dsk.Namespace.Backend = s
	addr := serve(t, &Target{Connect: dsk.Connect})
	defer close(s.let)
	r := ioQueue(t, addr)
	read := newCommand(opRead)
	read.put(1, 1)
	read.sgl(sglTransport, 4096)
	r.send(capsuleCmd, 0, read, nil)
	r.send(capsuleCmd, 0, read, nil)
	r.terminated(fesHeaderField, commonLen+2)

	r = dial(t, addr).hello()
	r.connected(0, anyController)
	for range 3 {
		r.send(capsuleCmd, 0, newCommand(opAsyncEvent), nil)
	}
	r.send(capsuleCmd, 0, newCommand(opKeepAlive), nil)
	if e := r.completion(); e.status != 0 || e.id != 0 {
		t.Errorf("a command with the id of an event request: %v", e)
	}
}

// TestRanges: of the ranges that are sent those count that the command says, as
// Linux has it, which sends a whole page.
func TestRanges(t *testing.T) {
	dsk, m := disk(1 << 20)
	dsk.Namespace.Backend = trimmed{m}
	copy(m.data, bytes.Repeat([]byte{1}, 1<<20))
	r := ioQueue(t, serve(t, &Target{Connect: dsk.Connect}))
	dsm := newCommand(opDSM)
	dsm.put(1, 1)
	dsm.put(10, 1) // two
	dsm.put(11, 1<<2)
	page := make([]byte, 4096)
	for i := range 3 {
		binary.LittleEndian.PutUint32(page[16*i+4:], 1)
		binary.LittleEndian.PutUint64(page[16*i+8:], uint64(10*i))
	}
	dsm.sgl(sglInCapsule, len(page))
	r.send(capsuleCmd, 0, dsm, page)
	if e := r.completion(); e.status != 0 {
		t.Fatal(e.status)
	}
	for i, want := range []byte{0, 0, 1} {
		if got := m.content()[10*i*4096]; got != want {
			t.Errorf("range %d: %d", i, got)
		}
	}
}
