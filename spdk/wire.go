package spdk

import (
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// wire is the channel between jrpc2 and a connection.
//
// It never blocks a sender: requests are queued and one goroutine writes them,
// many in one system call. A burst is one call for jrpc2, and leaves as single
// objects, because targets limit how much one JSON value may hold. Results are
// decoded where they lie in the read buffer, and jrpc2 is told only that all
// replies came: it would otherwise parse and copy every result three times, and
// ten requests would cost as much again as sending and reading them.
type wire struct {
	nc    net.Conn
	stall time.Duration // a peer that does not read for so long is given up
	trace traceFunc

	in      recordBuffer // owned by Recv
	ack     []byte       // owned by Recv
	heardAt atomic.Int64 // UnixNano of the last reply

	sending sync.Mutex // held from announce to Send
	coming  *burst     // what the next Send carries

	mu      sync.Mutex
	cond    *sync.Cond
	last    int64           // id that was given to a request
	queue   []*call         // not yet handed to the socket, in order
	calls   map[int64]*call // neither answered nor given up by their callers
	err     error           // why the connection is broken
	written chan struct{}   // closed when nothing more will be written
}

// burst is what one Send carries.
type burst struct {
	calls []*call
	taken bool
	id    int64 // of the call that it is for jrpc2
	left  int   // calls that are not answered; guarded by wire.mu
}

// call is one request on its way. The fields before mu are guarded by wire.mu.
type call struct {
	req   *Req
	burst *burst
	id    int64
	body  []byte
	sent  progress
	lost  bool // when forgotten: the target certainly never saw it

	mu       sync.Mutex
	gone     bool // the caller does not wait any more
	answered bool
	err      error // the target's answer, if not a result
}

type progress uint8

const (
	unsent  progress = iota // certainly unknown to the target
	writing                 // perhaps partly in the socket
	sent                    // wholly in the socket
)

func newWire(nc net.Conn, stall time.Duration, trace traceFunc) *wire {
	w := &wire{
		nc: nc, stall: stall, trace: trace,
		calls:   make(map[int64]*call),
		written: make(chan struct{}),
		in:      recordBuffer{limit: maxRecord},
	}
	w.cond = sync.NewCond(&w.mu)
	go w.writeLoop()
	return w
}

// announce says what the next Send carries. It is followed by that Send, or by
// retract when Send was not reached or failed.
func (w *wire) announce(b *burst) {
	w.sending.Lock()
	w.coming = b
}

// retract undoes announce and returns true, unless Send has taken the burst.
func (w *wire) retract(b *burst) bool {
	if b.taken {
		return false
	}
	w.coming = nil
	w.sending.Unlock()
	return true
}

// Send queues what the burst that was announced holds. It implements [channel.Channel].
func (w *wire) Send(b []byte) error {
	burst := w.coming
	var f frame
	n, err := f.scan(b)
	if err != nil {
		return err
	}
	e, err := f.open(b[:n])
	if err != nil {
		return err
	}
	burst.id = e.id
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	burst.encode(w.last)
	for _, c := range burst.calls {
		w.calls[c.id] = c
	}
	w.last += int64(len(burst.calls))
	w.queue = append(w.queue, burst.calls...)
	w.cond.Signal()
	burst.taken = true
	w.coming = nil
	w.sending.Unlock()
	return nil
}

// encode writes the requests of the burst, whose ids follow on last.
func (b *burst) encode(last int64) {
	size := 0
	for _, c := range b.calls {
		size += len(`{"jsonrpc":"2.0","id":,"method":,"params":}`) + 24 + len(c.req.Method) + len(c.req.raw)
	}
	enc := make([]byte, 0, size)
	for i, c := range b.calls {
		c.id = last + int64(i) + 1
		from := len(enc)
		enc = append(enc, `{"jsonrpc":"2.0","id":`...)
		enc = strconv.AppendInt(enc, c.id, 10)
		enc = append(enc, `,"method":`...)
		enc, _ = jsontext.AppendQuote(enc, c.req.Method) // which makes the best of what is no text
		if c.req.raw != nil {
			enc = append(enc, `,"params":`...)
			enc = append(enc, c.req.raw...)
		}
		enc = append(enc, '}')
		c.body = enc[from:len(enc):len(enc)]
	}
}

// writeSize is how much one system call writes, unless one request is larger.
const writeSize = 64 << 10

func (w *wire) writeLoop() {
	defer close(w.written)
	var batch []*call
	var buf []byte
	for {
		if batch, buf = w.take(batch[:0], buf[:0]); batch == nil {
			return
		}
		w.nc.SetWriteDeadline(time.Now().Add(w.stall))
		n, err := w.nc.Write(buf)
		w.wrote(batch, n)
		if err != nil {
			w.fail(err)
			return
		}
	}
}

// take waits for requests and returns some of them with their bytes, or nil
// when the connection is broken.
func (w *wire) take(batch []*call, buf []byte) ([]*call, []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(batch) == 0 {
		for len(w.queue) == 0 && w.err == nil {
			w.cond.Wait()
		}
		if w.err != nil {
			return nil, nil
		}
		i := 0
		for ; i < len(w.queue) && (len(buf) == 0 || len(buf)+len(w.queue[i].body) <= writeSize); i++ {
			if c := w.queue[i]; c.body != nil {
				c.sent = writing
				buf, batch = append(buf, c.body...), append(batch, c)
			}
			w.queue[i] = nil
		}
		if w.queue = w.queue[i:]; len(w.queue) == 0 {
			w.queue = nil
		}
	}
	return batch, buf
}

// wrote notes that the first n bytes of batch are in the socket.
func (w *wire) wrote(batch []*call, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range batch {
		if n -= len(c.body); n >= 0 {
			c.sent = sent
		} else {
			c.sent = unsent // the target has no whole object, and gets no more
		}
		c.body = nil
	}
}

// Recv waits until a burst is answered. It implements [channel.Channel].
func (w *wire) Recv() ([]byte, error) {
	for {
		whole, err := w.receive()
		if err != nil {
			w.fail(err)
			w.in.release()
			return nil, err
		}
		if whole != nil {
			w.ack = append(w.ack[:0], `{"jsonrpc":"2.0","result":true,"id":`...)
			w.ack = append(strconv.AppendInt(w.ack, whole.id, 10), '}')
			return w.ack, nil
		}
	}
}

// receive reads one reply and gives it to its call, unless nobody waits: the call was
// given up, or the reply names none. It returns the burst that is answered by that, or nil.
func (w *wire) receive() (*burst, error) {
	b, f, err := w.in.next(w.nc)
	if err != nil {
		return nil, err
	}
	w.heardAt.Store(time.Now().UnixNano())
	e, err := f.open(b)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	c := w.calls[e.id]
	w.mu.Unlock()
	if c == nil {
		return nil, nil
	}
	if err := c.answer(e, w.trace); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls[e.id] != c {
		return nil, nil // it was given up meanwhile
	}
	delete(w.calls, e.id)
	if c.burst.left--; c.burst.left > 0 {
		return nil, nil
	}
	return c.burst, nil
}

var errClosed = errors.New("connection closed")

// Close breaks the connection. It implements [channel.Channel].
func (w *wire) Close() error {
	w.fail(errClosed)
	return nil
}

// fail breaks the connection for the given reason, unless it is broken.
func (w *wire) fail(err error) {
	if err == io.EOF {
		err = errors.New("connection closed by the target")
	}
	w.mu.Lock()
	first := w.err == nil
	if first {
		w.err = err
		w.cond.Broadcast()
	}
	w.mu.Unlock()
	if first {
		w.nc.Close()
	}
}

// broken returns why the connection is broken, or nil.
func (w *wire) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// forget ends the wait for calls and takes back those not yet handed to the
// socket: they are lost. Of the others, the outcome is unknown if unanswered.
func (w *wire) forget(calls []*call) {
	if w.broken() != nil {
		<-w.written
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range calls {
		delete(w.calls, c.id)
		if c.sent == unsent {
			c.lost, c.body = true, nil
		}
	}
}
