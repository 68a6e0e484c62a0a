package recipe

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// export lets hosts reach the volume as configured, and takes away every other
// way there is.
func (s *subject) export() result {
	before := s.tally()
	s.inc = s.b.w.Incarnation(s.b.cfg.Cluster, s.id)
	s.removeOthers()
	s.inc = s.b.w.Incarnation(s.b.cfg.Cluster, s.id)
	if d := s.kernelDevice(s.engine); d != nil {
		s.startDevice(d, s.device())
	} else if s.v.Export.Kind == schema.ExportNVMf {
		s.exportNVMf()
	}
	// What comes next must hold the hosts that are let in here.
	s.inc = s.b.w.Incarnation(s.b.cfg.Cluster, s.id)
	return s.since(before)
}

// bound says why the export must stay as it is: an engine that serves nobody is
// believed only by a majority of the replicas, and one of a single leg is not
// there without its export. Otherwise it is "".
func (s *subject) bound() string {
	if s.Engine == "" || !slices.ContainsFunc(s.inc.Exports, s.unwanted) {
		return ""
	}
	if s.Device != s.b.cfg.Cluster.Raid(s.id) && s.Legs[0].Head == nil {
		return fmt.Sprintf("its replica on %s cannot be read", s.Legs[0].Node)
	}
	return s.inc.Minority(s.b.question(s.v))
}

// unwanted reports whether an export is not configured: of another kind, or on
// a node that is no longer the engine.
func (s *subject) unwanted(e state.Exported) bool {
	export := s.v.Export
	switch {
	case e.Node != s.engine:
		return true
	case e.Subsystem != nil:
		return export.Kind != schema.ExportNVMf
	case e.Ublk >= 0:
		return export.Kind != schema.ExportUblk || e.Ublk != export.UblkID
	}
	return export.Kind != schema.ExportNBD || e.NBD != export.NBD
}

// removeOthers ends the exports that are not configured.
func (s *subject) removeOthers() {
	for _, e := range s.inc.Exports {
		if !s.unwanted(e) {
			continue
		}
		s.endExport(because(s.v.At("export"), "%s is not exported this way on %s", s.v.Name, e.Node), e)
	}
}

func (s *subject) endExport(why reason, e state.Exported) {
	switch {
	case e.Subsystem != nil:
		s.sec.then(why, plan.RiskReduce, plan.SubsystemDelete{At: plan.At{Node: e.Node}, NQN: e.Subsystem.NQN})
	case e.Ublk >= 0:
		s.sec.then(why, plan.RiskReduce, plan.UblkStop{At: plan.At{Node: e.Node}, ID: e.Ublk})
	default:
		s.sec.then(why, plan.RiskReduce, plan.NBDStop{At: plan.At{Node: e.Node}, Path: e.NBD})
	}
}

func (s *subject) exportNVMf() {
	b, c := s.b, s.b.cfg.Cluster
	node, nqn := b.cfg.Node(s.engine), c.ExportNQN(s.id)
	sub := b.w.Nodes[s.engine].Subsystems[nqn]
	why := because(s.v.At("export"), "hosts reach %s over NVMe/TCP", s.v.Name)
	if sub == nil {
		b.transport(s.engine)
		s.sec.after(plan.NodeKey(s.engine))
		s.sec.then(why, plan.RiskCreate, plan.SubsystemCreate{At: plan.At{Node: s.engine}, NQN: nqn, Serial: c.Serial(s.id), AnyHost: s.v.Export.AnyHost, ANA: true})
		sub = b.w.Nodes[s.engine].Subsystems[nqn]
	}
	s.showDevice(why, sub)
	s.hosts(why, sub)
	s.listen(sub, node)
}

