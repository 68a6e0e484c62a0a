package state

import (
	"cmp"
	"context"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// Connected is a host that is connected to a subsystem.
type Connected struct {
	Host    lineage.NQN
	Address string // that it comes from; "" where the target did not tell
}

// ReadConnected asks all nodes at once, in one round each, who is connected to the
// cluster's exports that were read, and puts it into Subsystem.Connected. What is
// not answered stays nil there: planning rests on none of it.
func (s *Snapshot) ReadConnected(ctx context.Context, c lineage.Cluster, targets map[lineage.Node]*spdk.Client) {
	type answer struct {
		node  lineage.Node
		hosts map[lineage.NQN][]Connected
	}
	answers := make(chan answer)
	asked := 0
	for name, n := range s.Nodes {
		var exports []lineage.NQN
		for nqn := range n.Subsystems {
			if _, ok := c.ParseExport(nqn); ok {
				exports = append(exports, nqn)
			}
		}
		if t := targets[name]; t != nil && len(exports) > 0 {
			asked++
			go func() { answers <- answer{name, connected(ctx, t, exports)} }()
		}
	}
	for range asked {
		a := <-answers
		n := s.Nodes[a.node]
		for nqn, hosts := range a.hosts {
			sub := copyOf(n.Subsystems[nqn]) // a snapshot may share it with others
			sub.Connected = hosts
			n.Subsystems[nqn] = sub
		}
	}
}

// connected asks one target for the hosts of some subsystems.
func connected(ctx context.Context, t *spdk.Client, exports []lineage.NQN) map[lineage.NQN][]Connected {
	hosts, pairs := make([][]spdk.Connected, len(exports)), make([][]spdk.QPair, len(exports))
	var reqs []*spdk.Req
	for i, nqn := range exports {
		reqs = append(reqs, spdk.GetConnected(string(nqn), &hosts[i]), spdk.GetQPairs(string(nqn), &pairs[i]))
	}
	t.Round(ctx, reqs...)
	out := map[lineage.NQN][]Connected{}
	for i, nqn := range exports {
		if reqs[2*i].Err != nil {
			continue
		}
		from := map[uint16]string{}
		for _, p := range pairs[i] {
			from[p.ID] = p.Peer.TrAddr
		}
		all := []Connected{}
		for _, h := range hosts[i] {
			all = append(all, Connected{lineage.NQN(h.HostNQN), from[h.ID]})
		}
		slices.SortFunc(all, func(a, b Connected) int {
			return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Address, b.Address))
		})
		out[nqn] = slices.Compact(all) // a host may have several paths
	}
	return out
}
