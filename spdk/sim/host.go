package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"strata/nvmetcp"
)

// Errors a host sees.
var (
	ErrRefused     = errors.New("connection refused: no listener, no such subsystem, or the host is not allowed")
	ErrNoNamespace = errors.New("no such namespace")
	// ErrGone is final: the kernel has taken the device away.
	ErrGone = errors.New("the device is gone")
	// ErrPath is not: there may be another path to the device.
	ErrPath = errors.New("the connection is lost")
)

// Host is a machine with an NVMe-oF initiator, outside of the targets.
type Host struct {
	c   *Cluster
	nqn string
	has offered
}

// With gives the host keys for authentication: its own, and what targets have to prove that
// they have; nil for none.
func (h *Host) With(host, target *nvmetcp.Key) *Host {
	h.has.host, h.has.target = host, target
	return h
}

// WithPSK gives the host a key of TLS; nil for none: it speaks plainly.
func (h *Host) WithPSK(psk *nvmetcp.PSK) *Host {
	if h.has.psk = ""; psk != nil {
		h.has.psk = psk.Text()
	}
	return h
}

// Host makes a host of that NQN.
func (c *Cluster) Host(nqn string) *Host { return &Host{c: c, nqn: nqn} }

// Conn is a host's connection to one subsystem by one address. As a Linux
// host with ctrlr_loss_timeout -1 does, it reconnects whenever it can.
type Conn struct {
	// Multipath makes I/O fail with ErrPath while there is no connection,
	// instead of waiting for it.
	Multipath bool
	// KeepAlive is after how long without a sign of life of a target, while I/O is under
	// way there, the path to it is given up, as a Linux host does with several paths; 0 for
	// never, as SPDK's initiator. What the target had taken in it may carry out later.
	KeepAlive time.Duration

	h      *Host
	addr   string
	nqn    string
	sub    *subsystem
	at     *listener
	id     uint16
	spaces map[uint32]*Namespace
	closed bool
	first  *Conn   // of which this is another path
	others []*Conn // other paths of this one
}

// Namespace is a block device on a host.
type Namespace struct {
	conn *Conn
	id   uint32
	uuid string
	size int64
	gone bool
}

// Connect connects to a subsystem at an address and port.
func (h *Host) Connect(addr, port, subnqn string) (*Conn, error) {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	k := &Conn{h: h, addr: fabricAddress(addr, port), nqn: subnqn, spaces: map[uint32]*Namespace{}}
	if !k.connect() {
		return nil, ErrRefused
	}
	return k, nil
}

func (k *Conn) connect() bool {
	q := k.h.c.fabric[k.addr]
	if q == nil || q.stuck() {
		return false
	}
	s := q.subsystems[k.nqn]
	if s == nil {
		return false
	}
	l, id, ok := s.connect(k.h.nqn, k.addr, k.h.has)
	if !ok || k.taken(id) {
		return false
	}
	k.sub, k.at, k.id = s, l, id
	s.conns = append(s.conns, k)
	k.changed(0)
	return true
}

// changed looks at all namespaces again: one that is not there, or is another
// one now, is gone for good.
func (k *Conn) changed(uint32) {
	if k.sub == nil {
		return
	}
	for id, n := range k.spaces {
		t := k.sub.spaces[id]
		switch {
		case t == nil || t.uuid != n.uuid:
			n.gone = !k.several()
			delete(k.spaces, id)
		default:
			n.size = t.bdev.bytes()
		}
	}
	for id, t := range k.sub.spaces {
		if k.spaces[id] == nil {
			k.spaces[id] = &Namespace{conn: k, id: id, uuid: t.uuid, size: t.bdev.bytes()}
		}
	}
}

func (k *Conn) reset()         { k.sub, k.at = nil, nil }
func (k *Conn) via() *listener { return k.at }
func (k *Conn) host() string   { return k.h.nqn }
func (k *Conn) number() uint16 { return k.id }

// Close disconnects.
func (k *Conn) Close() {
	k.h.c.mu.Lock()
	defer k.h.c.mu.Unlock()
	for _, p := range append([]*Conn{k}, k.others...) {
		if p.sub != nil {
			p.sub.disconnect(p)
			p.reset()
		}
		p.closed = true
	}
	k.h.c.notify()
}

// Namespace returns the device of a namespace id.
func (k *Conn) Namespace(id uint32) (*Namespace, error) {
	k.h.c.mu.Lock()
	defer k.h.c.mu.Unlock()
	k.alive()
	if n := k.spaces[id]; n != nil {
		return n, nil
	}
	return nil, ErrNoNamespace
}

// alive reconnects if need be.
func (k *Conn) alive() bool { return !k.closed && (k.sub != nil || k.connect()) }

// UUID identifies the namespace to hosts.
func (n *Namespace) UUID() string { return n.uuid }

// Size in bytes, as the host knows it.
func (n *Namespace) Size() int64 {
	n.conn.h.c.mu.Lock()
	defer n.conn.h.c.mu.Unlock()
	return n.sizeNow()
}

