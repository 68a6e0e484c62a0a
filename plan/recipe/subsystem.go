package recipe

import (
	"cmp"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// exportNVMf lets hosts reach a bdev over NVMe/TCP, or RDMA.
func (s *subject) exportNVMf(bdev string) {
	b := s.b
	node, nqn := b.cfg.Node(s.engine), b.cfg.Cluster.ExportNQN(s.id.Whole())
	sub := b.w.Nodes[s.engine].Subsystems[nqn]
	why := because(s.v.At("export"), "hosts reach %s over NVMe/%s", s.v.Name, lineage.Transport(s.v.Export.RDMA))
	if sub == nil {
		s.subsystem(why, s.engine)
		sub = b.w.Nodes[s.engine].Subsystems[nqn]
	}
	s.showDevice(why, sub, bdev)
	s.hosts(why, s.engine, sub)
	s.listen(sub, node)
	s.leaveKeys()
}

// showDevice makes a bdev namespace 1 of the volume's subsystem, with an identity
// that stays whatever bdev it is.
func (s *subject) showDevice(why reason, sub *state.Subsystem, bdev string) {
	if ns := sub.Namespaces[state.ExportNSID]; ns != nil {
		if same(s.b.w.Nodes[s.engine], ns.Bdev, bdev) {
			return
		}
		if why := s.unconfigured(); why != "" {
			s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), "", "its hosts are shown %s, and not %s: %s", ns.Bdev, bdev, why)
			return
		}
		s.goDown(why, atExport-1)
	}
	add := plan.NamespaceAdd{At: plan.At{Node: s.engine}, NQN: sub.NQN, NSID: state.ExportNSID, Bdev: bdev, UUID: s.b.cfg.Cluster.ExportUUID(s.id.Whole())}
	show := func() { s.sec.then(why, plan.RiskCreate, add) }
	if lets := slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return !l.Paused }); lets {
		show() // no host is let in before all replicas know of the epoch
	} else {
		s.whileTold(show)
	}
}

