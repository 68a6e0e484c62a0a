package nvmetcp

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// queue is a connection that a host has made, which is one queue of its.
type queue struct {
	t *Target
	w *wire

	maxR2T int // R2Ts that the host takes at a time

	s       *Session // once it is connected
	id      uint16
	guard   *guard
	entries int // of the submission queue
	noFlow  bool

	in     *window // data that came in capsules, and data that is to be read
	asked  *window // data that was asked for
	mu     sync.Mutex
	head   uint16
	active map[uint16]*command
	ttags  map[uint16]*command
	ttag   uint16
	gone   bool // nothing will come any more

	running sync.WaitGroup
	once    sync.Once
}

// command is one that is being carried out.
type command struct {
	q    *queue
	sqe  sqe
	data []byte // that came with it, or is still coming

	order   sync.Mutex
	asking  int // bytes asked for so far, received so far
	arrived int
	damaged bool          // a digest was wrong
	whole   chan struct{} // closed when all of data is here, or will not come
	let     bool          // it is closed
	parts   map[uint16]part
}

// part is what was asked for by one R2T.
type part struct{ at, end int }

// windowFor is how much memory a queue may have for each of its two windows.
const windowFor = 8 << 20

func newQueue(t *Target, nc net.Conn) *queue {
	if c, ok := nc.(interface{ SetKeepAlivePeriod(time.Duration) error }); ok {
		_ = c.SetKeepAlivePeriod(15 * time.Second)
	}
	size := max(windowFor, 2*t.maxTransfer())
	return &queue{
		t: t, w: newWire(nc, t.patience()), in: &window{free: size}, asked: &window{free: size},
		active: map[uint16]*command{}, ttags: map[uint16]*command{},
	}
}

// close ends the connection; what goes on ends by itself.
func (q *queue) close() {
	q.once.Do(func() {
		q.w.nc.Close()
		q.in.close()
		q.asked.close()
	})
}

// serve is the life of the connection.
func (q *queue) serve() {
	defer q.end()
	late := time.AfterFunc(q.t.patience(), q.close) // unless it is connected by then
	defer late.Stop()
	var p pdu
	if err := q.handshake(&p); err != nil {
		q.fail(&p, err)
		return
	}
	for {
		err := q.w.read(&p)
		if err == nil {
			err = q.take(&p)
		}
		if err != nil {
			q.fail(&p, err)
			return
		}
		if q.s != nil && !q.w.idle && !q.guard.bars() {
			q.w.idle = true
			late.Stop()
		}
	}
}

// end waits for the commands of the queue, and of all other queues if it is the admin queue.
func (q *queue) end() {
	q.close()
	q.mu.Lock()
	q.gone = true
	for _, c := range q.active {
		c.give()
	}
	q.mu.Unlock()
	if q.s == nil || q.id > 0 {
		q.running.Wait()
	}
	switch s := q.s; {
	case s == nil:
	case q.id > 0:
		s.remove(q.id)
	default:
		defer q.running.Wait()
		s.Close()
		q.t.leave(s)
		if s.ctrl.Left != nil {
			s.ctrl.Left()
		}
		s.running.Wait()
	}
}

// fail says why, if the host is to blame, before the connection ends.
func (q *queue) fail(p *pdu, err error) {
	var e protocolError
	if errors.As(err, &e) {
		q.w.terminate(c2hTermReq, p, e)
		// A host that goes on sending would otherwise be told of a reset, and
		// never read what was wrong.
		if c, ok := q.w.nc.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
			q.w.nc.SetReadDeadline(time.Now().Add(min(q.t.patience(), time.Second)))
			_, _ = io.Copy(io.Discard, io.LimitReader(q.w.r, maxData))
		}
	}
}

// handshake agrees on alignment and digests.
func (q *queue) handshake(p *pdu) error {
	if err := q.w.read(p); err != nil {
		return err
	}
	if p.kind() != icReq {
		return protocolError{fesSequence, 0, "the first PDU is no ICReq"}
	}
	if p.u16(8) != 0 {
		return protocolError{fesUnsupported, 8, "there is no such version of the format"}
	}
	if p.head[10] > 31 {
		return protocolError{fesHeaderField, 10, "the alignment is more than 128 bytes"}
	}
	q.maxR2T = int(min(p.u32(12), 15)) + 1
	var resp [icLen - commonLen]byte
	resp[3] = p.head[11] & 3
	binary.LittleEndian.PutUint32(resp[4:], uint32(q.t.maxTransfer()))
	if err := q.w.send(icResp, 0, resp[:], nil); err != nil {
		return err
	}
	q.w.padding = (int(p.head[10]) + 1) * 4
	q.w.hdgst, q.w.ddgst = p.head[11]&1 != 0, p.head[11]&2 != 0
	return nil
}

