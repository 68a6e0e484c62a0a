package recipe

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// announce tells the peer of a link, if it is connected, what there is.
func (c *cluster) announce(m *machine, sub *state.Subsystem) {
	link, ok := c.cfg.Cluster.ParseLink(sub.NQN)
	if !ok {
		return
	}
	to := c.machines[link.To]
	ctrl := to.Controllers[c.cfg.Cluster.Controller(link)]
	if to.down || ctrl == nil || ctrl.NQN != sub.NQN || ctrl.State != "enabled" {
		return
	}
	for _, nsid := range slices.Sorted(maps.Keys(sub.Namespaces)) {
		u := lineage.UUID(sub.Namespaces[nsid].Bdev)
		if r := to.Remotes[u]; r != nil && r.Absent && r.Controller == ctrl.Name && r.NSID == nsid {
			r.Absent = false
			c.sendQueued(to, u)
		}
		if l := m.LvolByUUID(u); l != nil && to.Remotes[u] == nil {
			to.AddRemote(&state.Remote{Bdev: ctrl.Name + "n" + strconv.Itoa(nsid), UUID: u, Controller: ctrl.Name, NSID: nsid, Size: l.Size})
			c.revive(to, u)
		}
	}
}

func (c *cluster) removeNamespace(m *machine, sub *state.Subsystem, nsid int) {
	delete(sub.Namespaces, nsid)
	link, ok := c.cfg.Cluster.ParseLink(sub.NQN)
	if !ok {
		return
	}
	to := c.machines[link.To]
	if ctrl := to.Controllers[c.cfg.Cluster.Controller(link)]; ctrl != nil && ctrl.State == "enabled" {
		for _, u := range slices.Sorted(maps.Keys(to.Remotes)) {
			if r := to.Remotes[u]; r.Controller == ctrl.Name && r.NSID == nsid {
				c.dropRemote(to, r)
			}
		}
	}
}

// dropRemote takes a peer's namespace away, and what stands on it.
func (c *cluster) dropRemote(m *machine, r *state.Remote) {
	m.RemoveRemote(r)
	for _, raid := range m.Raids {
		raid.Drop(r.UUID)
	}
	c.degrade(m, r.UUID)
	delete(c.queued, waiting{m.Name, r.UUID})
	c.withoutBdev(m, string(r.UUID), r.Bdev)
	c.emptyRaids(m)
}

// dropLeg takes a local lvol out of the RAIDs.
func (c *cluster) dropLeg(m *machine, u lineage.UUID) {
	for _, r := range m.Raids {
		r.Drop(u)
	}
	c.withoutBdev(m, string(u))
	c.emptyRaids(m)
}

func (c *cluster) emptyRaids(m *machine) {
	for _, name := range slices.Sorted(maps.Keys(m.Raids)) {
		if !slices.ContainsFunc(m.Raids[name].Legs, func(l state.Leg) bool { return l.Configured }) {
			delete(m.Raids, name)
			c.withoutBdev(m, name)
		}
	}
}

// withoutBdev removes what showed a bdev that is no more.
func (c *cluster) withoutBdev(m *machine, names ...string) {
	for _, sub := range m.Subsystems {
		for nsid, ns := range sub.Namespaces {
			if slices.Contains(names, ns.Bdev) {
				c.removeNamespace(m, sub, nsid)
			}
		}
	}
	for name, is := range m.Ciphers {
		if slices.Contains(names, is.Base) {
			delete(m.Ciphers, name)
			c.withoutBdev(m, name)
		}
	}
	maps.DeleteFunc(m.Ublk, func(_ int, b string) bool { return slices.Contains(names, b) })
	maps.DeleteFunc(m.NBD, func(_ string, b string) bool { return slices.Contains(names, b) })
}

func (c *cluster) dropRemotes(m *machine, ctrl string) {
	for _, u := range slices.Sorted(maps.Keys(m.Remotes)) {
		if r := m.Remotes[u]; r != nil && r.Controller == ctrl {
			c.dropRemote(m, r)
		}
	}
}

func (c *cluster) attach(m *machine, op plan.ControllerAttach) error {
	if m.Controllers[op.Controller] != nil {
		return errors.New("controller exists")
	}
	ctrl := &state.Controller{Name: op.Controller, NQN: op.NQN, Address: op.Address, Port: op.Port, State: "reconnect_is_delayed"}
	pair, err := c.pairOf(m, op.Keys)
	if err != nil {
		return err
	}
	m.Controllers[op.Controller], c.proofs[proving{m.Name, ctrl.Name}] = ctrl, proof{names: op.Keys, pair: pair}
	c.reconnect(m, ctrl)
	if ctrl.State != "enabled" {
		c.disturbed = c.disturbed || c.parted()
		delete(m.Controllers, op.Controller)
		return errors.New("input/output error")
	}
	return nil
}

