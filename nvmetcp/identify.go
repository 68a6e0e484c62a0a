package nvmetcp

import (
	"encoding/binary"
	"math/bits"
)

const identifyLen = 4096

// Values of CNS, the structure that Identify asks for.
const (
	cnsNamespace   = 0x00
	cnsController  = 0x01
	cnsList        = 0x02
	cnsDescriptors = 0x03
	cnsFormats     = 0x05
	cnsCommandSet  = 0x06
)

func (s *Session) identify(c *command) Status {
	id := c.sqe.nsid()
	switch uint8(c.sqe.dword(10)) {
	case cnsController:
		return c.answer(s.controllerPage())
	case cnsNamespace:
		ns, status := s.shown(id)
		if status != 0 {
			return status
		}
		return c.answer(ns.page())
	case cnsList:
		if id >= 0xfffffffe {
			return InvalidNamespace | notRetried
		}
		b := make([]byte, 0, identifyLen)
		for _, ns := range s.ctrl.View.Namespaces() {
			if ns.ID > id && len(b) < identifyLen {
				b = binary.LittleEndian.AppendUint32(b, ns.ID)
			}
		}
		return c.answer(append(b, make([]byte, identifyLen-len(b))...))
	case cnsDescriptors:
		ns, status := s.shown(id)
		if status != 0 {
			return status
		}
		return c.answer(ns.descriptors())
	case cnsFormats, cnsCommandSet: // there are no extended ones
		if c.sqe[47] != 0 { // the NVM command set is the only one
			return InvalidField | notRetried
		}
		return c.answer(make([]byte, identifyLen))
	}
	return InvalidField | notRetried
}

// shown finds a namespace. One that is not shown has a page of zeroes.
func (s *Session) shown(id uint32) (Namespace, Status) {
	if id == 0 || id > s.ctrl.MaxNamespaces {
		return Namespace{}, InvalidNamespace | notRetried
	}
	ns, _ := s.ctrl.View.Namespace(id)
	return ns, 0
}

func (s *Session) controllerPage() []byte {
	b := make([]byte, identifyLen)
	le := binary.LittleEndian
	fill(b[4:24], s.ctrl.Serial)
	fill(b[24:64], s.ctrl.Model)
	fill(b[64:72], "1")
	b[76] = 1<<0 | 1<<1 // CMIC: several ports, several controllers
	b[77] = mdts(s.t.maxTransfer())
	le.PutUint16(b[78:], s.ctrl.ID)
	le.PutUint32(b[80:], version)
	le.PutUint32(b[92:], 1<<8) // OAES: namespaces
	le.PutUint32(b[96:], 1)    // CTRATT: host identifiers of 128 bits
	b[111] = 1                 // an I/O controller
	b[258] = 3                 // ACL
	b[259] = maxEvents - 1     // AERL
	b[261] = 1 << 2            // LPA: offsets and lengths beyond 16 bits
	b[262] = 0                 // ELPE: one entry
	le.PutUint16(b[320:], 10)  // KAS: in 100 ms
	if s.ctrl.asksLast {
		le.PutUint32(b[96:], 1|1<<15) // extended LBA formats: hosts have to say that they know them
	}
	if s.ctrl.ANA {
		b[76] |= 1 << 3
		le.PutUint32(b[92:], 1<<8|1<<11)
		b[342] = 10                                 // ANATT, seconds
		b[343] = 1<<0 | 1<<1 | 1<<2 | 1<<6          // ANACAP: three states, a namespace's group stays
		le.PutUint32(b[344:], s.ctrl.MaxNamespaces) // ANAGRPMAX
		le.PutUint32(b[348:], s.ctrl.MaxNamespaces) // NANAGRPID
	}
	b[512], b[513] = 0x66, 0x44 // SQES, CQES
	le.PutUint16(b[514:], uint16(s.t.depth()))
	le.PutUint32(b[516:], s.ctrl.MaxNamespaces)
	le.PutUint16(b[520:], 1<<0|1<<2|1<<3) // ONCS: compare, dataset management, write zeroes
	b[525] = 1<<0 | 3<<1                  // VWC: there is one; flush of all namespaces
	le.PutUint32(b[536:], 1<<0|1<<20|1<<21)
	le.PutUint32(b[540:], s.ctrl.MaxNamespaces) // MNAN
	copy(b[768:1024], s.connect.subnqn)
	le.PutUint32(b[1792:], uint32(sqeLen+s.t.inCapsule())/16) // IOCCSZ
	le.PutUint32(b[1796:], cqeLen/16)                         // IORCSZ
	b[1803] = 1                                               // MSDBD
	return b
}

// fill writes text as NVMe has it: padded with spaces.
func fill(b []byte, text string) {
	for i := copy(b, text); i < len(b); i++ {
		b[i] = ' '
	}
}

func (ns Namespace) page() []byte {
	b := make([]byte, identifyLen)
	if ns.ID == 0 {
		return b
	}
	le := binary.LittleEndian
	blocks := uint64(ns.blocks())
	le.PutUint64(b[0:], blocks)
	le.PutUint64(b[8:], blocks)
	le.PutUint64(b[16:], blocks)
	b[24] = 1 << 0 // NSFEAT: thin
	b[30] = 1      // NMIC: several controllers
	if _, ok := ns.Backend.(Discarder); ok {
		b[33] = 1 // DLFEAT: what was discarded reads as zeroes
	}
	le.PutUint32(b[92:], ns.group())
	if ns.ReadOnly {
		b[99] = 1
	}
	guid := ns.guid()
	copy(b[104:], guid[:])
	b[130] = uint8(bits.TrailingZeros(uint(ns.BlockSize)))
	return b
}

func (ns Namespace) blocks() int64 { return ns.Size / int64(ns.BlockSize) }

func (ns Namespace) group() uint32 {
	if ns.Group != 0 {
		return ns.Group
	}
	return ns.ID
}

func (ns Namespace) guid() [16]byte {
	if ns.NGUID != [16]byte{} {
		return ns.NGUID
	}
	return ns.UUID
}

func (ns Namespace) state() State {
	if ns.State == 0 {
		return StateOptimized
	}
	return ns.State
}

// Types of namespace identifiers.
const (
	nidNGUID = 2
	nidUUID  = 3
	nidCSI   = 4
)

func (ns Namespace) descriptors() []byte {
	b := make([]byte, 0, identifyLen)
	add := func(kind byte, id []byte) {
		b = append(append(b, kind, byte(len(id)), 0, 0), id...)
	}
	if ns.ID != 0 {
		if guid := ns.guid(); guid != [16]byte{} {
			add(nidNGUID, guid[:])
		}
		if ns.UUID != [16]byte{} {
			add(nidUUID, ns.UUID[:])
		}
		add(nidCSI, []byte{0})
	}
	return append(b, make([]byte, identifyLen-len(b))...)
}