// take takes a PDU in.
func (q *queue) take(p *pdu) error {
	switch p.kind() {
	case capsuleCmd:
		return q.capsule(p)
	case h2cData:
		return q.arrive(p)
	case h2cTermReq:
		return io.EOF
	}
	return protocolError{fesHeaderField, 0, "a host does not send such a PDU"}
}

// fabricsData is how many bytes admin and fabrics commands have in their capsule at most.
const fabricsData = 8192

// capsule takes a command in.
func (q *queue) capsule(p *pdu) error {
	c := &command{q: q, sqe: append(make(sqe, 0, sqeLen), p.head[commonLen:cmdLen]...)}
	limit := fabricsData
	if q.s != nil && q.id > 0 {
		limit = max(q.t.inCapsule(), fabricsData)
	}
	if p.data > limit {
		return protocolError{fesDataLimit, 4, "more data is in the capsule than it may have"}
	}
	if q.s != nil {
		q.s.heard()
	}
	status := Status(0)
	if p.data > 0 {
		if !q.in.take(p.data) {
			return io.EOF
		}
		c.data = buffer(p.data)
		err := q.w.data(p, c.data)
		if errors.Is(err, errDataDigest) {
			status = TransientTransport
		} else if err != nil {
			q.in.give(len(c.data))
			recycle(c.data)
			return err
		}
	}
	if err := q.enter(c); err != nil {
		return err
	}
	if status == 0 {
		status = c.placed()
	}
	if q.s == nil || c.isAuth() { // nothing else goes on until it is connected
		c.run(status)
		return nil
	}
	q.running.Add(1)
	go func() {
		defer q.running.Done()
		c.run(status)
	}()
	return nil
}

// enter gives a command its place in the queue.
func (q *queue) enter(c *command) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	entries := q.entries
	if q.s == nil {
		entries = 2
	}
	q.head = (q.head + 1) % uint16(entries)
	if old := q.active[c.sqe.id()]; old != nil && old.isEvent() {
		// SPDK gives event requests up without a word when it detaches, and
		// uses their ids for others.
		q.s.forget(c.sqe.id())
		delete(q.active, c.sqe.id())
	}
	if len(q.active) >= entries {
		return protocolError{fesSequence, 0, "there are more commands than the queue has entries"}
	}
	if q.active[c.sqe.id()] != nil {
		return protocolError{fesHeaderField, commonLen + 2, "a command of that id is being carried out"}
	}
	q.active[c.sqe.id()] = c
	return nil
}

// isEvent says whether it is an event request.
func (c *command) isEvent() bool {
	return c.q.s != nil && c.q.id == 0 && c.sqe.opcode() == opAsyncEvent
}

// placed looks where the data of a command is. What is to come is not asked for yet.
func (c *command) placed() Status {
	n := int64(c.sqe.sglLen())
	switch {
	case c.sqe.sglType() == sglInCapsule && (len(c.data) > 0 || c.sqe.takesData()):
		if c.sqe.sglOffset() != 0 {
			return InvalidSGLOffset
		}
		if n != int64(len(c.data)) || n > 0 && !c.sqe.takesData() {
			return InvalidSGLLength
		}
	case len(c.data) > 0:
		return InvalidField
	case n > int64(c.q.t.maxTransfer()):
		return InvalidField
	}
	return 0
}

// run carries a command out and answers.
func (c *command) run(status Status) {
	var result uint64
	q, held := c.q, len(c.data)
	if status == 0 {
		switch {
		case c.sqe.opcode() == opFabrics:
			result, status = q.fabrics(c)
		case q.s == nil:
			status = SequenceError
		case q.guard.bars():
			status = AuthRequired | notRetried
		case q.id == 0:
			result, status = q.s.adminCommand(c)
		default:
			status = q.s.ioCommand(c)
		}
	}
	if held > 0 {
		recycle(c.data)
		q.in.give(held)
	}
	if status == later {
		return
	}
	q.complete(c.sqe.id(), status, result)
}

// later says that a command is answered later.
const later = ^Status(0)

// complete answers a command.
func (q *queue) complete(id uint16, status Status, result uint64) {
	q.mu.Lock()
	delete(q.active, id)
	e := cqe{result: result, head: q.head, qid: q.id, id: id, status: status}
	q.mu.Unlock()
	if q.noFlow {
		e.head = 0xffff
	}
	var b [cqeLen]byte
	e.encode(b[:])
	if q.w.send(capsuleResp, 0, b[:], nil) != nil {
		q.close()
	}
}

// send sends data to the host.
func (c *command) send(data []byte) error {
	var head [16]byte
	binary.LittleEndian.PutUint16(head[0:], c.sqe.id())
	binary.LittleEndian.PutUint32(head[8:], uint32(len(data)))
	return c.q.w.send(c2hData, flagLast, head[:], data)
}
