package spdk

import (
	"context"
	"errors"
	"time"
)

// Call makes one call: params are encoded as JSON (nil for none), the result
// decoded into what result points to (nil to ignore it). Errors are of type
// [*Error].
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	return c.do(ctx, &Req{Method: method, Params: params, Result: result})
}

func (c *Client) do(ctx context.Context, r *Req) error {
	c.Round(ctx, r)
	return r.Err
}

// Round sends independent requests as one burst and waits for them all. The
// target starts them in order but may finish them in any. Each Req has its own
// Err, of type [*Error] if not nil.
//
// Round returns nil if the target answered every request, be it with an error,
// and otherwise the first Err of class Unreachable or Unknown.
func (c *Client) Round(ctx context.Context, reqs ...*Req) error {
	if len(reqs) == 0 {
		return nil
	}
	c.rounds.Add(1)
	start, timeout := time.Now(), c.opts.Timeout
	ready := make([]*Req, 0, len(reqs))
	for _, r := range reqs {
		r.start = start
		timeout = max(timeout, r.Timeout)
		if err := r.encode(); err != nil {
			r.Err = r.fail(Invalid, err)
		} else {
			ready = append(ready, r)
		}
	}
	switch {
	case len(ready) == 0:
	case c.posts != nil:
		c.posts.round(ctx, ready)
	default:
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		c.send(ctx, ready, start)
	}
	return c.outcome(reqs)
}

// send runs a round on the current connection. One that turns out to be broken
// before it has taken anything is replaced once.
func (c *Client) send(ctx context.Context, reqs []*Req, start time.Time) {
	for range 2 {
		cn, err := c.acquire(ctx)
		if err != nil {
			for _, r := range reqs {
				r.Err = r.fail(Unreachable, err)
			}
			return
		}
		taken := cn.run(ctx, reqs)
		silent := errors.Is(ctx.Err(), context.DeadlineExceeded) && cn.silentSince(start)
		if taken {
			cn.learn(reqs)
		}
		c.release(cn, silent)
		if taken || ctx.Err() != nil {
			return
		}
	}
}

// outcome traces what was not answered and finds the error of the round.
func (c *Client) outcome(reqs []*Req) (first error) {
	late, answered := false, false
	defer func() { c.silent.Store(late && !answered) }()
	for _, r := range reqs {
		class := ClassOf(r.Err)
		if r.Err == nil || class != Unreachable && class != Unknown {
			answered = answered || class != Invalid
			continue
		}
		late = late || errors.Is(r.Err, context.DeadlineExceeded)
		if first == nil {
			first = r.Err
		}
		if c.opts.Trace != nil {
			traceFunc(c.opts.Trace).call(r, nil, r.Err)
		}
	}
	return first
}

// learn keeps what does not change as long as the connection stands, if the round has
// read it.
func (cn *conn) learn(reqs []*Req) {
	for _, r := range reqs {
		if r.Err != nil {
			continue
		}
		switch out := r.Result.(type) {
		case *Methods:
			if r.Method == getMethods {
				cn.methods.Store(out)
			}
		case *Reactors:
			cn.reactors.Store(out)
		}
	}
}
