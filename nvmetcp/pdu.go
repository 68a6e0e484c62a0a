package nvmetcp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"time"
)

// pduType is the kind of a protocol data unit.
type pduType uint8

const (
	icReq       pduType = 0
	icResp      pduType = 1
	h2cTermReq  pduType = 2
	c2hTermReq  pduType = 3
	capsuleCmd  pduType = 4
	capsuleResp pduType = 5
	h2cData     pduType = 6
	c2hData     pduType = 7
	r2tPDU      pduType = 9
)

// Flags of the common header.
const (
	flagHeaderDigest = 1 << 0
	flagDataDigest   = 1 << 1
	flagLast         = 1 << 2
	flagSuccess      = 1 << 3
)

const (
	commonLen  = 8
	icLen      = 128
	termLen    = 24
	termMost   = 128 // bytes of the offending header that a TermReq repeats
	cmdLen     = 72
	shortLen   = 24 // CapsuleResp, R2T, H2CData, C2HData
	digestLen  = 4
	maxPadding = 128
)

// headerLen is the length that the header of a kind has, 0 if there is no such kind.
func headerLen(t pduType) int {
	switch t {
	case icReq, icResp:
		return icLen
	case h2cTermReq, c2hTermReq:
		return termLen
	case capsuleCmd:
		return cmdLen
	case capsuleResp, h2cData, c2hData, r2tPDU:
		return shortLen
	}
	return 0
}

// pdu is a header that was read; its data is still to be read.
type pdu struct {
	head   [icLen]byte
	hlen   int
	data   int // bytes of data that follow
	digest bool
}

