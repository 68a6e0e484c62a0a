package spdk

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Client. The zero value is ready to use.
type Options struct {
	// Timeout bounds every call and round, in addition to its context; a Req
	// may have a longer one. 0: 10 s. A target that takes no bytes for so long
	// is given up.
	Timeout time.Duration

	// DialTimeout bounds the making of a connection. 0: 5 s, through ssh 10 s.
	DialTimeout time.Duration

	// Trace, if not nil, is told of every call that ended. It may be called
	// from several goroutines, must not call the client, and must keep neither
	// params nor result, which are nil where there are none.
	Trace func(method string, params, result json.RawMessage, err error, took time.Duration)

	// Password is that of the user in an http:// or https:// address.
	Password string

	// RootCAs vouch for an https:// proxy; nil: those that the machine trusts.
	RootCAs *x509.CertPool

	// SSH is how the host in an ssh:// address is reached; nil: with no keys.
	SSH *SSH

	// KeyDir is the directory on the host in an ssh:// address that has files with keys, and
	// nothing else; "" for none. Its parent is there.
	KeyDir string

	// KeyFiles, if not nil, are used in place of those.
	KeyFiles KeyFiles

	// Dial, if not nil, makes the connections: to the target, to its proxy or
	// to the sshd of its host. The network is "unix" or "tcp".
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

type traceFunc func(method string, params, result json.RawMessage, err error, took time.Duration)

func (t traceFunc) call(r *Req, result []byte, err error) {
	t(r.Method, r.raw, result, err, time.Since(r.start))
}

// Client talks to one target. Its methods may be called from many goroutines.
type Client struct {
	addr   string
	to     endpoint
	opts   Options
	rounds atomic.Int64
	heard  atomic.Int64 // bytes, through connections
	silent atomic.Bool
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	posts  *poster    // makes the calls, if the address is that of a proxy
	host   *sshDialer // makes the connections, if they go through ssh
	files  *sshFiles  // nil: none

	mu      sync.Mutex
	closed  bool
	current *conn              // takes the next round, if not broken
	conns   map[*conn]struct{} // current and retired ones
	dialing *dialing
}

// dialing is an attempt to connect that several callers may wait for.
type dialing struct {
	done chan struct{}
	conn *conn
	err  error
}

var errClientClosed = errors.New("client is closed")

// New returns a client of the target at addr, as Parse takes it. It does not
// connect.
func New(addr string, opts Options) (*Client, error) {
	to, err := parse(addr)
	if err != nil {
		return nil, err
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.DialTimeout <= 0 {
		opts.DialTimeout = 5 * time.Second
		if to.scheme == "ssh" {
			opts.DialTimeout = 10 * time.Second
		}
	}
	if opts.SSH == nil {
		opts.SSH = &SSH{}
	}
	if opts.Dial == nil {
		opts.Dial = dialNet
	}
	c := &Client{addr: addr, to: to, opts: opts, conns: make(map[*conn]struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	switch to.scheme {
	case "http", "https":
		c.posts = newPoster(to, &c.opts, c.ctx)
	case "ssh":
		c.host = &sshDialer{to: to, opts: &c.opts}
		if opts.KeyDir != "" {
			c.files = &sshFiles{c: c}
		}
	}
	return c, nil
}

// Addr is the address given to New.
func (c *Client) Addr() string { return c.addr }

// Rounds counts the rounds made so far; a single call is one.
func (c *Client) Rounds() int64 { return c.rounds.Load() }

// Bytes counts what the target has answered so far, in bytes.
func (c *Client) Bytes() int64 {
	if c.posts != nil {
		return c.posts.heard.Load()
	}
	return c.heard.Load()
}

// Heard is when the target last answered; the zero time when it has not yet, or
// not on a connection that still stands.
func (c *Client) Heard() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var at int64
	if c.posts != nil {
		at = c.posts.heardAt.Load()
	}
	for cn := range c.conns {
		at = max(at, cn.wire.heardAt.Load())
	}
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at)
}

// Silent reports whether the last round that has ended did so with calls for which the
// target was given all the time that they may take, and none that it has answered.
func (c *Client) Silent() bool { return c.silent.Load() }

// Close breaks the connection. Calls in flight end with Unknown, later ones
// with Unreachable.
func (c *Client) Close() error {
	c.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for cn := range c.conns {
		cn.wire.fail(errClientClosed)
	}
	if c.host != nil {
		c.host.close()
	}
	return nil
}

// acquire returns a connection for one round, made if need be. It must be
// released.
func (c *Client) acquire(ctx context.Context) (*conn, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, errClientClosed
	}
	if cn := c.current; cn != nil && cn.wire.broken() == nil {
		cn.inFlight++
		c.mu.Unlock()
		return cn, nil
	}
	d := c.dialing
	if d == nil {
		d = &dialing{done: make(chan struct{})}
		c.dialing = d
		go c.dial(d)
	}
	c.mu.Unlock()

	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.err != nil {
		return nil, d.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d.conn.inFlight++
	return d.conn, nil
}

// dial makes the connection that becomes the current one.
func (c *Client) dial(d *dialing) {
	defer close(d.done)
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.DialTimeout)
	defer cancel()
	nc, err := c.connect(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = nil
	switch {
	case err != nil:
		d.err = err
	case c.closed:
		nc.Close()
		d.err = errClientClosed
	default:
		if c.current != nil {
			c.retire(c.current)
		}
		d.conn = newConn(&countedConn{nc, &c.heard}, &c.opts)
		c.current = d.conn
		c.conns[d.conn] = struct{}{}
	}
}

func (c *Client) connect(ctx context.Context) (net.Conn, error) {
	if c.host != nil {
		return c.host.dial(ctx)
	}
	return c.opts.Dial(ctx, c.to.network, c.to.address)
}

// release ends a round on cn. A round that heard nothing until its deadline
// makes the next one use another connection.
func (c *Client) release(cn *conn, silent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cn.inFlight--
	if silent || cn.retired {
		c.retire(cn)
	}
}

// retire takes cn out of use. Rounds in flight on it may still finish.
func (c *Client) retire(cn *conn) {
	cn.retired = true
	if c.current == cn {
		c.current = nil
	}
	if cn.inFlight == 0 {
		cn.wire.Close()
		delete(c.conns, cn)
	}
}

// standing is the connection that takes the next round, or nil.
func (c *Client) standing() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cn := c.current; cn != nil && cn.wire.broken() == nil {
		return cn
	}
	return nil
}

// countedConn counts the bytes that come in.
type countedConn struct {
	net.Conn
	heard *atomic.Int64
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.heard.Add(int64(n))
	return n, err
}
