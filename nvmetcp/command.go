package nvmetcp

import "encoding/binary"

// sqe is a command, sqeLen bytes of a CapsuleCmd.
type sqe []byte

const sqeLen = 64

// Opcodes. Those of fabrics commands have the type as well.
const (
	opFlush       = 0x00
	opWrite       = 0x01
	opRead        = 0x02
	opCompare     = 0x05
	opWriteZeroes = 0x08
	opDSM         = 0x09
	opFabrics     = 0x7f

	opGetLogPage  = 0x02
	opIdentify    = 0x06
	opAbort       = 0x08
	opSetFeatures = 0x09
	opGetFeatures = 0x0a
	opAsyncEvent  = 0x0c
	opKeepAlive   = 0x18

	fcPropertySet = 0x00
	fcConnect     = 0x01
	fcPropertyGet = 0x04
	fcDisconnect  = 0x08
)

// Properties of a controller, by offset.
const (
	propCAP  = 0x00
	propVS   = 0x08
	propCC   = 0x14
	propCSTS = 0x1c
)

const version = 0x00010400 // 1.4

// SGL descriptors: data in the capsule, and data that the transport moves.
const (
	sglInCapsule = 0x01
	sglTransport = 0x5a
)

func (c sqe) opcode() uint8         { return c[0] }
func (c sqe) id() uint16            { return binary.LittleEndian.Uint16(c[2:]) }
func (c sqe) nsid() uint32          { return binary.LittleEndian.Uint32(c[4:]) }
func (c sqe) fctype() uint8         { return c[4] }
func (c sqe) sglOffset() uint64     { return binary.LittleEndian.Uint64(c[24:]) }
func (c sqe) sglLen() uint32        { return binary.LittleEndian.Uint32(c[32:]) }
func (c sqe) sglType() uint8        { return c[39] }
func (c sqe) dword(n int) uint32    { return binary.LittleEndian.Uint32(c[4*n:]) }
func (c sqe) lba() uint64           { return binary.LittleEndian.Uint64(c[40:]) }
func (c sqe) blocks() int64         { return int64(binary.LittleEndian.Uint16(c[48:])) + 1 }
func (c sqe) put(n int, v uint32)   { binary.LittleEndian.PutUint32(c[4*n:], v) }
func (c sqe) put64(n int, v uint64) { binary.LittleEndian.PutUint64(c[4*n:], v) }

// sgl says where the data of the command is, if it has any.
func (c sqe) sgl(kind uint8, n int) {
	c[1] = 0x40
	c.put(8, uint32(n))
	c[39] = kind
}

// takesData says whether the host sends data with the command: the opcode's
// lowest two bits say so.
func (c sqe) takesData() bool {
	if c.opcode() == opFabrics {
		return c.fctype()&3 == 1
	}
	return c.opcode()&3 == 1
}

// cqe is a completion.
type cqe struct {
	result uint64
	head   uint16 // of the submission queue
	qid    uint16
	id     uint16
	status Status
}

const cqeLen = 16

func (c cqe) encode(b []byte) {
	binary.LittleEndian.PutUint64(b[0:], c.result)
	binary.LittleEndian.PutUint16(b[8:], c.head)
	binary.LittleEndian.PutUint16(b[10:], c.qid)
	binary.LittleEndian.PutUint16(b[12:], c.id)
	binary.LittleEndian.PutUint16(b[14:], uint16(c.status)<<1)
}

func decodeCQE(b []byte) cqe {
	return cqe{
		result: binary.LittleEndian.Uint64(b[0:]),
		head:   binary.LittleEndian.Uint16(b[8:]),
		qid:    binary.LittleEndian.Uint16(b[10:]),
		id:     binary.LittleEndian.Uint16(b[12:]),
		status: Status(binary.LittleEndian.Uint16(b[14:]) >> 1),
	}
}