// alternate adds an address to a controller, or takes one off it.
func (c *cluster) alternate(m *machine, op plan.Op) error {
	if gone, ok := op.(plan.AlternateRemove); ok {
		ctrl := m.Controllers[gone.Controller]
		if ctrl == nil || !slices.Contains(ctrl.Alternates, gone.Portal()) {
			return errors.New("no such alternate")
		}
		ctrl.Alternates = slices.DeleteFunc(slices.Clone(ctrl.Alternates), func(p lineage.Portal) bool { return p == gone.Portal() })
		return nil
	}
	add := op.(plan.AlternateAdd)
	ctrl := m.Controllers[add.Controller]
	if ctrl == nil || ctrl.NQN != add.NQN {
		return errors.New("no such controller")
	}
	for _, r := range m.Remotes {
		if r.Controller == ctrl.Name && r.Absent {
			c.broken("%s ends, for it compares what %s has not", m.Name, ctrl.Name)
		}
	}
	if slices.Contains(ctrl.Portals(), add.Portal()) {
		return errors.New("already there")
	}
	link, _ := c.cfg.Cluster.ParseLink(ctrl.NQN)
	from := c.machines[link.From]
	sub := from.Subsystems[ctrl.NQN]
	if from.down || from.apart || m.apart || sub == nil || !slices.Contains(sub.Hosts, add.HostNQN) || !listens(sub, add.Portal()) {
		c.disturbed = c.disturbed || c.parted()
		return errors.New("input/output error")
	}
	ctrl.Alternates = append(slices.Clip(ctrl.Alternates), add.Portal())
	return nil
}

// reconnect lets a controller find its peer again if it can. What the peer
// does not show any more under its number is gone.
func (c *cluster) reconnect(m *machine, ctrl *state.Controller) {
	link, ok := c.cfg.Cluster.ParseLink(ctrl.NQN)
	if !ok || m.down || ctrl.State != "reconnect_is_delayed" {
		return
	}
	from := c.machines[link.From]
	sub := from.Subsystems[ctrl.NQN]
	if from.down || from.apart || m.apart || sub == nil || !slices.Contains(sub.Hosts, c.cfg.Cluster.HostNQN(link.To)) ||
		!slices.ContainsFunc(ctrl.Portals(), func(p lineage.Portal) bool { return listens(sub, p) }) || !c.admits(m, ctrl, from, sub) {
		return
	}
	c.note("  %s is connected to %s", m.Name, link.From)
	ctrl.State = "enabled"
	for _, u := range slices.Sorted(maps.Keys(m.Remotes)) {
		r := m.Remotes[u]
		if r.Controller != ctrl.Name {
			continue
		}
		if ns := sub.Namespaces[r.NSID]; ns == nil || ns.Bdev != string(u) {
			c.note("  but does not find %s there", u)
			if link.Wait && c.used(m, u) {
				r.Absent = true
				continue
			}
			c.dropRemote(m, r)
			continue
		}
		// What hosts had written meanwhile, and waited for, is written now.
		c.sendQueued(m, u)
	}
	c.announce(from, sub)
}

// used reports whether an engine on m still writes to u.
func (c *cluster) used(m *machine, u lineage.UUID) bool {
	for _, r := range m.Raids {
		if slices.ContainsFunc(r.Legs, func(l state.Leg) bool { return l.UUID == u }) {
			return true
		}
	}
	for _, sub := range m.Subsystems {
		for _, ns := range sub.Namespaces {
			if ns.Bdev == string(u) {
				return true
			}
		}
	}
	for _, is := range m.Ciphers {
		if is.Base == string(u) {
			return true
		}
	}
	return false
}

// peerLost is what the peer of a link sees when its subsystem goes away.
func (c *cluster) peerLost(m *machine, nqn lineage.NQN) {
	link, ok := c.cfg.Cluster.ParseLink(nqn)
	if !ok {
		return
	}
	to := c.machines[link.To]
	if ctrl := to.Controllers[c.cfg.Cluster.Controller(link)]; ctrl != nil && ctrl.NQN == nqn && ctrl.State == "enabled" {
		ctrl.State = "reconnect_is_delayed"
	}
}
