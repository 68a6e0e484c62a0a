package sim

import (
	"slices"
	"time"
)

// alternate is another address at which a controller looks for its peer.
type alternate struct {
	addr   address
	failed time.Time // it was last tried in vain then; zero where it was not since it was last connected by it
}

// alternate adds an address at which a controller looks for its peer when it does not reach it
// any more. It connects there once, and compares what it has with what is shown.
func (ct *controller) alternate(q *attachment) (any, error) {
	found, known := ct.p.keysOf(q.keys)
	switch {
	case q.Address == ct.addr.Address && q.Service == ct.addr.Service, q.NQN != ct.nqn, q.HostNQN != ct.hostNQN:
		return nil, ct.refuse(q)
	case !ct.failover && ct.p.build().recent:
		return nil, errno(einval)
	case !known:
		return nil, errno(enokey)
	}
	probe := &controller{p: ct.p, addr: q.address, nqn: ct.nqn, hostNQN: ct.hostNQN, keys: found, attachedWith: found}
	if probe.addr.Family == "" {
		probe.addr.Family = "IPv4"
	}
	peer := probe.peer()
	if peer == nil || !probe.mute(peer) {
		return ct.compared(probe)
	}
	heard := func() bool { p := probe.peer(); return p == nil || !probe.mute(p) }
	return nil, &later{ready: heard, limit: probe.tryFor(peer), done: func(bool) (any, error) { return ct.compared(probe) }}
}

// compared adds the address of probe, if all that ct has is shown there.
func (ct *controller) compared(probe *controller) (any, error) {
	peer := probe.peer()
	if (peer == nil || probe.cutOff(peer)) && !ct.p.build().recent { // nobody listens
		return nil, errno(enodev)
	}
	if peer == nil || probe.mute(peer) || peer.subsystems[ct.nqn] == nil {
		return nil, errno(eio)
	}
	s := peer.subsystems[ct.nqn]
	if _, _, ok := s.reach(ct.hostNQN, probe.addr.key()); !ok || !probe.proves(s) {
		return nil, errno(eio)
	}
	for _, a := range ct.others {
		if a.addr.key() == probe.addr.key() {
			return nil, errno(ealready)
		}
	}
	for id, r := range ct.spaces {
		if r.absent { // it reads what it does not have
			return ct.p.crash()
		}
		if s.spaces[id] == nil || s.spaces[id].uuid != r.bdev.uuid {
			return nil, errno(einval)
		}
	}
	at := slices.IndexFunc(ct.others, func(a alternate) bool { return !a.failed.IsZero() })
	if at < 0 {
		at = len(ct.others)
	}
	ct.others = slices.Insert(ct.others, at, alternate{addr: probe.addr})
	return []string{}, nil
}

// without takes an alternate address off the controller; false if it has none such.
func (ct *controller) without(at address) bool {
	n := len(ct.others)
	ct.others = slices.DeleteFunc(ct.others, func(a alternate) bool { return a.addr.key() == at.key() })
	return len(ct.others) < n
}

// turn has it look for its peer at the next of its addresses, and reports whether it does at
// once: unless it has been there in vain less than a reconnect delay ago.
func (ct *controller) turn() bool {
	if len(ct.others) == 0 {
		return false
	}
	next := ct.others[0]
	ct.others = append(ct.others[1:], alternate{addr: ct.addr, failed: time.Now()})
	ct.addr = next.addr
	return next.failed.IsZero() || time.Since(next.failed) >= seconds(int64(ct.reconnectDelay))
}

// goOn takes the address off by which the controller goes: it connects by another.
func (p *process) goOn(ct *controller, off address) (any, error) {
	switch ct.state {
	case ctrlResetting, ctrlDeleting:
		return nil, errno(ebusy)
	case ctrlEnabled:
		ct.lost()
	default:
		ct.turn()
	}
	ct.without(off)
	return true, nil
}