// hosts lets the configured hosts in to a subsystem of a node, and no others.
func (s *subject) hosts(why reason, n lineage.Node, sub *state.Subsystem) {
	sub = s.b.w.Nodes[n].Subsystems[sub.NQN]
	if len(sub.Listeners) > 0 && !s.may(schema.DutyChange) {
		return
	}
	any := plan.AnyHost{At: plan.At{Node: n}, NQN: sub.NQN, Allow: s.v.Export.AnyHost}
	ops := s.keyed(why, n, sub)
	if any.Allow && !sub.AnyHost {
		ops = append(ops, any)
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	s.dropKeys(n)
	if s.b.unattended() {
		return
	}
	if sub.AnyHost && !any.Allow {
		strangers := because(s.v.At("export"), "only some hosts may reach %s from here on: connections of others end", s.v.Name)
		s.sec.then(strangers, plan.RiskReduce, any)
	}
	stranger := because(s.v.At("export"), "not a host of %s any more: its connections end", s.v.Name)
	s.sec.then(stranger, plan.RiskReduce, refusals(n, sub, s.v.Export.Hosts...)...)
}

// listen makes the subsystem listen where its node is reached, and nowhere
// else; hosts that were held go on.
func (s *subject) listen(sub *state.Subsystem, node *schema.Node) {
	sub = s.b.w.Nodes[s.engine].Subsystems[sub.NQN]
	wanted := s.portals(node)
	why := because(s.v.At("export"), "hosts reach %s at %s", s.v.Name, sayPortals(wanted))
	silent := len(sub.Listeners) == 0
	s.unhear(node, sub, wanted)
	sub = s.b.w.Nodes[s.engine].Subsystems[sub.NQN]
	for _, p := range wanted {
		if listens(sub, p) || !silent && !s.may(schema.DutyChange) || s.heardPlainly(s.engine, sub.NQN, p) {
			continue
		}
		if p == wanted[0] {
			s.settleExport(why, sub)
			s.moveAddress(sub.NQN)
		}
		s.hear(why, s.engine, sub.NQN, p, false)
	}
	var held []lineage.Portal
	sub = s.b.w.Nodes[s.engine].Subsystems[sub.NQN]
	for _, l := range slices.Clone(sub.Listeners) {
		switch stray := !slices.Contains(wanted, l.Portal()) && (l.TLS || !s.plainly(sub)); {
		case stray && s.b.unattended():
		case stray:
			s.sec.then(why, plan.RiskReduce, plan.ListenerRemove{At: plan.At{Node: s.engine}, NQN: sub.NQN, Address: l.Address, Port: l.Port, RDMA: l.RDMA})
		case l.Paused:
			held = append(held, l.Portal())
		}
	}
	if len(held) > 0 {
		s.sec.then(why, plan.RiskCreate, plan.Resume{At: plan.At{Node: s.engine}, NQN: sub.NQN, Portals: held})
	}
}

func sayPortals(all []lineage.Portal) string {
	var words []string
	for _, p := range all {
		words = append(words, p.String())
	}
	return strings.Join(words, " and ")
}

// settleExport makes sure that a namespace which was found without any listener
// stays. A removal of it may be under way that waits for a leg that stalls, and
// hosts that connect before it ends lose their disk.
func (s *subject) settleExport(why reason, sub *state.Subsystem) {
	ns := sub.Namespaces[state.ExportNSID]
	if ns == nil || !s.b.mute[string(s.engine)+" "+string(sub.NQN)] {
		return
	}
	s.sec.then(why, plan.RiskPause, plan.Drain{At: plan.At{Node: s.engine}, NQN: sub.NQN, NSID: state.ExportNSID, ANAGroup: ns.ANAGroup})
}

// muted notes a subsystem of an export that shows a namespace and has no listener
// when the pass begins.
func (b *builder) muted(n lineage.Node, sub *state.Subsystem) {
	if len(sub.Listeners) == 0 && sub.Namespaces[state.ExportNSID] != nil {
		b.mute[string(n)+" "+string(sub.NQN)] = true
	}
}

// muteExports looks at all exports.
func (b *builder) muteExports() {
	for name, n := range b.w.Nodes {
		for nqn, sub := range n.Subsystems {
			if _, export := b.cfg.Cluster.ParseExport(nqn); export {
				b.muted(name, sub)
			}
		}
	}
}

// muteOf looks at those of a volume, where not all are looked at.
func (b *builder) muteOf(volume string) {
	for _, id := range b.w.Incarnations(volume) {
		for _, e := range b.w.Incarnation(id).Exports {
			if e.Subsystem != nil {
				b.muted(e.Node, e.Subsystem)
			}
		}
	}
}

// lowerSubsystem takes the volume away from the hosts of a subsystem, which stays:
// the listener first, so that they reconnect and find the same namespace instead of
// losing their disk. Where they are to find it at another address than before, the
// target has to listen there first: it might not be able to.
func (s *subject) lowerSubsystem(why reason, e state.Exported) {
	s.tryAddress(why, e)
	for _, l := range slices.Clone(e.Subsystem.Listeners) {
		if v := s.v.Export.VIP; v != nil && l.Address == v.Address {
			s.heardAt = e.Node
		}
		s.sec.then(why, plan.RiskPause, plan.ListenerRemove{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, Address: l.Address, Port: l.Port, RDMA: l.RDMA})
	}
	if ns := e.Subsystem.Namespaces[state.ExportNSID]; ns != nil {
		s.sec.then(why, plan.RiskPause, plan.NamespaceRemove{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, NSID: state.ExportNSID, Bdev: ns.Bdev})
	}
}

// tryAddress makes an export that listens, and whose engine stays, listen where
// hosts are to reach it from here on.
func (s *subject) tryAddress(why reason, e state.Exported) {
	node, next := s.b.cfg.Node(e.Node), cmp.Or(s.to, s.engine)
	if len(e.Subsystem.Listeners) == 0 || e.Node != next || s.v.Export.Kind != schema.ExportNVMf || node == nil {
		return
	}
	for _, p := range s.portals(node) {
		if listens(e.Subsystem, p) {
			continue
		}
		if s.v.Export.VIP != nil {
			s.moveAddress(e.Subsystem.NQN)
		}
		s.hear(why, e.Node, e.Subsystem.NQN, p, false)
	}
}

// exporter is the node that still has the export of a volume that was taken
// down: hosts wait for it there.
func (s *subject) exporter() lineage.Node {
	for _, e := range s.inc.Exports {
		if e.Subsystem != nil && e.Device == "" && !s.unfinished(e.Node) {
			return e.Node
		}
	}
	return ""
}

// unfinished reports whether an export that hosts cannot reach is a standby path that was
// not completed: the volume was served where the authority is, and is again.
func (s *subject) unfinished(n lineage.Node) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Head != nil && l.Head.Name.Mark == lineage.Primary && l.Node != n
	})
}

// paused returns what lets those of the volume's hosts go on that are held.
func (s *subject) paused() (resumes []plan.Op) {
	for _, e := range s.inc.Exports {
		if e.Subsystem == nil || e.Device == "" {
			continue
		}
		if held := portalsOf(e.Subsystem, func(l state.Listener) bool { return l.Paused }); len(held) > 0 {
			resumes = append(resumes, plan.Resume{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, Portals: held})
		}
	}
	return resumes
}

// pauses returns what holds all the volume's hosts, and what lets them go. They
// may have been let in by this very pass.
func (s *subject) pauses() (pauses, resumes []plan.Op) {
	for _, e := range s.b.w.Incarnation(s.id).Exports {
		if e.Subsystem == nil || e.Device == "" {
			continue
		}
		group := e.Subsystem.Namespaces[state.ExportNSID].ANAGroup
		if all := portalsOf(e.Subsystem, func(state.Listener) bool { return true }); len(all) > 0 {
			pauses = append(pauses, plan.Pause{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, NSID: state.ExportNSID, ANAGroup: group, Portals: all, LimitMs: s.b.cfg.PauseLimitMs})
			resumes = append(resumes, plan.Resume{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN, Portals: all})
		}
	}
	return pauses, resumes
}

// portalsOf are where a subsystem listens, as far as its listeners are such.
func portalsOf(sub *state.Subsystem, such func(state.Listener) bool) (all []lineage.Portal) {
	for _, l := range sub.Listeners {
		if such(l) {
			all = append(all, l.Portal())
		}
	}
	return all
}
