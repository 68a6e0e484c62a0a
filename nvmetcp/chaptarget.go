package nvmetcp

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync/atomic"
)

// guard has a host authenticate on a queue.
type guard struct {
	chap
	host, target    string // NQNs
	hostKey, ourKey *Key   // ourKey may be nil: a host that wants proof of us fails
	next            uint16 // the message that is to come
	pair            *pair
	challenge       []byte
	seq             uint32
	answer          []byte // to the challenge of the host
	reason          uint8  // why it has failed
	passed          atomic.Bool
}

func newGuard(s *Session) *guard {
	if s.ctrl.HostKey == nil {
		return nil
	}
	return &guard{host: s.connect.hostnqn, target: s.connect.subnqn, hostKey: s.ctrl.HostKey, ourKey: s.ctrl.TargetKey, next: msgNegotiate}
}

// bars says whether there is no way past it yet. Nothing bars the way where there is no guard.
func (g *guard) bars() bool { return g != nil && !g.passed.Load() }

// isAuth says whether it is a part of an authentication. Nothing else goes on in the
// queue meanwhile, so messages come in the capsule, as NVMe/TCP has it for all of fabrics.
func (c *command) isAuth() bool {
	return c.sqe.opcode() == opFabrics && (c.sqe.fctype() == fcAuthSend || c.sqe.fctype() == fcAuthRecv)
}

// authCommand carries out an Authentication Send or Receive.
func (q *queue) authCommand(c *command) Status {
	g, n := q.guard, int(c.sqe.dword(11))
	if g == nil || c.sqe[41] != 1 || c.sqe[42] != 1 || c.sqe[43] != secpNVMe || n == 0 || n > authMost {
		return InvalidField | notRetried
	}
	if c.sqe.fctype() == fcAuthSend {
		if len(c.data) != n {
			return InvalidSGLLength | notRetried
		}
		g.receive(c.data)
		return 0
	}
	m := g.send()
	if int64(n) != int64(c.sqe.sglLen()) || n < len(m) {
		return InvalidSGLLength | notRetried
	}
	return c.answer(m)
}

// receive takes a message of the host in.
func (g *guard) receive(m message) {
	kind := m.kind()
	switch {
	case kind == msgNegotiate && (g.next == msgNegotiate || g.passed.Load()): // a host may do it again
		g.passed.Store(false)
		g.reason = g.negotiate(m)
		g.next = msgChallenge
	case kind == msgReply && g.next == msgReply:
		g.reason = g.verify(m)
		g.next = msgSuccess1
	case kind == msgSuccess2 && g.next == msgSuccess2:
		g.next = msgNegotiate
		g.passed.Store(true)
	default:
		g.reason = reasonMessage
	}
	if g.reason != 0 {
		g.next = msgFailure1
		g.passed.Store(false)
	}
}

// send is the message that the host is to get.
func (g *guard) send() message {
	switch g.next {
	case msgChallenge:
		g.next = msgReply
		return g.ask()
	case msgSuccess1:
		m := newMessage(msgSuccess1, g.tid, msgLen)
		m[6] = byte(g.size())
		if g.answer == nil {
			g.next = msgNegotiate
			g.passed.Store(true)
			return m
		}
		m[8], g.next = 1, msgSuccess2
		return append(m, g.answer...)
	case msgFailure1:
		return failure(msgFailure1, g.tid, g.reason)
	}
	g.next, g.reason = msgFailure1, reasonMessage
	g.passed.Store(false)
	return failure(msgFailure1, g.tid, reasonMessage)
}

// negotiate chooses hash and group of those that the host has.
func (g *guard) negotiate(m message) uint8 {
	g.tid = m.tid()
	const descriptor = 64
	n := int(m[7])
	switch {
	case len(m) != 8+n*descriptor:
		return reasonPayload
	case m[6] != 0:
		return reasonChannel
	}
	for d := range slices.Chunk(m[8:], descriptor) {
		if d[0] != 1 {
			continue
		}
		if d[2] > 30 || d[3] > 30 {
			return reasonPayload
		}
		if g.hash = choose([]uint8{hashSHA512, hashSHA384, hashSHA256}, d[4:4+d[2]]); g.hash == 0xff {
			return reasonHash
		}
		if g.group = choose(groups, d[34:34+d[3]]); g.group == 0xff {
			return reasonGroup
		}
		return 0
	}
	return reasonMethod
}

// choose is the first of ours that is among theirs, 0xff if none is.
func choose(ours, theirs []uint8) uint8 {
	for _, x := range ours {
		if slices.Contains(theirs, x) {
			return x
		}
	}
	return 0xff
}

// ask is the challenge.
func (g *guard) ask() message {
	g.challenge = make([]byte, g.size())
	rand.Read(g.challenge)
	g.seq = newSeq()
	m := newMessage(msgChallenge, g.tid, msgLen)
	m[6], m[8], m[9] = byte(g.size()), g.hash, g.group
	m = append(m, g.challenge...)
	g.pair, g.secret = nil, nil
	if g.group != groupNull {
		g.pair = newPair(g.group)
		m = append(m, g.pair.public()...)
	}
	m.put(len(m)-msgLen-g.size(), g.seq)
	return m
}

// newSeq is a sequence number, which is never 0.
func newSeq() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint32(b[:]) | 1
}

// verify holds the host's answer against the key, and prepares ours.
func (g *guard) verify(m message) uint8 {
	n := g.size()
	if len(m) < msgLen || int(m[6]) != n || m.tid() != g.tid || len(m) != msgLen+2*n+m.dhLen() || m[8] > 1 {
		return reasonPayload
	}
	if g.pair != nil {
		var err error
		if g.secret, err = g.pair.agree(m[msgLen+2*n:]); err != nil {
			return reasonPayload
		}
	}
	if !hmac.Equal(m[msgLen:msgLen+n], g.proof(g.hostKey, asHost, g.seq, g.host, g.target, g.challenge)) {
		return reasonFailed
	}
	g.answer = nil
	if m[8] == 1 {
		if g.ourKey == nil || m.seq() == 0 {
			return reasonFailed
		}
		g.answer = g.proof(g.ourKey, asTarget, m.seq(), g.target, g.host, m[msgLen+n:msgLen+2*n])
	}
	return 0
}