// showDevice makes the volume namespace 1 of its subsystem, with an identity
// that stays whatever bdev is behind it.
func (s *subject) showDevice(why reason, sub *state.Subsystem) {
	device, at := s.device(), s.b.w.Nodes[s.engine]
	if ns := sub.Namespaces[state.ExportNSID]; ns != nil {
		if same(at, ns.Bdev, device) {
			return
		}
		s.unshow(why)
	}
	uuid := s.b.cfg.Cluster.ExportUUID(s.id)
	s.sec.then(why, plan.RiskCreate, plan.NamespaceAdd{At: plan.At{Node: s.engine}, NQN: sub.NQN, NSID: state.ExportNSID, Bdev: device, UUID: uuid})
}

func (s *subject) hosts(why reason, sub *state.Subsystem) {
	var ops []plan.Op
	sub = s.b.w.Nodes[s.engine].Subsystems[sub.NQN]
	if sub.AnyHost != s.v.Export.AnyHost {
		ops = append(ops, plan.AnyHost{At: plan.At{Node: s.engine}, NQN: sub.NQN, Allow: s.v.Export.AnyHost})
	}
	for _, h := range s.v.Export.Hosts {
		if !slices.Contains(sub.Hosts, h) {
			ops = append(ops, plan.HostAllow{At: plan.At{Node: s.engine}, NQN: sub.NQN, Host: h})
		}
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	stranger := because(s.v.At("export"), "not a host of %s any more: its connections end", s.v.Name)
	s.sec.then(stranger, plan.RiskReduce, refusals(s.engine, sub, s.v.Export.Hosts...)...)
}

// listen makes the subsystem listen where its node is reached, and nowhere
// else; hosts that were held go on.
func (s *subject) listen(sub *state.Subsystem, node *schema.Node) {
	sub = s.b.w.Nodes[s.engine].Subsystems[sub.NQN]
	port := strconv.Itoa(node.Port)
	why := because(s.v.At("export"), "hosts reach %s at %s:%s", s.v.Name, node.Address, port)
	if !listens(sub, node.Address, port) {
		s.settleExport(why, sub)
		s.sec.then(why, plan.RiskCreate, plan.ListenerAdd{At: plan.At{Node: s.engine}, NQN: sub.NQN, Address: node.Address, Port: port})
	}
	for _, l := range slices.Clone(s.b.w.Nodes[s.engine].Subsystems[sub.NQN].Listeners) {
		switch {
		case l.Address != node.Address || l.Port != port:
			s.sec.then(why, plan.RiskReduce, plan.ListenerRemove{At: plan.At{Node: s.engine}, NQN: sub.NQN, Address: l.Address, Port: l.Port})
		case l.Paused:
			s.sec.then(why, plan.RiskCreate, plan.Resume{At: plan.At{Node: s.engine}, NQN: sub.NQN, Address: l.Address, Port: l.Port})
		}
	}
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

// muteOf finds them among those of a volume that is looked at, where not all are.
func (b *builder) muteOf(volume string) {
	for _, id := range b.w.Incarnations(volume) {
		for _, e := range b.w.Incarnation(b.cfg.Cluster, id).Exports {
			if sub := e.Subsystem; sub != nil && len(sub.Listeners) == 0 && sub.Namespaces[state.ExportNSID] != nil {
				b.mute[string(e.Node)+" "+string(sub.NQN)] = true
			}
		}
	}
}

// muteExports finds the exports that show a namespace and have no listener when
// the pass begins.
func (b *builder) muteExports() map[string]bool {
	mute := map[string]bool{}
	for name, n := range b.w.Nodes {
		for nqn, sub := range n.Subsystems {
			if _, export := b.cfg.Cluster.ParseExport(nqn); export && len(sub.Listeners) == 0 && sub.Namespaces[state.ExportNSID] != nil {
				mute[string(name)+" "+string(nqn)] = true
			}
		}
	}
	return mute
}

// same reports whether a bdev of a node is another under any name.
func same(at *state.Node, bdev, other string) bool {
	return bdev == other || at.Backing(bdev) != "" && at.Backing(bdev) == lineage.UUID(other)
}