func (p *pdu) kind() pduType { return pduType(p.head[0]) }
func (p *pdu) flags() uint8  { return p.head[1] }
func (p *pdu) header() []byte {
	return p.head[:p.hlen]
}
func (p *pdu) u16(at int) uint16 { return binary.LittleEndian.Uint16(p.head[at:]) }
func (p *pdu) u32(at int) uint32 { return binary.LittleEndian.Uint32(p.head[at:]) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// wire is one end of an NVMe/TCP connection. One goroutine reads; any number write.
type wire struct {
	nc      net.Conn
	r       *bufio.Reader
	limit   time.Duration // for one PDU to come or go; a peer that is slower is let go
	hdgst   bool
	ddgst   bool
	padding int // alignment of data in PDUs that are sent, in bytes; 0 or 4 is none
	idle    bool

	wmu  sync.Mutex
	wbuf [icLen + digestLen + maxPadding]byte
	wvec [4][]byte
	werr error
}

func newWire(nc net.Conn, limit time.Duration) *wire {
	return &wire{nc: nc, r: bufio.NewReaderSize(nc, 16<<10), limit: limit}
}

// read reads the header of the next PDU into p. Between PDUs it waits for as long
// as it takes if the wire is idle, within one no longer than the limit.
func (w *wire) read(p *pdu) error {
	if w.idle {
		w.nc.SetReadDeadline(time.Time{})
		if _, err := w.r.Peek(1); err != nil {
			return err
		}
	}
	w.nc.SetReadDeadline(time.Now().Add(w.limit))
	if _, err := io.ReadFull(w.r, p.head[:commonLen]); err != nil {
		return err
	}
	p.hlen = commonLen
	want := headerLen(p.kind())
	if want == 0 {
		return protocolError{fesHeaderField, 0, fmt.Sprintf("there is no PDU type %d", p.head[0])}
	}
	if int(p.head[2]) != want {
		return protocolError{fesHeaderField, 2, fmt.Sprintf("header length is %d, and %d of PDU type %d", p.head[2], want, p.head[0])}
	}
	if _, err := io.ReadFull(w.r, p.head[commonLen:want]); err != nil {
		return err
	}
	p.hlen = want
	return w.frame(p)
}

// frame verifies the header and reads up to the data.
func (w *wire) frame(p *pdu) error {
	plain := p.kind() <= c2hTermReq // these never have digests
	if !plain {
		if got := p.flags()&flagHeaderDigest != 0; got != w.hdgst {
			return protocolError{fesHeaderField, 1, "the flag of the header digest is not as it was agreed on"}
		}
		if w.hdgst {
			var sum [digestLen]byte
			if _, err := io.ReadFull(w.r, sum[:]); err != nil {
				return err
			}
			if got, want := binary.LittleEndian.Uint32(sum[:]), crc32.Checksum(p.header(), castagnoli); got != want {
				return protocolError{fesHeaderDigest, got, "the header digest is wrong"}
			}
		}
	}
	at := p.hlen
	if w.hdgst && !plain {
		at += digestLen
	}
	plen := int64(p.u32(4))
	if plen == int64(at) {
		p.data, p.digest = 0, false
		return nil
	}
	if p.kind() == h2cTermReq || p.kind() == c2hTermReq {
		if plen < termLen || plen > termLen+termMost {
			return protocolError{fesHeaderField, 4, fmt.Sprintf("PDU length is %d", plen)}
		}
		p.data, p.digest = int(plen)-termLen, false
		return nil
	}
	if k := p.kind(); k != capsuleCmd && k != h2cData && k != c2hData {
		return protocolError{fesHeaderField, 4, fmt.Sprintf("PDU length is %d of a PDU that has no data", plen)}
	}
	p.digest = p.flags()&flagDataDigest != 0
	if p.digest != w.ddgst {
		return protocolError{fesHeaderField, 1, "the flag of the data digest is not as it was agreed on"}
	}
	pdo, tail := int(p.head[3]), 0
	if p.digest {
		tail = digestLen
	}
	if pdo < at {
		return protocolError{fesHeaderField, 3, fmt.Sprintf("data offset is %d, within the header", pdo)}
	}
	if plen <= int64(pdo+tail) || plen > int64(pdo+tail)+maxData {
		return protocolError{fesHeaderField, 4, fmt.Sprintf("PDU length is %d with data at %d", plen, pdo)}
	}
	if _, err := w.r.Discard(pdo - at); err != nil {
		return err
	}
	p.data = int(plen) - pdo - tail
	return nil
}

// maxData bounds what a PDU may carry, whatever its length says.
const maxData = 64 << 20

// errDataDigest says that data arrived damaged; the connection is in order.
var errDataDigest = errors.New("the data digest is wrong")

// data reads all data of p into dst, which is as long. errDataDigest is not fatal.
func (w *wire) data(p *pdu, dst []byte) error {
	if len(dst) != p.data {
		return fmt.Errorf("nvmetcp: %d bytes of data for a buffer of %d", p.data, len(dst))
	}
	if _, err := io.ReadFull(w.r, dst); err != nil {
		return err
	}
	p.data = 0
	if !p.digest {
		return nil
	}
	var sum [digestLen]byte
	if _, err := io.ReadFull(w.r, sum[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sum[:]) != crc32.Checksum(dst, castagnoli) {
		return errDataDigest
	}
	return nil
}

// skip reads the data of p for nobody.
func (w *wire) skip(p *pdu) error {
	n := p.data
	if p.digest {
		n += digestLen
	}
	p.data = 0
	_, err := w.r.Discard(n)
	return err
}

// send sends a PDU: its header, of which it fills in the common part, and data.
func (w *wire) send(kind pduType, flags uint8, head []byte, data []byte) error {
	w.wmu.Lock()
	defer w.wmu.Unlock()
	if w.werr != nil {
		return w.werr
	}
	b := append(w.wbuf[:0], byte(kind), flags, byte(headerLen(kind)), 0, 0, 0, 0, 0)
	b = append(b, head...)
	for len(b) < headerLen(kind) {
		b = append(b, 0)
	}
	plain := kind <= c2hTermReq
	at := len(b)
	if w.hdgst && !plain {
		b[1] |= flagHeaderDigest
		at += digestLen
	}
	tail := 0
	if len(data) > 0 && !plain {
		if n := w.padding; n > 0 {
			at = (at + n - 1) / n * n
		}
		if w.ddgst {
			b[1] |= flagDataDigest
			tail = digestLen
		}
		b[3] = byte(at)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(at+len(data)+tail))
	if w.hdgst && !plain {
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	}
	for len(b) < at {
		b = append(b, 0)
	}
	vec := net.Buffers(append(w.wvec[:0], b))
	if len(data) > 0 {
		vec = append(vec, data)
	}
	if tail > 0 {
		vec = append(vec, binary.LittleEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli)))
	}
	w.nc.SetWriteDeadline(time.Now().Add(w.limit))
	if _, w.werr = vec.WriteTo(w.nc); w.werr != nil {
		if c, ok := w.nc.(interface{ SetLinger(int) error }); ok {
			_ = c.SetLinger(0) // a peer that does not read would have the kernel keep what was sent
		}
		w.nc.Close() // a PDU that went out in part cannot be followed by another
	}
	return w.werr
}

// terminate tells the peer what was wrong with its PDU.
func (w *wire) terminate(kind pduType, p *pdu, e protocolError) {
	var head [termLen - commonLen]byte
	binary.LittleEndian.PutUint16(head[0:], e.fes)
	binary.LittleEndian.PutUint32(head[2:], e.info)
	_ = w.send(kind, 0, head[:], p.header()) // the connection ends in any case
}

// Fatal error statuses of TermReq PDUs.
const (
	fesHeaderField  = 1
	fesSequence     = 2
	fesHeaderDigest = 3
	fesDataRange    = 4
	fesDataLimit    = 5
	fesUnsupported  = 6
)

// protocolError is what makes a PDU one that a connection cannot go on after.
type protocolError struct {
	fes  uint16
	info uint32 // which field, or the digest that was sent
	text string
}

func (e protocolError) Error() string { return "nvmetcp: " + e.text }