// ReadAt reads. It waits while the device is not accessible, until ctx ends.
func (n *Namespace) ReadAt(ctx context.Context, p []byte, off int64) error {
	q := make([]byte, len(p))
	err := n.do(ctx, off, len(p), func(b *bdev, o *op) error {
		return b.hostRead(o, q, off)
	})
	if err == nil {
		copy(p, q)
	}
	return err
}

// WriteAt writes. It waits while the device is not accessible, until ctx ends.
func (n *Namespace) WriteAt(ctx context.Context, p []byte, off int64) error {
	q := slices.Clone(p)
	return n.do(ctx, off, len(p), func(b *bdev, o *op) error {
		return b.hostWrite(o, q, off)
	})
}

// Discard tells the target that nobody needs n bytes from off on. It waits as WriteAt does.
func (n *Namespace) Discard(ctx context.Context, off, size int64) error {
	return n.do(ctx, off, int(size), func(b *bdev, o *op) error { return b.discard(o, off, size) })
}

// hostRead and hostWrite are I/O of a host, counted when it is done.
func (b *bdev) hostRead(o *op, p []byte, off int64) error {
	err := b.read(o, p, off)
	if err == nil {
		b.stat.reads++
		b.stat.readTicks += b.p.t.c.hostTicks()
		b.stat.bytesRead += uint64(len(p))
	}
	return err
}

func (b *bdev) hostWrite(o *op, p []byte, off int64) error {
	err := b.write(o, p, off)
	if err == nil {
		b.stat.writes++
		b.stat.writeTicks += b.p.t.c.hostTicks()
		b.stat.bytesWritten += uint64(len(p))
	}
	return err
}

// do sends an I/O to the target, again after each loss of the connection.
func (n *Namespace) do(ctx context.Context, off int64, size int, f func(*bdev, *op) error) error {
	k := n.conn
	c := k.h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		err := n.send(ctx, off, size, f)
		switch {
		case err == ErrPath && !k.Multipath:
		case err != errStalled:
			return err
		}
		if k.closed { // while the I/O was at the target
			return ErrGone
		}
		if err := c.wait(ctx); err != nil {
			return err
		}
	}
}

// send sends an I/O once. errStalled says that it cannot be sent now, ErrPath
// that the connection was lost.
func (n *Namespace) send(ctx context.Context, off int64, size int, f func(*bdev, *op) error) error {
	k := n.conn
	if n.gone || k.closed {
		return ErrGone
	}
	if k.several() {
		return n.sendAny(ctx, off, size, f)
	}
	if !k.alive() {
		return ErrPath
	}
	t := k.sub.spaces[n.id]
	switch {
	case k.sub.p.stuck():
		return errStalled
	case n.gone || t == nil || t.uuid != n.uuid: // it was found out on reconnecting
		n.gone = true
		return ErrGone
	case off < 0 || off+int64(size) > t.bdev.bytes():
		return einval
	case k.sub.ana && k.at.state(t.group) == "inaccessible": // it waits at the host
		return errStalled
	}
	return k.carry(ctx, t, f)
}

// carry has a target take an I/O in and waits for its end. ErrPath says that the
// connection was lost meanwhile.
func (k *Conn) carry(ctx context.Context, t *namespace, f func(*bdev, *op) error) error {
	at := k.sub
	x := t.take(f)
	for begun := time.Now(); !x.ended && k.sub == at; {
		if err := k.listen(ctx, begun); err != nil {
			return err
		}
	}
	if k.sub != at {
		return ErrPath
	}
	return x.err
}

// listen waits for something to happen to an I/O that was sent at that time. It gives the
// path up when the target has given no sign of life for too long.
func (k *Conn) listen(ctx context.Context, begun time.Time) error {
	most := k.paths()[0].KeepAlive
	if most == 0 || !k.sub.p.stuck() {
		return k.h.c.wait(ctx)
	}
	left := time.Until(begun.Add(most))
	if left <= 0 {
		k.sub.disconnect(k)
		k.reset()
		return nil
	}
	until, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if err := k.h.c.wait(until); err != nil {
		return ctx.Err()
	}
	return nil
}

// taken is an I/O that a target has taken in. It goes on whether its host
// waits for it or not.
type taken struct {
	ended bool
	err   error
}

func (t *namespace) take(f func(*bdev, *op) error) *taken {
	x, o := &taken{}, &op{}
	p, b := t.sub.p, t.bdev
	attempt := func() bool {
		switch {
		case p.dead:
			x.err = errNeverAnswered
		case b.p.bdevs.find(b.name) != b:
			x.err = eio
		case p.stuck():
			return false
		default:
			x.err = f(b, o)
		}
		x.ended = x.err != errStalled
		return x.ended
	}
	if attempt() {
		return x
	}
	o.hold(&t.outstanding)
	go func() {
		c := p.t.c
		c.mu.Lock()
		defer c.mu.Unlock()
		for !attempt() && c.wait(context.Background()) == nil {
		}
		o.end(c)
		c.notify()
	}()
	return x
}
