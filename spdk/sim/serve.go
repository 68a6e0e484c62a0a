package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// maxConns is how many connections a target looks at; further ones wait for
// one of these to end.
const maxConns = 64

// conn is one RPC connection.
type conn struct {
	t  *Target
	nc net.Conn

	p   *process // that took the connection
	cut bool     // what came in over it is not taken up; under outMu

	outMu  sync.Mutex
	out    bytes.Buffer
	outing bool
	asked  int  // requests that are not answered
	last   bool // nothing more is answered; it is closed once all is written
	closed bool

	mu      sync.Mutex
	inbox   []json.RawMessage
	armed   bool
	waiting bool // beyond maxConns
	ended   bool // nothing more comes in
}

func (t *Target) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go t.Serve(nc)
	}
}

// Serve answers the requests that come in over nc until it is closed or the
// target stops.
func (t *Target) Serve(nc net.Conn) {
	t.c.mu.Lock()
	c := &conn{t: t, nc: nc, p: t.p}
	t.c.mu.Unlock()
	t.connMu.Lock()
	if t.conns == nil || t.away {
		t.connMu.Unlock()
		nc.Close()
		return
	}
	if c.waiting = len(t.conns) >= maxConns; c.waiting {
		t.waiting = append(t.waiting, c)
	} else {
		t.conns[c] = struct{}{}
	}
	t.connMu.Unlock()
	d := json.NewDecoder(bufio.NewReaderSize(nc, 64<<10))
	for {
		var raw json.RawMessage
		switch err := d.Decode(&raw); {
		case errors.Is(err, io.EOF):
			c.end()
			return
		case err != nil: // a malformed byte ends the connection
			c.hangUp()
			return
		}
		c.arrived(raw)
	}
}

// end is when the client sends nothing more. What has come in is taken up, and
// answered: all of it, or what can be answered at once.
func (c *conn) end() {
	c.mu.Lock()
	c.ended = true
	now := len(c.inbox) == 0
	c.mu.Unlock()
	if now {
		c.finish()
	}
}

// finish closes the connection once what is to be answered is written.
func (c *conn) finish() {
	c.outMu.Lock()
	c.last = !c.t.c.opts.Profile.answersEnded || c.asked <= 0
	idle := c.last && !c.outing
	c.outMu.Unlock()
	if idle {
		c.hangUp()
	}
}

// done is when a request is answered, or never will be. A client that has ended
// is waited for until all are, if they are answered at all.
func (c *conn) done() {
	c.outMu.Lock()
	c.asked--
	c.outMu.Unlock()
	c.mu.Lock()
	ended := c.ended && c.t.c.opts.Profile.answersEnded
	c.mu.Unlock()
	if ended {
		c.finish()
	}
}

// arrived queues a request for the next look at the socket.
func (c *conn) arrived(raw json.RawMessage) {
	c.outMu.Lock()
	c.asked++
	c.outMu.Unlock()
	tick := c.t.c.opts.Tick
	c.mu.Lock()
	if tick == 0 && !c.waiting {
		c.mu.Unlock()
		c.take([]json.RawMessage{raw})
		return
	}
	defer c.mu.Unlock()
	c.inbox = append(c.inbox, raw)
	if !c.armed && !c.waiting {
		c.armed = true
		now := time.Now()
		time.AfterFunc(now.Truncate(tick).Add(tick).Sub(now), c.look)
	}
}

// admit lets a connection in that waited.
func (c *conn) admit() {
	c.mu.Lock()
	c.waiting = false
	c.mu.Unlock()
	c.look()
}

// look takes up everything that has arrived.
func (c *conn) look() {
	c.mu.Lock()
	batch := c.inbox
	c.inbox, c.armed = nil, false
	ended := c.ended
	c.mu.Unlock()
	c.take(batch)
	if ended {
		c.finish()
	}
}

func (c *conn) take(reqs []json.RawMessage) {
	for _, raw := range reqs {
		if c.isCut() {
			return
		}
		switch raw[0] {
		case '{':
			c.one(raw, c.answer)
		case '[':
			c.batch(raw)
		default:
			c.answer(reply(nil, nil, &Error{codeInvalid, "Invalid request"}))
		}
	}
}

