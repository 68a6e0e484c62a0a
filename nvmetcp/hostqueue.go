package nvmetcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

// hostQueue is a connection of a host.
type hostQueue struct {
	h       *Host
	id      uint16
	w       *wire
	maxData int // of one H2CData
	free    chan uint16
	slots   []*slot

	gone chan struct{}
	mu   sync.Mutex
	why  error
}

// slot is the place of a command that is under way.
type slot struct {
	q    *hostQueue
	id   uint16
	busy sync.Mutex // held while data goes into buf

	buf     []byte // for what is read
	got     int    // of it
	short   bool   // less may come
	damaged bool
	left    bool // nobody waits for it

	taken bool
	asks  chan ask
	done  chan cqe
}

// ask is an R2T: the target asks for a part of the data.
type ask struct {
	tag    uint16
	at, to int
}

// maxAsks is how many R2Ts there may be at a time, of one command.
const maxAsks = 8

func newCommand(op uint8) sqe {
	c := make(sqe, sqeLen)
	c[0] = op
	c[1] = 0x40
	return c
}

// queue connects a queue and returns the controller's id.
func (h *Host) queue(ctx context.Context, id uint16, entries int, cntlid uint16) (*hostQueue, uint16, error) {
	nc, err := h.o.Dial(ctx, h.addr)
	if err != nil {
		return nil, 0, err
	}
	q := &hostQueue{h: h, id: id, w: newWire(nc, h.o.Patience), free: make(chan uint16, entries-1), gone: make(chan struct{})}
	stop := context.AfterFunc(ctx, q.close)
	defer stop()
	for i := range uint16(entries - 1) {
		q.slots = append(q.slots, &slot{q: q, id: i, asks: make(chan ask, maxAsks), done: make(chan cqe, 1)})
		q.free <- i
	}
	if err := q.handshake(); err != nil {
		q.close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, 0, err
	}
	q.w.idle = true
	h.know(q)
	h.running.Go(q.read)
	c := newCommand(opFabrics)
	c[4] = fcConnect
	binary.LittleEndian.PutUint16(c[42:], id)
	binary.LittleEndian.PutUint16(c[44:], uint16(entries-1))
	if id == 0 && h.o.KeepAlive > 0 {
		c.put(12, uint32(h.o.KeepAlive/time.Millisecond))
	}
	d := connectData{h.o.HostID, cntlid, h.o.Subsystem, h.o.HostNQN}
	result, err := q.do(ctx, c, d.encode(), nil)
	if err != nil {
		q.close()
		return nil, 0, err
	}
	if result&authRequired != 0 {
		if err := q.authenticate(ctx); err != nil {
			q.close()
			return nil, 0, err
		}
	} else if h.o.TargetKey != nil {
		q.close()
		return nil, 0, fmt.Errorf("%w: the target asks for none, and so proves nothing", ErrAuth)
	}
	return q, uint16(result), nil
}

func (q *hostQueue) handshake() error {
	var head [icLen - commonLen]byte
	var dgst byte
	if q.h.o.HeaderDigest {
		dgst |= 1
	}
	if q.h.o.DataDigest {
		dgst |= 2
	}
	head[3] = dgst
	binary.LittleEndian.PutUint32(head[4:], maxAsks-1)
	if err := q.w.send(icReq, 0, head[:], nil); err != nil {
		return err
	}
	var p pdu
	if err := q.w.read(&p); err != nil {
		return err
	}
	if p.kind() != icResp || p.u16(8) != 0 || p.head[10] > 31 || p.head[11]&^dgst != 0 || p.u32(12) < 4096 {
		return errors.New("it does not speak NVMe/TCP as this host does")
	}
	q.w.padding = (int(p.head[10]) + 1) * 4
	q.w.hdgst, q.w.ddgst = p.head[11]&1 != 0, p.head[11]&2 != 0
	q.maxData = int(min(p.u32(12), maxData))
	return nil
}

// close ends the connection.
func (q *hostQueue) close() { q.w.nc.Close() }

// giveUp ends it for a reason that the host has.
func (q *hostQueue) giveUp(why error) {
	q.mu.Lock()
	if q.why == nil {
		q.why = fmt.Errorf("%w: %w", ErrLost, why)
	}
	q.mu.Unlock()
	q.close()
}

// read reads what the target sends until the connection ends, and then the host's.
func (q *hostQueue) read() {
	var p pdu
	var err error
	for err == nil {
		if err = q.w.read(&p); err == nil {
			err = q.take(&p)
		}
	}
	var e protocolError
	if errors.As(err, &e) {
		q.w.terminate(h2cTermReq, &p, e)
	}
	q.giveUp(err)
	close(q.gone)
	q.h.lose(q.reason())
}

func (q *hostQueue) take(p *pdu) error {
	switch p.kind() {
	case capsuleResp:
		return q.finish(decodeCQE(p.head[commonLen:]))
	case c2hData:
		return q.arrive(p)
	case r2tPDU:
		return q.asked(p)
	case c2hTermReq:
		return fmt.Errorf("the target ends the connection: fatal error status %d at %d", p.u16(8), p.u32(10))
	}
	return protocolError{fesHeaderField, 0, "a target does not send such a PDU"}
}

// slot finds the command of an id; it is under way.
func (q *hostQueue) slot(id uint16) (*slot, error) {
	if int(id) >= len(q.slots) {
		return nil, protocolError{fesHeaderField, 8, "there is no such command"}
	}
	s := q.slots[id]
	s.busy.Lock()
	if !s.taken {
		s.busy.Unlock()
		return nil, protocolError{fesHeaderField, 8, "there is no such command"}
	}
	return s, nil
}

