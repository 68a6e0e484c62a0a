package sim

import "slices"

// leads reports whether an attachment under a controller's name is another path to the same, which
// is simulated where that is abroad.
func (ct *controller) leads(q *attachment) bool {
	to := controller{p: ct.p, addr: q.address}
	return ct.travels && q.Multipath == "multipath" && q.NQN == ct.nqn && q.HostNQN == ct.hostNQN &&
		!slices.ContainsFunc(ct.ways(), func(a address) bool { return a.key() == q.address.key() }) && to.peer() == nil
}

// ways are the paths of a controller, in the order in which they were attached.
func (ct *controller) ways() []address { return append(slices.Clone(ct.before), ct.addr) }

// detour attaches another path. I/O goes by the one that was attached last, whose clocks are
// its own; those before it do nothing any more.
func (ct *controller) detour(to address) (any, error) {
	return nil, ct.journey(to, func(found *abroad) (any, error) {
		if found == nil {
			return nil, errno(eio)
		}
		if ct.state == ctrlDeleting || ct.p.controller(ct.name) != ct {
			go found.host.Close()
			return nil, errno(eio)
		}
		ct.comeHome()
		ct.before, ct.addr = ct.ways(), to
		ct.attempts++
		ct.stranded, ct.failIO = false, false
		ct.resettle(found)
		names := []string{}
		for _, r := range ct.spaces {
			names = append(names, r.bdev.name)
		}
		slices.Sort(names)
		return names, nil
	})
}

// leave takes a path away that another was attached after; false if there is none at that address.
func (ct *controller) leave(at address) bool {
	n := len(ct.before)
	ct.before = slices.DeleteFunc(ct.before, func(a address) bool { return a.key() == at.key() })
	return len(ct.before) < n
}
