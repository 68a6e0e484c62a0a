package nvmetcp

import "encoding/binary"

// Messages of an authentication: type in the upper byte, id in the lower.
const (
	msgNegotiate = 0x0000
	msgFailure2  = 0x00f0 // by the host
	msgFailure1  = 0x00f1
	msgChallenge = 0x0101
	msgReply     = 0x0102
	msgSuccess1  = 0x0103
	msgSuccess2  = 0x0104
)

// Reasons of a failure.
const (
	reasonFailed  = 1
	reasonMethod  = 2
	reasonChannel = 3
	reasonHash    = 4
	reasonGroup   = 5
	reasonPayload = 6
	reasonMessage = 7
)

var reasonText = map[uint8]string{
	reasonFailed: "authentication failed", reasonMethod: "no method in common", reasonChannel: "secure channel concatenation mismatch",
	reasonHash: "no hash in common", reasonGroup: "no group in common", reasonPayload: "incorrect payload", reasonMessage: "incorrect message",
}

const (
	fcAuthSend = 0x05
	fcAuthRecv = 0x06

	secpNVMe = 0xe9
	msgLen   = 16 // of the fixed part of most messages
	authMost = 4096

	authRequired = 1 << 17 // in the result of a Connect
)

// message is one as it is sent.
type message []byte

func newMessage(kind uint16, tid uint16, n int) message {
	m := make(message, n)
	m[0], m[1] = byte(kind>>8), byte(kind)
	binary.LittleEndian.PutUint16(m[4:], tid)
	return m
}

// failure says why there will be no success.
func failure(kind, tid uint16, reason uint8) message {
	m := newMessage(kind, tid, 8)
	m[6], m[7] = 1, reason
	return m
}

// kind is that of a message, all ones if it is too short to be any.
func (m message) kind() uint16 {
	if len(m) < 8 {
		return 0xffff
	}
	return uint16(m[0])<<8 | uint16(m[1])
}

func (m message) tid() uint16 { return binary.LittleEndian.Uint16(m[4:]) }
func (m message) dhLen() int  { return int(binary.LittleEndian.Uint16(m[10:])) }
func (m message) seq() uint32 { return binary.LittleEndian.Uint32(m[12:]) }
func (m message) put(dh int, seq uint32) {
	binary.LittleEndian.PutUint16(m[10:], uint16(dh))
	binary.LittleEndian.PutUint32(m[12:], seq)
}
