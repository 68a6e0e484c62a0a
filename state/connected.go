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

// Connections are, by node and subsystem, who is connected, sorted. A subsystem whose
// node was not asked, or did not tell, is not among them.
type Connections map[lineage.Node]map[lineage.NQN][]Connected

// ReadConnected asks all nodes at once, in one round each, who is connected to the
// cluster's exports in a snapshot. Planning rests on none of it, only what is wished to be elsewhere (recipe.Rebalance).
func ReadConnected(ctx context.Context, s *Snapshot, c lineage.Cluster, targets map[lineage.Node]*spdk.Client) Connections {
	asks := map[lineage.Node]func() map[lineage.NQN][]Connected{}
	for name, n := range s.Nodes {
		var exports []lineage.NQN
		for nqn := range n.Subsystems {
			if _, ok := c.ParseExport(nqn); ok {
				exports = append(exports, nqn)
			}
		}
		if t := targets[name]; t != nil && len(exports) > 0 {
			asks[name] = func() map[lineage.NQN][]Connected { return connected(ctx, t, exports) }
		}
	}
	return atOnce(asks)
}

// atOnce asks all nodes at the same time.
func atOnce[T any](asks map[lineage.Node]func() T) map[lineage.Node]T {
	type answer struct {
		node lineage.Node
		is   T
	}
	answers := make(chan answer)
	for name, ask := range asks {
		go func() { answers <- answer{name, ask()} }()
	}
	all := make(map[lineage.Node]T, len(asks))
	for range asks {
		a := <-answers
		all[a.node] = a.is
	}
	return all
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
