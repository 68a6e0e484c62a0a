package nvmetcp

import "time"

// adminCommand carries out a command of the admin queue.
func (s *Session) adminCommand(c *command) (uint64, Status) {
	switch c.sqe.opcode() {
	case opIdentify:
		return 0, s.identify(c)
	case opGetLogPage:
		return 0, s.logPage(c)
	case opSetFeatures:
		return s.setFeature(c)
	case opGetFeatures:
		return s.feature(c)
	case opAsyncEvent:
		if !s.hold(c.sqe.id()) {
			return 0, TooManyEvents | notRetried
		}
		return 0, later
	case opAbort:
		return 1, 0 // it was not aborted, which is always allowed
	case opKeepAlive:
		return 0, 0
	}
	return 0, InvalidOpcode | notRetried
}

// answer sends data to the host, as much as it asks for.
func (c *command) answer(data []byte) Status {
	n := int(c.sqe.sglLen())
	if n == 0 || c.sqe.sglType() != sglTransport {
		return InvalidField | notRetried
	}
	if n > len(data) {
		data = append(data, make([]byte, n-len(data))...)
	}
	if c.send(data[:n]) != nil {
		c.q.close()
	}
	return 0
}

// Features.
const (
	featWriteCache = 0x06
	featQueues     = 0x07
	featEvents     = 0x0b
	featKeepAlive  = 0x0f
	featBehavior   = 0x16
)

// behaviorLen is how much hosts say of what they support.
const behaviorLen = 512

func (s *Session) setFeature(c *command) (uint64, Status) {
	v := c.sqe.dword(11)
	switch uint8(c.sqe.dword(10)) {
	case featQueues:
		sq, cq := v&0xffff, v>>16
		if sq == 0xffff || cq == 0xffff {
			return 0, InvalidField | notRetried
		}
		most := uint32(s.t.maxQueues() - 1)
		return uint64(min(sq, most) | min(cq, most)<<16), 0
	case featEvents:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.aec = v
		return 0, 0
	case featKeepAlive:
		s.keep(time.Duration(v) * time.Millisecond)
		return 0, 0
	case featBehavior:
		if !s.ctrl.asksLast || len(c.data) != behaviorLen {
			return 0, InvalidField | notRetried
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.behavior = [behaviorLen]byte(c.data)
		return 0, 0
	case featWriteCache:
		return 0, InvalidFeature | notRetried
	}
	return 0, InvalidField | notRetried
}

func (s *Session) feature(c *command) (uint64, Status) {
	if uint8(c.sqe.dword(10)) == featBehavior && s.ctrl.asksLast {
		s.mu.Lock()
		said := s.behavior
		s.mu.Unlock()
		return 0, c.answer(said[:])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch uint8(c.sqe.dword(10)) {
	case featQueues:
		most := uint64(s.t.maxQueues() - 1)
		return most | most<<16, 0
	case featEvents:
		return uint64(s.aec), 0
	case featKeepAlive:
		return uint64(s.kato / time.Millisecond), 0
	case featWriteCache:
		return 1, 0
	}
	return 0, InvalidField | notRetried
}