// batch answers an array of requests with one array once all are done.
func (c *conn) batch(raw json.RawMessage) {
	var reqs []json.RawMessage
	if !c.t.c.opts.Profile.batches || json.Unmarshal(raw, &reqs) != nil || len(reqs) == 0 {
		c.answer(reply(nil, nil, &Error{codeInvalid, "Invalid request"}))
		return
	}
	var mu sync.Mutex
	left, out := len(reqs), []byte{'['}
	for _, r := range reqs {
		c.one(r, func(b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if b = bytes.TrimRight(b, "\n"); len(b) > 0 {
				if len(out) > 1 {
					out = append(out, ',')
				}
				out = append(out, b...)
			}
			if left--; left == 0 && len(out) > 1 {
				c.answer(append(out, ']', '\n'))
			}
		})
	}
}

// one decodes a request's envelope and dispatches it.
func (c *conn) one(raw json.RawMessage, send func([]byte)) {
	var req struct {
		Version *string         `json:"jsonrpc"`
		Method  *string         `json:"method"`
		Params  json.RawMessage `json:"params"`
		ID      json.RawMessage `json:"id"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	bad := d.Decode(&req) != nil || req.Method == nil || (req.Version != nil && *req.Version != "2.0")
	if len(req.ID) > 0 && (req.ID[0] == '{' || req.ID[0] == '[' || req.ID[0] == 't' || req.ID[0] == 'f') {
		bad = true
		req.ID = nil
	}
	if string(req.Params) == "null" {
		req.Params = nil
	}
	if len(req.Params) > 0 && req.Params[0] != '{' && req.Params[0] != '[' {
		bad = true
	}
	if bad {
		send(reply(req.ID, nil, &Error{codeInvalid, "Invalid request"}))
		return
	}
	c.t.dispatch(c, *req.Method, req.Params, func(result json.RawMessage, err *Error) {
		if err == nil && (len(req.ID) == 0 || string(req.ID) == "null") {
			send(nil)
			return
		}
		send(reply(req.ID, result, err))
	})
}

func reply(id, result json.RawMessage, err *Error) []byte {
	b := make([]byte, 0, 64+len(id)+len(result))
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	if len(id) == 0 {
		b = append(b, "null"...)
	} else {
		b = append(b, id...)
	}
	if err != nil {
		m, _ := json.Marshal(err)
		b = append(append(b, `,"error":`...), m...)
	} else {
		b = append(append(b, `,"result":`...), result...)
	}
	return append(b, "}\n"...)
}

// answer sends what a request comes to, if it comes to anything.
func (c *conn) answer(b []byte) {
	c.send(b)
	c.done()
}

// send queues b; a writer goroutine runs while there is something to write,
// so that a client that does not read holds up nobody.
func (c *conn) send(b []byte) {
	if len(b) == 0 {
		return
	}
	c.outMu.Lock()
	defer c.outMu.Unlock()
	if c.closed || c.last {
		return
	}
	c.out.Write(b)
	if !c.outing {
		c.outing = true
		go c.write()
	}
}

func (c *conn) write() {
	for {
		c.outMu.Lock()
		if c.out.Len() == 0 || c.closed {
			c.outing = false
			last := c.last
			c.outMu.Unlock()
			if last {
				c.hangUp()
			}
			return
		}
		b := bytes.Clone(c.out.Bytes())
		c.out.Reset()
		c.outMu.Unlock()
		if _, err := c.nc.Write(b); err != nil {
			c.hangUp()
		}
	}
}

func (c *conn) isCut() bool {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	return c.cut
}

// close ends the connection from this end: what came in is forgotten.
func (c *conn) close() {
	c.outMu.Lock()
	c.cut = true
	c.outMu.Unlock()
	c.hangUp()
}

// hangUp ends a connection that the peer has ended.
func (c *conn) hangUp() {
	c.outMu.Lock()
	c.closed = true
	c.outMu.Unlock()
	c.nc.Close()
	c.t.connMu.Lock()
	next := c.t.leave(c)
	c.t.connMu.Unlock()
	if next != nil {
		go next.admit()
	}
}

// leave takes a connection out, and the longest waiting one in for it. The
// caller holds connMu.
func (t *Target) leave(c *conn) (next *conn) {
	t.waiting = slices.DeleteFunc(t.waiting, func(x *conn) bool { return x == c })
	if _, in := t.conns[c]; !in {
		return nil
	}
	delete(t.conns, c)
	if len(t.waiting) > 0 {
		next, t.waiting = t.waiting[0], t.waiting[1:]
		t.conns[next] = struct{}{}
	}
	return next
}

// leaveAll takes every connection out. The caller holds connMu.
func (t *Target) leaveAll() []*conn {
	all := append(slices.Collect(maps.Keys(t.conns)), t.waiting...)
	t.waiting = nil
	return all
}
