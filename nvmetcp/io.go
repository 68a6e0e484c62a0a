package nvmetcp

import (
	"bytes"
	"errors"
)

// ioCommand carries out a command of an I/O queue.
func (s *Session) ioCommand(c *command) Status {
	op := c.sqe.opcode()
	switch op {
	case opFlush, opWrite, opRead, opCompare, opWriteZeroes, opDSM:
	default:
		return InvalidOpcode | notRetried
	}
	if op == opFlush && c.sqe.nsid() == 0xffffffff {
		return s.flushAll()
	}
	ns, ok := s.ctrl.View.Namespace(c.sqe.nsid())
	switch {
	case !ok:
		return InvalidNamespace | notRetried
	case s.ctrl.ANA && ns.State == StateInaccessible:
		return Inaccessible
	case ns.ReadOnly && op != opRead && op != opCompare && op != opFlush:
		return ReadOnly | notRetried
	case op == opFlush:
		return fault(ns.sync(), WriteFault)
	case op == opDSM:
		need, sent := 16*(int64(c.sqe.dword(10)&0xff)+1), int64(c.sqe.sglLen())
		if sent < need || sent > 16*256 {
			return InvalidSGLLength | notRetried
		}
		// Linux always sends room for 256 ranges.
		return c.withData(sent, func(data []byte) Status { return ns.discard(c.sqe, data[:need]) })
	}
	n := c.sqe.blocks()
	if c.sqe.lba() > uint64(ns.blocks()) || int64(c.sqe.lba())+n > ns.blocks() {
		return OutOfRange | notRetried
	}
	off, n := int64(c.sqe.lba())*int64(ns.BlockSize), n*int64(ns.BlockSize)
	if op != opWriteZeroes && n > int64(s.t.maxTransfer()) {
		return InvalidField | notRetried
	}
	switch op {
	case opRead:
		return c.read(ns, off, n)
	case opWriteZeroes:
		return fault(ns.zero(off, n, s.t.maxTransfer()), WriteFault)
	case opWrite:
		return c.withData(n, func(data []byte) Status {
			_, err := ns.Backend.WriteAt(data, off)
			return fault(err, WriteFault)
		})
	}
	return c.withData(n, func(data []byte) Status { return c.compare(ns, data, off) })
}

// fault is the status of an error of a backend.
func fault(err error, otherwise Status) Status {
	var status Status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return status
	}
	return otherwise
}

// withData has f take n bytes from the host, which came in the capsule or are asked for.
func (c *command) withData(n int64, f func(data []byte) Status) Status {
	switch {
	case int64(c.sqe.sglLen()) != n:
		return InvalidSGLLength | notRetried
	case c.sqe.sglType() == sglInCapsule:
		return f(c.data)
	case c.sqe.sglType() == sglTransport:
		return c.fetch(f)
	}
	return InvalidField | notRetried
}

// read sends n bytes to the host.
func (c *command) read(ns Namespace, off, n int64) Status {
	switch {
	case int64(c.sqe.sglLen()) != n:
		return InvalidSGLLength | notRetried
	case c.sqe.sglType() != sglTransport:
		return InvalidField | notRetried
	case !c.q.in.take(int(n)):
		return TransientTransport
	}
	defer c.q.in.give(int(n))
	b := buffer(int(n))
	defer recycle(b)
	if got, err := ns.Backend.ReadAt(b, off); got < len(b) {
		if err == nil {
			err = ReadError
		}
		return fault(err, ReadError)
	}
	if c.send(b) != nil {
		c.q.close()
	}
	return 0
}

func (c *command) compare(ns Namespace, data []byte, off int64) Status {
	b := buffer(len(data)) // as much again as the window has counted
	defer recycle(b)
	if n, err := ns.Backend.ReadAt(b, off); n < len(b) {
		return fault(err, ReadError)
	}
	if !bytes.Equal(b, data) {
		return CompareFailure | notRetried
	}
	return 0
}

// zero zeroes bytes, no more than most at a time.
func (ns Namespace) zero(off, n int64, most int) error {
	if z, ok := ns.Backend.(Zeroer); ok {
		return z.ZeroAt(off, n)
	}
	b := buffer(int(min(n, int64(most), 64<<10)))
	defer recycle(b)
	clear(b)
	for n > 0 {
		b = b[:min(n, int64(len(b)))]
		if _, err := ns.Backend.WriteAt(b, off); err != nil {
			return err
		}
		off, n = off+int64(len(b)), n-int64(len(b))
	}
	return nil
}

// discard tells the backend what nobody needs, if that is what is said of the ranges.
func (ns Namespace) discard(c sqe, data []byte) Status {
	const deallocate = 1 << 2
	d, ok := ns.Backend.(Discarder)
	for r := sqe(data); len(r) > 0; r = r[16:] {
		blocks, lba := int64(r.dword(1)), int64(r.dword(2))|int64(r.dword(3))<<32
		if lba < 0 || lba > ns.blocks() || lba+blocks > ns.blocks() {
			return OutOfRange | notRetried
		}
		if !ok || c.dword(11)&deallocate == 0 || blocks == 0 {
			continue
		}
		if err := d.DiscardAt(lba*int64(ns.BlockSize), blocks*int64(ns.BlockSize)); err != nil {
			return fault(err, WriteFault)
		}
	}
	return 0
}

func (ns Namespace) sync() error {
	if s, ok := ns.Backend.(Syncer); ok {
		return s.Sync()
	}
	return nil
}

func (s *Session) flushAll() Status {
	for _, ns := range s.ctrl.View.Namespaces() {
		if s.ctrl.ANA && ns.State == StateInaccessible {
			return Inaccessible
		}
		if err := ns.sync(); err != nil {
			return fault(err, WriteFault)
		}
	}
	return 0
}
