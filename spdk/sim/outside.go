package sim

import (
	"context"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"sync"

	"strata/nvmetcp"
)

// door is where hosts outside of the simulation reach a target: a listener on a
// network, for an address that subsystems of the target listen on.
type door struct {
	p      *process
	addr   string // of the fabric
	l      net.Listener
	served *nvmetcp.Target
}

// openDoor opens the door of an address, if there are doors and it is not open. It
// reports false where nothing can listen.
func (p *process) openDoor(addr string) bool {
	listen := p.t.c.opts.NVMe
	if listen == nil || p.doors[addr] != nil || strings.HasPrefix(addr, overRDMA) {
		return true
	}
	l, err := listen(p.t.name, addr)
	if err != nil {
		return false
	}
	d := &door{p: p, addr: addr, l: l}
	d.served = &nvmetcp.Target{Connect: d.connect}
	if p.doors == nil {
		p.doors = map[string]*door{}
	}
	p.doors[addr] = d
	go d.served.Serve(gate{l, p, addr})
	return true
}

// shutDoor closes the door of an address. Its connections end with their subsystems.
func (p *process) shutDoor(addr string) {
	if d := p.doors[addr]; d != nil {
		delete(p.doors, addr)
		d.l.Close() // now: the address may be taken at once
		go d.served.Close()
	}
}

// connect admits a host as the fabric admits any other.
func (d *door) connect(x *nvmetcp.Session) (nvmetcp.Controller, error) {
	d.p.t.c.mu.Lock()
	defer d.p.t.c.mu.Unlock()
	s := d.p.subsystems[x.Subsystem()]
	if d.p.dead || s == nil || !slices.ContainsFunc(s.listeners, func(l *listener) bool { return l.addr.key() == d.addr }) {
		return nvmetcp.Controller{}, nvmetcp.ErrSubsystem
	}
	l, id, ok := s.reach(x.Host(), d.addr)
	if !ok {
		return nvmetcp.Controller{}, nvmetcp.ErrHost
	}
	o := &outsider{c: d.p.t.c, sub: s, at: l, id: id, session: x}
	s.conns = append(s.conns, o)
	keys := s.keys[x.Host()].read()
	return nvmetcp.Controller{
		HostKey: keys.host, TargetKey: keys.target,
		ID: id, Serial: s.serial, Model: s.model, MaxNamespaces: s.maxNS, ANA: s.ana, View: o, Left: o.left,
	}, nil
}

// outsider is the connection of a host outside of the simulation.
type outsider struct {
	c       *Cluster
	sub     *subsystem
	at      *listener
	id      uint16
	session *nvmetcp.Session
	over    bool
}

func (o *outsider) changed(nsid uint32) { o.session.Changed(nsid) }
func (o *outsider) via() *listener      { return o.at }
func (o *outsider) host() string        { return o.session.Host() }
func (o *outsider) number() uint16      { return o.id }

func (o *outsider) reset() {
	o.over = true
	o.session.Close()
	o.c.notify()
}

// left is called when the host has gone.
func (o *outsider) left() {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	o.over = true
	o.sub.disconnect(o)
	o.c.notify()
}

// Namespaces are those of the subsystem, as its listener has them.
func (o *outsider) Namespaces() []nvmetcp.Namespace {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	all := make([]nvmetcp.Namespace, 0, len(o.sub.spaces))
	for _, n := range o.sub.spaces {
		all = append(all, o.show(n))
	}
	slices.SortFunc(all, func(a, b nvmetcp.Namespace) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
}

// Namespace is one of them.
func (o *outsider) Namespace(id uint32) (nvmetcp.Namespace, bool) {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	n := o.sub.spaces[id]
	if n == nil {
		return nvmetcp.Namespace{}, false
	}
	return o.show(n), true
}

var anaStates = map[string]nvmetcp.State{
	"optimized": nvmetcp.StateOptimized, "non_optimized": nvmetcp.StateNonOptimized, "inaccessible": nvmetcp.StateInaccessible,
}

func (o *outsider) show(n *namespace) nvmetcp.Namespace {
	data := space{o, n}
	shown := nvmetcp.Namespace{
		ID: n.id, UUID: id128(n.uuid), NGUID: id128(n.nguid), BlockSize: int(n.bdev.blockSize), Size: n.bdev.bytes(),
		Group: n.group, State: anaStates[o.at.state(n.group)], Backend: data,
	}
	if n.bdev.types&ioUnmap != 0 {
		shown.Backend = discardable{data}
	}
	return shown
}

// id128 reads a UUID or an NGUID, zero if it is none.
func id128(text string) (id [16]byte) {
	if b, err := hex.DecodeString(strings.ReplaceAll(text, "-", "")); err == nil {
		copy(id[:], b)
	}
	return id
}

// space is the data of a namespace for one host.
type space struct {
	o *outsider
	n *namespace
}

func (s space) ReadAt(p []byte, off int64) (int, error) {
	buf := make([]byte, len(p)) // which the target goes on filling when the host has gone
	err := s.do(func(b *bdev, o *op) error { return b.hostRead(o, buf, off) })
	if err != nil {
		return 0, err
	}
	return copy(p, buf), nil
}

func (s space) WriteAt(p []byte, off int64) (int, error) {
	buf := slices.Clone(p)
	err := s.do(func(b *bdev, o *op) error { return b.hostWrite(o, buf, off) })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// discardable is the data of one that takes discards.
type discardable struct{ space }

func (s discardable) DiscardAt(off, n int64) error {
	return s.do(func(b *bdev, o *op) error { return b.discard(o, off, n) })
}

// do has the target take an I/O in, and waits for its end, or the host's.
func (s space) do(f func(*bdev, *op) error) error {
	c := s.o.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.o.over || s.o.sub.spaces[s.n.id] != s.n {
		return nvmetcp.InvalidNamespace
	}
	x := s.n.take(f)
	for !x.ended && !s.o.over {
		if err := c.wait(context.Background()); err != nil {
			return err
		}
	}
	if !x.ended || x.err != nil {
		return nvmetcp.InternalError
	}
	return nil
}

// restated tells hosts outside that ANA states of a listener, or of all, are others.
func (s *subsystem) restated(l *listener) {
	for _, i := range s.conns {
		if o, ok := i.(*outsider); ok && (l == nil || o.at == l) {
			o.session.StateChanged()
		}
	}
}

// gate holds up what comes in while the target answers nothing.
type gate struct {
	net.Listener
	p    *process
	addr string // of the fabric
}

func (g gate) Accept() (net.Conn, error) {
	nc, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if g.byTLS() {
		nc.Close() // as a target does that hears no TLS
		return nc, nil
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nc, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &gated{TCPConn: tcp, p: g.p, ctx: ctx, cancel: cancel}, nil
}

func (g gate) byTLS() bool {
	g.p.t.c.mu.Lock()
	defer g.p.t.c.mu.Unlock()
	return g.p.secure[g.addr]
}

type gated struct {
	*net.TCPConn
	p      *process
	ctx    context.Context // until it is closed
	cancel context.CancelFunc
	once   sync.Once
}

func (g *gated) Read(b []byte) (int, error) {
	n, err := g.TCPConn.Read(b)
	c := g.p.t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for g.p.stuck() && !g.p.dead {
		if c.wait(g.ctx) != nil {
			return 0, net.ErrClosed
		}
	}
	return n, err
}

func (g *gated) Close() error {
	g.once.Do(g.cancel)
	return g.TCPConn.Close()
}
