package sweep

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"strata/backup"
	"strata/spdk/sim"
)

// network is what nodes and strata reach each other over with the data of volumes, in memory.
type network struct {
	w     *world
	mu    sync.Mutex
	ways  map[string]*pipes // what listens, by address
	ports int               // that were given
}

// by is how a process has it: what it has open is closed when it dies. a may be nil.
func (n *network) by(a *applier) *backup.Net {
	listen := func(_ context.Context, at string) (net.Listener, error) { return n.listen(at) }
	return &backup.Net{
		Listen: func(ctx context.Context) (net.Listener, error) { return listen(ctx, "") }, ListenAt: listen,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := n.dial(ctx, address)
			if err != nil || a == nil {
				return conn, err
			}
			if err := a.keep(conn); err != nil {
				conn.Close()
				return nil, err
			}
			return &way{Conn: conn, w: n.w, node: strings.Replace(strings.Split(address, ":")[0], "10.0.0.", "n", 1)}, nil
		},
	}
}

// archives are those that a process has; only a network to nodes where there are none.
func (w *world) archives(a *applier) *backup.Archives {
	if w.depot == nil {
		return &backup.Archives{Net: w.net.by(a)}
	}
	return w.depot.archives(a)
}

// listen listens at an address; "" is one of the machine that strata runs on.
func (n *network) listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if address == "" {
		n.ports++
		address = fmt.Sprintf("10.0.0.100:%d", 20000+n.ports)
	}
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	if n.ways[at.String()] != nil {
		return nil, fmt.Errorf("%s: address already in use", at)
	}
	l := &pipes{n: n, addr: at, conns: make(chan net.Conn), over: make(chan struct{})}
	n.ways[at.String()] = l
	return l, nil
}

func (n *network) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.ways[address]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("%s: connection refused", address)
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.over:
		return nil, fmt.Errorf("%s: connection refused", address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipes is a listener in memory.
type pipes struct {
	n     *network
	addr  *net.TCPAddr
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() {
		close(l.over)
		l.n.mu.Lock()
		delete(l.n.ways, l.addr.String())
		l.n.mu.Unlock()
	})
	return nil
}

func (l *pipes) Addr() net.Addr { return l.addr }

// way is a connection of strata to a node. What it discards over that is looked at by hook, as
// calls are.
type way struct {
	net.Conn
	w    *world
	node string
	left int    // bytes of a PDU that are still to be sent
	then func() // once they are
}

// Of an NVMe/TCP PDU that has a command: its type, how long its header is, where in that the
// opcode is, and the one of discards (Dataset Management).
const (
	capsuleCmd  = 4
	cmdLen      = 72
	opcodeAt    = 8
	opDiscard   = 9
	pduLengthAt = 4
)

var errParted = errors.New("the connection is lost")

func (x *way) Write(p []byte) (n int, err error) {
	if x.left == 0 && len(p) >= opcodeAt {
		x.left = int(binary.LittleEndian.Uint32(p[pduLengthAt:]))
		if len(p) >= cmdLen && p[0] == capsuleCmd && p[opcodeAt] == opDiscard {
			if err := x.before(x.w.atNetwork(sim.Call{Node: x.node, Method: "discard", Writes: true})); err != nil {
				return 0, err
			}
		}
	}
	n, err = x.Conn.Write(p)
	if x.left -= n; x.left == 0 && x.then != nil {
		x.then()
		x.then = nil
	}
	return n, err
}

// before has happen what does before a command is sent, and readies what does afterwards.
func (x *way) before(f sim.Fault) error {
	t := x.w.c.Target(x.node)
	if f.Hang > 0 {
		t.Freeze()
		time.AfterFunc(f.Hang, t.Thaw)
	}
	time.Sleep(f.Late)
	over := func() {
		if f.Kill {
			t.Stop()
		}
		x.Conn.Close()
	}
	switch {
	case f.LoseBefore || f.Err != nil:
		over()
		return errParted
	case f.Kill || f.Cut || f.LoseAfter:
		x.then = over
	}
	return nil
}
