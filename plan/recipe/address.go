package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Hosts may come by an address that follows the engine (schema.VIP), for which another's
// program sees. The engine listens there and nowhere else. Ladder, of an engine that moves or
// that another takes over from:
//
//	tried    before hosts are held, the program says where the address is
//	…        the volume is taken down and brought to the new engine as ever: nobody listens
//	         at the address
//	moved    the program brings it to the new engine's node, and says that it is there alone
//	heard    the new engine listens there
//
// That a node listens at the address says that it was moved there, so nobody has to be asked
// at each look. A crash before that leaves a volume that is served and that nobody
// reaches, and the next plan has the address moved, where it may be already: the program is
// asked first. The address comes before the listener, for a target can listen only at what
// its node has; a host that comes between is refused, and comes again.
//
// Where the address is proves nothing of the old engine: connections that hosts have to its
// node stay, as long as packets reach it (decision 35).

// portals are where hosts reach the volume on a node.
func (s *subject) portals(n *schema.Node) []lineage.Portal {
	at := n.Addresses
	if v := s.v.Export.VIP; v != nil {
		at = []string{v.Address}
	}
	return portalsAt(at, s.port(n), s.v.Export.RDMA)
}

// portals are where a node is reached by hosts that look for volumes: over TCP, whatever they come over then.
func portals(n *schema.Node) []lineage.Portal { return portalsAt(n.Addresses, port(n), false) }

func portalsAt(addresses []string, port string, rdma bool) (all []lineage.Portal) {
	for _, a := range addresses {
		all = append(all, lineage.Portal{Address: a, Port: port, RDMA: rdma})
	}
	return all
}

// moveAddress has the address of the volume moved to its engine, if it has one that moves and
// is not there: hosts may be let in by it already, at another port.
func (s *subject) moveAddress(nqn lineage.NQN) {
	v, sub := s.v.Export.VIP, s.b.w.Nodes[s.engine].Subsystems[nqn]
	there := v != nil && sub != nil && slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return l.Address == v.Address })
	if v != nil && s.heardAt != s.engine && !there {
		why := because(v.Pos, "%s follows the engine of %s", v.Address, s.v.Name)
		s.sec.then(why, plan.RiskCreate, plan.AddressMove{At: plan.At{Node: s.engine}, NQN: nqn, Address: v.Address, Program: v.Program()})
	}
}

// tryMover sees to it that the program which is to move the address answers, before hosts
// are held, and says how they come to the next engine.
func (s *subject) tryMover(pos schema.Pos) (how string) {
	v := s.v.Export.VIP
	why := because(pos, "hosts of %s come by %s, which has to follow", s.v.Name, v.Address)
	s.sec.then(why, plan.RiskCreate, plan.ExpectAddress{At: plan.At{Node: s.Engine}, NQN: s.b.cfg.Cluster.ExportNQN(s.id), Address: v.Address, Program: v.Program()})
	return "hosts go on by " + v.Address + ", which moves with it"
}
