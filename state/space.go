package state

// Space is what lvols take of an lvstore, in bytes.
type Space struct {
	Used int64 // written
	// Promised is what is written and what may yet be: a thin lvol may grow to its size.
	Promised int64
}

// Add is both together; with a sign of -1 it is the first without the other.
func (s Space) Add(o Space, sign int64) Space {
	return Space{s.Used + sign*o.Used, s.Promised + sign*o.Promised}
}

// Takes is what one of the node's lvols takes of its lvstore; nothing if that was not
// read.
func (n *Node) Takes(l *Lvol) Space {
	lvs := n.Lvstores[l.Lvstore]
	if lvs == nil {
		return Space{}
	}
	used := l.Allocated * lvs.ClusterSize
	if l.Snapshot || l.NeverWritten() {
		return Space{used, used}
	}
	return Space{used, max(used, l.Size)}
}

// Takes is what its lvols take of the lvstore, and with them what is used beside them: by
// its own metadata, and by what was deleted and not freed yet.
func (lvs *Lvstore) Takes(lvols Space) Space {
	rest := max(0, (lvs.TotalClusters-lvs.FreeClusters)*lvs.ClusterSize-lvols.Used)
	return lvols.Add(Space{rest, rest}, 1)
}

// Space is what the lvols of an lvstore take.
func (n *Node) Space(lvstore string) Space {
	var all Space
	for _, l := range n.Lvols {
		if l.Lvstore == lvstore {
			all = all.Add(n.Takes(l), 1)
		}
	}
	return all
}
