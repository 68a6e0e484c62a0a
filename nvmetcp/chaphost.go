package nvmetcp

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
)

// ErrAuth is in the chain of errors of authentication: of the host, or of the target.
var ErrAuth = errors.New("nvmetcp: authentication")

// authenticate proves to the target that the host has its key, and has it prove the same.
func (q *hostQueue) authenticate(ctx context.Context) error {
	o := q.h.o
	if o.Key == nil {
		return fmt.Errorf("%w: the target asks for it, and the host has no key", ErrAuth)
	}
	c := &chap{tid: uint16(newSeq())}
	m := newMessage(msgNegotiate, c.tid, 8+64)
	m[7] = 1
	d := m[8:]
	d[0], d[2], d[3] = 1, 3, 4
	copy(d[4:], []uint8{hashSHA256, hashSHA384, hashSHA512})
	copy(d[34:], []uint8{groupNull, group2048, group3072, group4096})
	m, err := q.exchange(ctx, m, msgChallenge)
	if err != nil {
		return err
	}
	n := int(m[6])
	c.hash, c.group = m[8], m[9]
	if hashes[c.hash] == nil || c.size() != n || len(m) < msgLen+n+m.dhLen() || m.tid() != c.tid || m.seq() == 0 || c.group > group8192 {
		return fmt.Errorf("%w: the target's challenge cannot be understood", ErrAuth)
	}
	challenge, public, seq := m[msgLen:msgLen+n], m[msgLen+n:msgLen+n+m.dhLen()], m.seq()
	reply := newMessage(msgReply, c.tid, msgLen+2*n)
	if c.group != groupNull {
		p := newPair(c.group)
		if c.secret, err = p.agree(public); err != nil {
			return fmt.Errorf("%w: %w", ErrAuth, err)
		}
		reply = append(reply, p.public()...)
	}
	copy(reply[msgLen:], c.proof(o.Key, asHost, seq, o.HostNQN, o.Subsystem, challenge))
	reply[6] = byte(n)
	ours, ourSeq := reply[msgLen+n:msgLen+2*n], uint32(0)
	if o.TargetKey != nil {
		rand.Read(ours)
		reply[8], ourSeq = 1, newSeq()
	}
	reply.put(len(reply)-msgLen-2*n, ourSeq)
	if m, err = q.exchange(ctx, reply, msgSuccess1); err != nil || o.TargetKey == nil {
		return err
	}
	if m[8] != 1 || len(m) < msgLen+n || !hmac.Equal(m[msgLen:msgLen+n], c.proof(o.TargetKey, asTarget, ourSeq, o.Subsystem, o.HostNQN, ours)) {
		_ = q.tell(ctx, failure(msgFailure2, c.tid, reasonFailed)) // out of politeness
		return fmt.Errorf("%w: the target has another key than it should", ErrAuth)
	}
	return q.tell(ctx, newMessage(msgSuccess2, c.tid, msgLen))
}

// tell sends a message.
func (q *hostQueue) tell(ctx context.Context, m message) error {
	_, err := q.do(ctx, authCommand(fcAuthSend, len(m)), m, nil)
	return err
}

// exchange sends a message and receives one of a kind.
func (q *hostQueue) exchange(ctx context.Context, m message, want uint16) (message, error) {
	if err := q.tell(ctx, m); err != nil {
		return nil, err
	}
	got := make(message, authMost)
	if _, err := q.do(ctx, authCommand(fcAuthRecv, len(got)), nil, got); err != nil {
		return nil, err
	}
	switch got.kind() {
	case want:
		return got, nil
	case msgFailure1:
		return nil, fmt.Errorf("%w: the target refuses: %s", ErrAuth, reasonText[got[7]])
	}
	return nil, fmt.Errorf("%w: the target sends message %#x, want %#x", ErrAuth, got.kind(), want)
}

func authCommand(fctype uint8, n int) sqe {
	c := newCommand(opFabrics)
	c[4] = fctype
	c[41], c[42], c[43] = 1, 1, secpNVMe
	c.put(11, uint32(n))
	return c
}
