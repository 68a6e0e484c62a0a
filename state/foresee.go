package state

import (
	"maps"

	"strata/lineage"
)

// Foresee returns what a look would find of volumes once a node is gone, if its peers tell
// of their links to it that it is connected no more, and that no I/O has failed. Nodes are
// shared with s.
func (s *Snapshot) Foresee(c lineage.Cluster, gone lineage.Node) *Snapshot {
	out := &Snapshot{Nodes: maps.Clone(s.Nodes), seen: s.seen, ids: s.ids, kernel: s.kernel, apart: s.apart, foreign: s.foreign}
	out.Nodes[gone] = Unread(gone, "it is gone")
	for name, n := range s.Nodes {
		nqn := c.LinkNQN(lineage.Link{From: name, To: gone, Wait: true})
		sub := n.Subsystems[nqn]
		if name == gone || sub == nil || sub.Evidence != nil {
			continue
		}
		well, peer := *n, *sub
		peer.Evidence = &Evidence{}
		well.Subsystems = maps.Clone(n.Subsystems)
		well.Subsystems[nqn] = &peer
		out.Nodes[name] = &well
	}
	return out
}
