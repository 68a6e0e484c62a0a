package nvmetcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"time"
)

// connectData is what comes with a Connect command.
type connectData struct {
	hostid          [16]byte
	cntlid          uint16
	subnqn, hostnqn string
}

const connectLen = 1024

// anyController is asked for by who wants a new one.
const anyController = 0xffff

func (c *connectData) encode() []byte {
	b := make([]byte, connectLen)
	copy(b, c.hostid[:])
	binary.LittleEndian.PutUint16(b[16:], c.cntlid)
	copy(b[256:511], c.subnqn)
	copy(b[512:767], c.hostnqn)
	return b
}

// decode reports false if the names have no end.
func (c *connectData) decode(b []byte) bool {
	copy(c.hostid[:], b)
	c.cntlid = binary.LittleEndian.Uint16(b[16:])
	sub, _, ok1 := bytes.Cut(b[256:512], []byte{0})
	host, _, ok2 := bytes.Cut(b[512:768], []byte{0})
	c.subnqn, c.hostnqn = string(sub), string(host)
	return ok1 && ok2
}

// fabrics carries out a fabrics command.
func (q *queue) fabrics(c *command) (uint64, Status) {
	switch t := c.sqe.fctype(); {
	case t == fcConnect && q.s == nil:
		result, status := q.connectCommand(c)
		if status == 0 {
			if q.guard = newGuard(q.s); q.guard != nil {
				result |= authRequired
			}
		}
		return result, status
	case (t == fcAuthSend || t == fcAuthRecv) && q.s != nil:
		return 0, q.authCommand(c)
	case q.guard.bars():
		return 0, AuthRequired | notRetried
	case t == fcConnect, q.s == nil:
		return 0, SequenceError
	case t == fcDisconnect && q.id > 0:
		q.complete(c.sqe.id(), 0, 0)
		q.close()
		return 0, later
	case q.id > 0:
		return 0, InvalidField
	case t == fcPropertyGet:
		return q.s.property(c.sqe)
	case t == fcPropertySet:
		return 0, q.s.setProperty(c.sqe)
	}
	return 0, InvalidField
}

// adminDepth is how many entries an admin queue has at most.
const adminDepth = 4096

// wrong is the status and result of a Connect with a wrong parameter, by its
// offset in the command, or in the data.
func wrong(at int, data bool) (uint64, Status) {
	v := uint64(at)
	if data {
		v |= 1 << 16
	}
	return v, ConnectParameters | notRetried
}

// connectCommand makes the connection the admin queue of a new controller, or an
// I/O queue of one that there is.
func (q *queue) connectCommand(c *command) (uint64, Status) {
	id, size, cattr := binary.LittleEndian.Uint16(c.sqe[42:]), binary.LittleEndian.Uint16(c.sqe[44:]), c.sqe[46]
	var d connectData
	switch {
	case binary.LittleEndian.Uint16(c.sqe[40:]) != 0:
		return 0, ConnectFormat | notRetried
	case len(c.data) != connectLen:
		return 0, InvalidSGLLength | notRetried
	case size == 0 || id > 0 && int(size) >= q.t.depth() || size >= adminDepth:
		return wrong(44, false)
	case !d.decode(c.data):
		return wrong(256, true)
	case d.hostnqn == "":
		return wrong(512, true)
	}
	q.id, q.entries, q.noFlow = id, int(size)+1, cattr&4 != 0
	if id > 0 {
		return q.attach(d)
	}
	if d.cntlid != anyController {
		return wrong(16, true)
	}
	s := &Session{t: q.t, connect: d, admin: q}
	ctrl, err := q.t.Connect(s)
	switch {
	case errors.Is(err, ErrSubsystem):
		return wrong(256, true)
	case errors.Is(err, ErrHost):
		return 0, HostRefused | notRetried
	case err != nil:
		var status Status
		if errors.As(err, &status) {
			return 0, status
		}
		return 0, InternalError
	}
	s.ctrl = ctrl
	q.s = s
	q.t.join(s)
	s.keep(time.Duration(c.sqe.dword(12)) * time.Millisecond)
	return uint64(ctrl.ID), 0
}

// attach makes the connection an I/O queue.
func (q *queue) attach(d connectData) (uint64, Status) {
	s := q.t.session(d)
	if s == nil {
		return wrong(16, true)
	}
	if status := s.add(q.id, q); status != 0 {
		if status == ConnectParameters {
			return wrong(42, false)
		}
		return 0, status
	}
	q.s = s
	return uint64(d.cntlid), 0
}

// property answers a Property Get.
func (s *Session) property(c sqe) (uint64, Status) {
	wide := c[40]&7 == 1
	s.mu.Lock()
	defer s.mu.Unlock()
	switch at := c.dword(11); {
	case at == propCAP && wide:
		return uint64(s.t.depth()-1) | 1<<16 | 20<<24 | 1<<37, 0
	case at == propVS && !wide:
		return version, 0
	case at == propCC && !wide:
		return uint64(s.cc), 0
	case at == propCSTS && !wide:
		csts := uint64(s.cc & 1)
		if s.cc>>14&3 != 0 {
			csts |= 2 << 2 // shut down
		}
		return csts, 0
	}
	return 0, InvalidField | notRetried
}

// setProperty carries out a Property Set.
func (s *Session) setProperty(c sqe) Status {
	if c.dword(11) != propCC || c[40]&7 != 0 {
		return InvalidField | notRetried
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.cc
	s.cc = c.dword(12)
	if was&1 == 1 && s.cc&1 == 0 { // a reset
		s.cc = 0
		s.waiting, s.pending, s.aec = nil, nil, 0
		clear(s.masked)
		for _, q := range s.queues {
			q.close()
		}
	}
	return 0
}

// mdts is the power of two of 4096 bytes that n is.
func mdts(n int) uint8 { return uint8(bits.Len(uint(n/4096)) - 1) }
