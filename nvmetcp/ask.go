package nvmetcp

import "encoding/binary"

// fetch asks the host for the data of a command, waits for it and hands it to f.
func (c *command) fetch(f func(data []byte) Status) Status {
	n, q := int(c.sqe.sglLen()), c.q
	if !q.asked.take(n) {
		return TransientTransport // which nobody hears
	}
	defer q.asked.give(n)
	buf := buffer(n)
	defer recycle(buf)
	q.mu.Lock()
	c.data, c.parts, c.whole = buf, map[uint16]part{}, make(chan struct{})
	if q.gone {
		c.give()
	}
	q.mu.Unlock()
	for range q.maxR2T {
		c.ask()
	}
	<-c.whole
	q.mu.Lock()
	c.data = nil
	gone, damaged := c.arrived < n, c.damaged
	for tag := range c.parts {
		delete(q.ttags, tag)
	}
	q.mu.Unlock()
	if gone || damaged {
		return TransientTransport
	}
	return f(buf)
}

// give lets a command go whose data will not come. The caller holds q.mu.
func (c *command) give() {
	if c.whole != nil && !c.let {
		c.let = true
		close(c.whole)
	}
}

// ask asks for the next part of the data, if there is one.
func (c *command) ask() {
	c.order.Lock() // parts are asked for in their order
	defer c.order.Unlock()
	q := c.q
	q.mu.Lock()
	at := c.asking
	end := min(at+q.t.askFor(), len(c.data))
	if at == end || c.let {
		q.mu.Unlock()
		return
	}
	for q.ttags[q.ttag] != nil {
		q.ttag++
	}
	tag := q.ttag
	q.ttag++
	c.asking = end
	c.parts[tag], q.ttags[tag] = part{at, end}, c
	q.mu.Unlock()
	var head [16]byte
	binary.LittleEndian.PutUint16(head[0:], c.sqe.id())
	binary.LittleEndian.PutUint16(head[2:], tag)
	binary.LittleEndian.PutUint32(head[4:], uint32(at))
	binary.LittleEndian.PutUint32(head[8:], uint32(end-at))
	if q.w.send(r2tPDU, 0, head[:], nil) != nil {
		q.close()
	}
}

// arrive takes data in that was asked for.
func (q *queue) arrive(p *pdu) error {
	id, tag, at, n := p.u16(8), p.u16(10), int64(p.u32(12)), int64(p.u32(16))
	q.mu.Lock()
	c := q.ttags[tag]
	var want part
	if c != nil {
		want = c.parts[tag]
	}
	q.mu.Unlock()
	switch {
	case c == nil || c.sqe.id() != id:
		return protocolError{fesHeaderField, 10, "nobody has asked for this data"}
	case n != int64(p.data) || n == 0:
		return protocolError{fesHeaderField, 16, "the length of data is not that of the PDU"}
	case n > int64(q.t.maxTransfer()):
		return protocolError{fesDataLimit, 16, "it is more data than a PDU may have"}
	case at != int64(want.at) || at+n > int64(want.end):
		return protocolError{fesDataRange, 12, "it is other data than was asked for"}
	}
	last := int(at+n) == want.end
	if last != (p.flags()&flagLast != 0) {
		return protocolError{fesHeaderField, 1, "the flag of the last PDU is not where the data ends"}
	}
	err := q.w.data(p, c.data[at:at+n]) // nobody else touches it until it is whole
	if err == errDataDigest {
		c.damaged, err = true, nil
	}
	if err != nil {
		return err
	}
	q.mu.Lock()
	c.arrived += int(n)
	want.at += int(n)
	c.parts[tag] = want
	if last {
		delete(c.parts, tag)
		delete(q.ttags, tag)
	}
	if c.arrived == len(c.data) {
		c.give()
	}
	more := last && c.asking < len(c.data)
	q.mu.Unlock()
	if more {
		c.ask() // the reader waits for the writer no longer than it has patience
	}
	return nil
}