// finish takes a completion in. The slot is free again once who waits has it.
func (q *hostQueue) finish(e cqe) error {
	s, err := q.slot(e.id)
	if err != nil {
		return err
	}
	defer s.busy.Unlock()
	if e.status == 0 && s.damaged {
		e.status = TransientTransport
	}
	if e.status == 0 && s.got < len(s.buf) && !s.short {
		return protocolError{fesSequence, 0, "a command is complete before its data is"}
	}
	s.taken = false
	if s.left {
		q.free <- s.id
	} else {
		s.done <- e
	}
	return nil
}

// arrive takes data in.
func (q *hostQueue) arrive(p *pdu) error {
	s, err := q.slot(p.u16(8))
	if err != nil {
		return err
	}
	at, n := int64(p.u32(12)), int64(p.u32(16))
	switch {
	case n != int64(p.data):
		err = protocolError{fesHeaderField, 16, "the length of data is not that of the PDU"}
	case s.left:
		err = q.w.skip(p)
	case at != int64(s.got) || at+n > int64(len(s.buf)):
		err = protocolError{fesDataRange, 12, "it is other data than is to come"}
	default:
		err = q.w.data(p, s.buf[at:at+n])
		if err == errDataDigest {
			s.damaged, err = true, nil
		}
		s.got += int(n)
	}
	s.busy.Unlock()
	if err == nil && p.flags()&flagSuccess != 0 {
		if p.flags()&flagLast == 0 {
			return protocolError{fesHeaderField, 1, "success before the last data"}
		}
		return q.finish(cqe{id: p.u16(8)})
	}
	return err
}

// asked hands an R2T to who waits for the command, who has the data.
func (q *hostQueue) asked(p *pdu) error {
	s, err := q.slot(p.u16(8))
	if err != nil {
		return err
	}
	defer s.busy.Unlock()
	if s.left {
		return errUnsent
	}
	select {
	case s.asks <- ask{p.u16(10), int(p.u32(12)), int(p.u32(12)) + int(p.u32(16))}:
		return nil
	default:
		return protocolError{fesDataLimit, 0, "there are more R2Ts than were agreed on"}
	}
}

// do carries a command out: with data for the target, or room for what it sends.
// When ctx ends first, the command may be carried out all the same.
func (q *hostQueue) do(ctx context.Context, c sqe, data, room []byte) (uint64, error) {
	var id uint16
	select {
	case id = <-q.free:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-q.gone:
		return 0, q.reason()
	}
	s := q.slots[id]
	s.busy.Lock()
	s.buf, s.got, s.damaged, s.left, s.taken = room, 0, false, false, true
	s.short = c.opcode() == opFabrics // SPDK sends messages as long as they are
	s.busy.Unlock()
	binary.LittleEndian.PutUint16(c[2:], id)
	var within []byte
	switch {
	case len(data) > 0 && len(data) <= q.within(c):
		c.sgl(sglInCapsule, len(data))
		within = data
	default:
		c.sgl(sglTransport, len(data)+len(room))
	}
	if err := q.w.send(capsuleCmd, 0, c, within); err != nil {
		q.close()
	}
	for sent := len(within); ; {
		select {
		case e := <-s.done:
			s.busy.Lock()
			s.buf = nil
			s.busy.Unlock()
			q.free <- id
			if e.status != 0 {
				return e.result, e.status
			}
			return e.result, nil
		case a := <-s.asks:
			if a.at != sent || a.to <= a.at || a.to > len(data) {
				q.giveUp(fmt.Errorf("the target asks for bytes %d to %d of %d, and %d were sent", a.at, a.to, len(data), sent))
				continue
			}
			q.give(id, a, data)
			sent = a.to
		case <-ctx.Done():
			q.abandon(s)
			return 0, ctx.Err()
		case <-q.gone:
			return 0, q.reason() // the reader has ended: nothing goes into room any more
		}
	}
}

// within is how much data may be in the capsule of a command.
func (q *hostQueue) within(c sqe) int {
	if q.id == 0 || c.opcode() == opFabrics {
		return fabricsData
	}
	return q.h.inCapsule
}

// errUnsent ends a connection: the target waits for data that will not come.
var errUnsent = errors.New("a write was given up before its data was sent")

// abandon leaves a command to itself: what it reads goes nowhere.
func (q *hostQueue) abandon(s *slot) {
	s.busy.Lock()
	defer s.busy.Unlock()
	s.buf, s.left = nil, true
	for len(s.asks) > 0 {
		<-s.asks
		q.giveUp(errUnsent)
	}
	if !s.taken { // its completion came at the same time
		<-s.done
		q.free <- s.id
	}
}

// give sends a part of the data that the target has asked for.
func (q *hostQueue) give(id uint16, a ask, data []byte) {
	for at := a.at; at < a.to; {
		end := min(at+q.maxData, a.to)
		var head [16]byte
		binary.LittleEndian.PutUint16(head[0:], id)
		binary.LittleEndian.PutUint16(head[2:], a.tag)
		binary.LittleEndian.PutUint32(head[4:], uint32(at))
		binary.LittleEndian.PutUint32(head[8:], uint32(end-at))
		var flags uint8
		if end == a.to {
			flags = flagLast
		}
		if q.w.send(h2cData, flags, head[:], data[at:end]) != nil {
			q.close()
			return
		}
		at = end
	}
}

func (q *hostQueue) reason() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.why
}
