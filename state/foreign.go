package state

import "strata/lineage"

// findForeign notes which lvols of a node a RAID or a subsystem uses that is not
// the cluster's: with the names that strata gives they are another cluster's,
// whatever the configuration says of the lvstore they are in. A namespace that
// somebody made by hand is no such use; it only shows what the cluster has.
func (s *Snapshot) findForeign(c lineage.Cluster, n *Node) {
	for name, raid := range n.Raids {
		if _, ours := c.ParseRaid(name); ours {
			continue
		}
		for _, l := range raid.Legs {
			if n.lvolByUUID[l.UUID] != nil {
				put(s.foreign, n.Name, l.UUID, "RAID "+name)
			}
		}
	}
	for nqn, sub := range n.Subsystems {
		if !c.Others(nqn) {
			continue
		}
		for _, ns := range sub.Namespaces {
			if u := n.Backing(ns.Bdev); n.lvolByUUID[u] != nil {
				put(s.foreign, n.Name, u, "subsystem "+string(nqn))
			}
		}
	}
}

// ForeignUse says what uses an lvol that is not the cluster's; "" for nothing.
func (s *Snapshot) ForeignUse(n lineage.Node, u lineage.UUID) string { return s.foreign[n][u] }
