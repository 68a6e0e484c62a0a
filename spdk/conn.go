package spdk

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/creachadair/jrpc2"
)

// conn is one connection to a target.
type conn struct {
	wire     *wire
	rpc      *jrpc2.Client
	methods  atomic.Pointer[Methods]
	reactors atomic.Pointer[Reactors]

	// Guarded by Client.mu.
	inFlight int  // rounds
	retired  bool // takes no more rounds, closes after its last
}

func newConn(nc net.Conn, opts *Options) *conn {
	w := newWire(nc, opts.Timeout, opts.Trace)
	return &conn{wire: w, rpc: jrpc2.NewClient(w, nil)}
}

// run sends reqs as one burst and waits until each is answered, the connection
// breaks or ctx ends. It sets every Err. It returns false, and nothing was
// sent, if the connection was broken beforehand.
func (cn *conn) run(ctx context.Context, reqs []*Req) bool {
	calls := make([]call, len(reqs))
	b := &burst{calls: make([]*call, len(reqs)), left: len(reqs)}
	for i, r := range reqs {
		calls[i].req, calls[i].burst = r, b
		b.calls[i] = &calls[i]
	}

	cn.wire.announce(b)
	_, err := cn.rpc.Call(ctx, "burst", nil) // which the wire replaces by what it holds
	if cn.wire.retract(b) {
		if broken := cn.wire.broken(); broken != nil {
			err = broken
		}
		for _, r := range reqs {
			r.Err = r.fail(Unreachable, err)
		}
		return false
	}

	var left []*call
	for i, c := range b.calls {
		if c.leave() {
			reqs[i].Err = c.err
		} else {
			left = append(left, c)
		}
	}
	cn.wire.forget(b.calls)
	if len(left) > 0 {
		cn.unanswered(ctx, left)
	}
	return true
}

// unanswered sets the errors of calls that were sent and not answered.
func (cn *conn) unanswered(ctx context.Context, left []*call) {
	reason := cn.wire.broken()
	switch err := ctx.Err(); {
	case reason != nil:
	case errors.Is(err, context.DeadlineExceeded):
		reason = noAnswer(time.Since(left[0].req.start).Round(time.Millisecond))
	case err != nil:
		reason = err
	default:
		reason = errors.New("reply lost")
	}
	for _, c := range left {
		class := Unknown
		if c.lost {
			class = Unreachable
		}
		c.req.Err = c.req.fail(class, reason)
	}
}

// noAnswer is a deadline that passed after so long.
type noAnswer time.Duration

func (n noAnswer) Error() string { return "no answer within " + time.Duration(n).String() }
func (n noAnswer) Unwrap() error { return context.DeadlineExceeded }

// silentSince reports whether nothing at all has arrived since t.
func (cn *conn) silentSince(t time.Time) bool {
	return cn.wire.heardAt.Load() < t.UnixNano()
}
