package recipe

import (
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Hosts may come by TLS, each with a key of its own, to a port of nodes at which nobody is heard
// without: all that listen at an address share what the first of them has made, so one that is
// not of TLS makes the others so, although the target lists them as if they were. Ladder, on each node that
// hosts connect to, besides those of hostkeys.go and sentkeys.go:
//
//	let in   with the key. One that was let in with another, or with none, is shut out and let
//	         in at once, for a target changes no key of TLS: its connections end
//	heard    the subsystem listens by TLS, where nobody is heard without
//	unheard  and nowhere else
//
// That a listener is of
// TLS is believed only as long as the target says so of it, and of all others at the address.

// exchanged lets a host in with another TLS key than before, or with one or none from here on.
func (s *subject) exchanged(n lineage.Node, nqn, host lineage.NQN, keys lineage.HostKeys) {
	why := because(s.v.At("export"), "%s comes to %s with another TLS key from here on: its connections end, and it comes back with that one", host, s.v.Name)
	switch {
	case keys.PSK == "":
		why = because(s.v.At("export"), "%s comes to %s without TLS from here on: its connections end", host, s.v.Name)
	case s.b.w.Nodes[n].Subsystems[nqn].Keys[host].PSK == "":
		why = because(s.v.At("export"), "%s comes to %s by TLS from here on: its connections end", host, s.v.Name)
	}
	s.sec.then(why, plan.RiskReduce, plan.HostExchange{At: plan.At{Node: n}, NQN: nqn, Host: host, Keys: keys, Former: s.b.w.Nodes[n].Subsystems[nqn].Keys[host]})
}

// goesOn says that a host keeps the TLS key that it has, or none, while nobody looks at the plan.
func (s *subject) goesOn(n lineage.Node, host lineage.NQN) {
	s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), "strata apply does it", "%s is let in on %s as before, though its TLS key is another, or it has none any more: its connections would end, and that is left to a person", host, n)
}

// port is where hosts come to a node for the volume.
func (s *subject) port(n *schema.Node) string {
	if s.v.Export.TLS() {
		return strconv.Itoa(n.TLSPort)
	}
	return port(n)
}

// hear makes a subsystem listen, by TLS if its hosts come so.
func (s *subject) hear(why reason, n lineage.Node, nqn lineage.NQN, p lineage.Portal, standby bool) {
	if s.b.transport(n, p.RDMA) { // a subsystem of before may have been of the other
		s.sec.after(plan.NodeKey(n))
	}
	if !s.heardPlainly(n, nqn, p) {
		s.sec.then(why, plan.RiskCreate, plan.ListenerAdd{At: plan.At{Node: n}, NQN: nqn, Address: p.Address, Port: p.Port, Standby: standby, TLS: s.v.Export.TLS(), RDMA: p.RDMA})
	}
}

// heardPlainly reports whether hosts are to come by TLS where another subsystem listens without.
func (s *subject) heardPlainly(n lineage.Node, nqn lineage.NQN, p lineage.Portal) bool {
	other := s.b.w.Nodes[n].PlainAt(p, nqn)
	if !s.v.Export.TLS() || other == "" {
		return false
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), "take that listener away, or give the node another tlsPort", "its hosts come to %s on %s by TLS, and %s listens there without, which would make all that listens there so", p, n, other)
	return true
}

// plainly reports whether a host is let in that is to come by TLS, and whose key is not there yet:
// until it is, the host comes where it did before.
func (s *subject) plainly(sub *state.Subsystem) bool {
	return s.v.Export.TLS() && slices.ContainsFunc(s.v.Export.Hosts, func(h lineage.NQN) bool {
		return slices.Contains(sub.Hosts, h) && sub.Keys[h].PSK == ""
	})
}

// unhear takes listeners away where hosts are to come by TLS, and of which that is not known.
func (s *subject) unhear(n *schema.Node, sub *state.Subsystem, wanted []lineage.Portal) {
	if !s.v.Export.TLS() || s.plainly(sub) && !s.b.unattended() {
		return
	}
	for _, l := range slices.Clone(sub.Listeners) {
		p := l.Portal()
		if l.TLS || !slices.Contains(wanted, p) {
			continue
		}
		if s.heardPlainly(n.Name, sub.NQN, p) {
			continue
		}
		if s.b.unattended() {
			s.b.blockAlone("volume "+s.v.Name, s.v.At("export"), "strata apply exchanges that listener", "%s on %s is not known to let nobody in without TLS, and to take it away is left to a person", p, n.Name)
			continue
		}
		why := because(s.v.At("export"), "nothing says that nobody is let in at %s without TLS", p)
		s.sec.then(why, plan.RiskReduce, plan.ListenerRemove{At: plan.At{Node: n.Name}, NQN: sub.NQN, Address: p.Address, Port: p.Port})
	}
}

// fastTLS is from where on buffers of a target are no hindrance to TLS, in bytes.
const fastTLS = 1 << 20

// slowTLS notes targets whose buffers are too small for it: they go at a hundredth of the speed.
func (b *builder) slowTLS() {
	for _, v := range b.cfg.Volumes {
		if !v.Export.TLS() {
			continue
		}
		for n, at := range b.readNodes() {
			if at.TLSBuffer > 0 && at.TLSBuffer < fastTLS {
				b.note("node "+string(n.Name), n.Pos, "set it to 2 MiB as the target starts (sock_impl_set_options): docs/hosts.md has the lines",
					"hosts that come by TLS get about 3 MiB a second: the target's buffer for it has %d bytes", at.TLSBuffer)
			}
		}
		return
	}
}
