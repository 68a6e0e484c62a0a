package sim

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"strata/nvmetcp"
)

// abroad is a subsystem on a network, which is not simulated, as a controller is attached
// to it.
type abroad struct {
	host  *nvmetcp.Host
	disks map[uint32]*nvmetcp.Device
}

// abroadPoll is how often a copy looks whether what it sent abroad is done.
const abroadPoll = 200 * time.Microsecond

// attachAbroad attaches to a subsystem that is not simulated.
func (p *process) attachAbroad(ct *controller, attached func(bool)) (any, error) {
	return nil, ct.journey(ct.addr, func(found *abroad) (any, error) {
		attached(found != nil)
		if found == nil {
			return nil, errno(eio)
		}
		return ct.arrive(found), nil
	})
}

// journey goes to an address; arrived is told of what is there, nil for nothing.
func (ct *controller) journey(to address, arrived func(*abroad) (any, error)) *later {
	var found *abroad
	p, over, has := ct.p, false, ct.offers()
	go func() {
		made, err := ct.travel(to, has)
		p.t.c.mu.Lock()
		defer p.t.c.mu.Unlock()
		switch over = true; {
		case err != nil:
		case p.dead:
			go made.host.Close()
		default:
			found = made
		}
		p.t.c.notify()
	}()
	return &later{ready: func() bool { return over }, done: func(bool) (any, error) { return arrived(found) }}
}

// travel connects, without the lock, and proves to be a host with these keys.
func (ct *controller) travel(to address, has offered) (*abroad, error) {
	ctx, cancel := context.WithTimeout(context.Background(), hungTimeout)
	defer cancel()
	dial := func(ctx context.Context, address string) (net.Conn, error) { return ct.p.t.c.opts.Dial(ctx, address) }
	h, err := nvmetcp.Connect(ctx, net.JoinHostPort(to.Address, to.Service),
		nvmetcp.HostOptions{HostNQN: ct.hostNQN, Subsystem: ct.nqn, Key: has.host, TargetKey: has.target, Dial: dial})
	if err != nil {
		return nil, err
	}
	a := &abroad{host: h, disks: map[uint32]*nvmetcp.Device{}}
	ids, err := h.Namespaces(ctx)
	for _, id := range ids {
		if err == nil {
			a.disks[id], err = h.Open(ctx, id)
		}
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return a, nil
}

// arrive shows what is there as bdevs.
func (ct *controller) arrive(a *abroad) []string {
	ct.settle(a)
	names := []string{}
	for _, id := range slices.Sorted(maps.Keys(a.disks)) {
		d := a.disks[id]
		r := &remote{ct: ct, nsid: id, disk: d}
		r.bdev = &bdev{name: fmt.Sprintf("%sn%d", ct.name, id), uuid: uuidText(d.UUID), product: "NVMe disk",
			blockSize: uint32(d.BlockSize), numBlocks: uint64(d.Size) / uint64(d.BlockSize), dev: r}
		ct.spaces[id] = r
		if ct.p.register(r.bdev) != nil {
			delete(ct.spaces, id)
			continue
		}
		names = append(names, r.bdev.name)
	}
	return names
}

// settle is connected from now on, until that is lost.
func (ct *controller) settle(a *abroad) {
	ct.abroad, ct.travels = a, true
	ct.state, ct.id, ct.serial, ct.model = ctrlEnabled, a.host.ID, a.host.Serial, a.host.Model
	ct.epoch++
	go func() {
		<-a.host.Lost()
		ct.p.t.c.mu.Lock()
		defer ct.p.t.c.mu.Unlock()
		if ct.abroad == a && !ct.p.dead {
			ct.lost()
			ct.p.t.c.notify()
		}
	}()
}

// travelAgain tries to connect again.
func (ct *controller) travelAgain() {
	n, to, has := ct.attempts, ct.addr, ct.offers()
	go func() {
		made, err := ct.travel(to, has)
		ct.p.t.c.mu.Lock()
		defer ct.p.t.c.mu.Unlock()
		switch over := ct.p.dead || ct.attempts != n || ct.state != ctrlResetting; {
		case over && err == nil:
			go made.host.Close()
		case over:
		case err != nil:
			ct.failed()
		default:
			ct.resettle(made)
		}
		ct.p.t.c.notify()
	}()
}

// resettle is settle where it was before: what is there under a number is taken for the same.
func (ct *controller) resettle(a *abroad) {
	for id, r := range ct.spaces {
		if r.disk = a.disks[id]; r.disk == nil {
			r.disk = &nvmetcp.Device{}
		}
		r.setAbsent(a.disks[id] == nil)
	}
	ct.settle(a)
}

// comeHome ends a connection to a subsystem abroad.
func (ct *controller) comeHome() {
	if ct.abroad != nil {
		go ct.abroad.host.Close()
		ct.abroad = nil
	}
}

func uuidText(id [16]byte) string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// doAbroad is do for a namespace abroad.
func (r *remote) doAbroad(o *op, w part, p []byte) error {
	ct := r.ct
	s := o.sent[w]
	if s != nil && !s.x.ended {
		return errStalled
	}
	if s != nil {
		same := ct.abroad != nil && ct.epoch == s.epoch
		if s.lost && same {
			return errStalled // that the connection is lost is noted in a moment
		}
		delete(o.sent, w)
		switch {
		case s.x.err == nil && !s.lost:
			if w.does == toRead {
				copy(p, s.buf)
			}
			return nil
		case same:
			return s.x.err // the peer has refused it
		}
	}
	if ct.abroad == nil {
		if (ct.state == ctrlDelayed || ct.state == ctrlResetting) && !ct.failIO && ct.p.nvmeOpts.Retries != 0 {
			return errStalled // it is sent again
		}
		return eio
	}
	if r.absent {
		return errStalled
	}
	s = &sent{buf: slices.Clone(p), epoch: ct.epoch, x: &taken{}}
	if o.sent == nil {
		o.sent = map[part]*sent{}
	}
	o.sent[w] = s
	disk := r.disk
	go func() {
		var err error
		switch w.does {
		case toWrite:
			err = disk.WriteAt(context.Background(), s.buf, w.off)
		case toDiscard:
			err = disk.Discard(context.Background(), w.off, w.size)
		default:
			err = disk.ReadAt(context.Background(), s.buf, w.off)
		}
		c := ct.p.t.c
		c.mu.Lock()
		defer c.mu.Unlock()
		var refused nvmetcp.Status
		switch s.x.ended = true; {
		case errors.As(err, &refused):
			s.x.err = eio
		case err != nil:
			s.lost = true
		}
		c.notify()
	}()
	return errStalled
}
