package sim

import (
	"context"
	"net"
	"slices"
	"strings"
)

// Also gives the host another path to what it is connected to, by another target's
// subsystem of the same NQN. From then on the connection is several, as a kernel has
// them with native multipath, and a device goes only when no path has it any more: one
// that is being connected again counts as it was. As there, a path is refused on which the
// controller has the number of another.
func (k *Conn) Also(addr, port string) error {
	k.h.c.mu.Lock()
	defer k.h.c.mu.Unlock()
	p := &Conn{h: k.h, addr: fabricAddress(addr, port), nqn: k.nqn, first: k, spaces: map[uint32]*Namespace{}}
	k.others = append(k.others, p)
	if !p.connect() {
		k.others = k.others[:len(k.others)-1]
		return ErrRefused
	}
	return nil
}

// At is the address and port that it goes to.
func (k *Conn) At() string { return k.addr }

// fabricAddress is how the fabric calls an address and a port.
func fabricAddress(addr, port string) string {
	return strings.NewReplacer("[", "", "]", "").Replace(net.JoinHostPort(addr, port))
}

// paths are all that the host has beside this one or with it.
func (k *Conn) paths() []*Conn {
	if k.first != nil {
		k = k.first
	}
	return append([]*Conn{k}, k.others...)
}

// several reports whether it is one path of several.
func (k *Conn) several() bool { return k.first != nil || len(k.others) > 0 }

// taken reports whether another path of the host has a controller of that number.
func (k *Conn) taken(id uint16) bool {
	return slices.ContainsFunc(k.paths(), func(p *Conn) bool { return p != k && p.sub != nil && p.id == id })
}

// sendAny is send by whichever path leads to the device.
func (n *Namespace) sendAny(ctx context.Context, off int64, size int, f func(*bdev, *op) error) error {
	there := false
	for _, p := range n.conn.paths() {
		p.alive() // each comes back by itself, whether it is needed or not
	}
	for _, p := range n.conn.paths() {
		if !p.alive() {
			there = there || p.spaces[n.id] != nil
			continue
		}
		t := p.sub.spaces[n.id]
		if t == nil || t.uuid != n.uuid {
			continue
		}
		there = true
		switch {
		case p.sub.p.stuck(), p.sub.ana && p.at.state(t.group) != "optimized":
			continue
		case off < 0 || off+int64(size) > t.bdev.bytes():
			return einval
		}
		err := p.carry(ctx, t, f)
		if err == ErrPath {
			return errStalled // it is sent again, by whatever path there is then
		}
		return err
	}
	if !there {
		n.gone = true
		return ErrGone
	}
	return errStalled
}

// sizeNow is what the host knows of the size on any path.
func (n *Namespace) sizeNow() int64 {
	for _, p := range n.conn.paths() {
		if s := p.spaces[n.id]; s != nil && s.uuid == n.uuid {
			return s.size
		}
	}
	return n.size
}
