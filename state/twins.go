package state

import (
	"fmt"
	"slices"

	"strata/lineage"
)

// twins are the lvstores and lvols that several nodes have under one UUID: a
// disk was copied, or one is reached by two nodes. Names, epochs and UUIDs of a
// copy are those of the original, so of itself neither is believed. Which is the
// original an engine says that stands on it: what it reads is in use, whatever
// else looks alike. Where none runs, the configuration does, when only one of
// them is in a pool; else one is told from the other when it is ahead in every
// epoch, for the other then is a copy of its past.
type twins struct {
	stores map[lineage.Node]map[lineage.UUID]string // why an lvstore is in doubt
	lvols  map[lineage.Node]map[lineage.UUID]string // why an lvol is, of lvstores that are not
}

// findTwins finds them, and which of them are in doubt. Pools has what plans call
// the lvstores that are pools', by node and by what the target calls them.
func (s *Snapshot) findTwins(c lineage.Cluster, pools map[lineage.Node]map[string]string) *twins {
	t := &twins{stores: map[lineage.Node]map[lineage.UUID]string{}, lvols: map[lineage.Node]map[lineage.UUID]string{}}
	lvols := twinsOf(s, func(n *Node, yield func(lineage.UUID)) {
		for u := range n.lvolByUUID {
			yield(u)
		}
	})
	stores := twinsOf(s, func(n *Node, yield func(lineage.UUID)) {
		for _, lvs := range n.Lvstores {
			yield(lvs.UUID)
		}
	})
	if len(lvols)+len(stores) == 0 {
		return t
	}
	proven := map[lineage.UUID]lineage.Node{} // where the original of an lvol is
	used := s.standings(c)
	for u, nodes := range lvols {
		pooled := one(nodes, func(n lineage.Node) bool { return s.Nodes[n].pooled(s.Nodes[n].lvolByUUID[u].Lvstore, pools[n]) })
		if at := s.original(u, nodes, used[u], pooled); at != "" {
			proven[u] = at
		}
	}
	inTwin := map[lineage.Node]map[lineage.UUID]bool{}
	for u, nodes := range stores {
		original := one(nodes, func(n lineage.Node) bool { return s.Nodes[n].pooled(s.Nodes[n].storeOf(u), pools[n]) })
		if original == "" || s.serves(u, nodes, used) {
			original = s.originalStore(u, nodes, lvols, proven, used)
		}
		for _, name := range nodes {
			n := s.Nodes[name]
			for _, l := range n.Lvols {
				if lvs := n.Lvstores[l.Lvstore]; lvs != nil && lvs.UUID == u {
					put(inTwin, name, l.UUID, true)
				}
			}
			if name != original {
				put(t.stores, name, u, sameOn("lvstore", u, name, nodes, original))
			}
		}
	}
	for u, nodes := range lvols {
		for _, name := range nodes {
			if at, ok := proven[u]; !inTwin[name][u] && (!ok || at != name) {
				put(t.lvols, name, u, sameOn("lvol", u, name, nodes, at))
			}
		}
	}
	return t
}

// one is the only node of which that holds; "" when it is not only one.
func one(nodes []lineage.Node, holds func(lineage.Node) bool) lineage.Node {
	if at := slices.DeleteFunc(slices.Clone(nodes), func(n lineage.Node) bool { return !holds(n) }); len(at) == 1 {
		return at[0]
	}
	return ""
}

// pooled reports whether an lvstore is one of the node's pools.
func (n *Node) pooled(lvstore string, pools map[string]string) bool {
	lvs := n.Lvstores[lvstore]
	return lvs != nil && pools[lvs.Called()] != ""
}

// storeOf is the name of the lvstore with that UUID.
func (n *Node) storeOf(u lineage.UUID) string {
	for name, lvs := range n.Lvstores {
		if lvs.UUID == u {
			return name
		}
	}
	return ""
}

// serves reports whether an engine stands on anything in the lvstores of that UUID.
func (s *Snapshot) serves(u lineage.UUID, nodes []lineage.Node, used map[lineage.UUID]map[lineage.Node]bool) bool {
	return slices.ContainsFunc(nodes, func(name lineage.Node) bool {
		n := s.Nodes[name]
		for _, l := range n.Lvols {
			if lvs := n.Lvstores[l.Lvstore]; lvs != nil && lvs.UUID == u && len(used[l.UUID]) > 0 {
				return true
			}
		}
		return false
	})
}

// sameOn says why what node has is in doubt.
func sameOn(what string, u lineage.UUID, node lineage.Node, nodes []lineage.Node, original lineage.Node) string {
	others := slices.DeleteFunc(slices.Clone(nodes), func(n lineage.Node) bool { return n == node })
	text := fmt.Sprintf("%s %s is on %s, too: one is a copy of the other's disk, or both reach the same disk", what, u, others[0])
	if original != "" {
		return text + fmt.Sprintf("; the one on %s is in use", original)
	}
	return text + ", and nothing that runs tells which is current"
}

// twinsOf lists the nodes, sorted, of every UUID that more than one of them has.
func twinsOf(s *Snapshot, all func(*Node, func(lineage.UUID))) map[lineage.UUID][]lineage.Node {
	first, twins := map[lineage.UUID]lineage.Node{}, map[lineage.UUID][]lineage.Node{}
	for _, name := range sortedKeys(s.Nodes) {
		n := s.Nodes[name]
		if n.Unknown != "" {
			continue
		}
		all(n, func(u lineage.UUID) {
			switch at, seen := first[u]; {
			case u == "" || u == lineage.PendingUUID || at == name:
			case !seen:
				first[u] = name
			case twins[u] == nil:
				twins[u] = []lineage.Node{at, name}
			case !slices.Contains(twins[u], name):
				twins[u] = append(twins[u], name)
			}
		})
	}
	return twins
}

// standings says on which nodes the lvols are that engines of the cluster stand
// on: their own, or the one that a link leads to.
func (s *Snapshot) standings(c lineage.Cluster) map[lineage.UUID]map[lineage.Node]bool {
	used := map[lineage.UUID]map[lineage.Node]bool{}
	for name, n := range s.Nodes {
		note := func(u lineage.UUID) {
			at := name
			if r := n.Remotes[u]; r != nil && (n.lvolByUUID[u] == nil || n.lvolByUUID[u].Degraded) {
				at = n.peerOf(c, u)
			}
			if u != "" && at != "" {
				put(used, u, at, true)
			}
		}
		for _, raid := range n.Raids {
			if _, ours := c.ParseRaid(raid.Name); !ours || raid.State != "online" {
				continue
			}
			for _, l := range raid.Legs {
				if l.Configured {
					note(l.UUID)
				}
			}
		}
		for p := range n.Shows() {
			if _, export := c.ParseExport(p.NQN); export || p.NSID == 0 {
				note(n.Backing(p.Bdev))
			}
		}
	}
	return used
}

// original is the node that has the original of an lvol; "" when that is not
// known. Pooled is the only one that has it in a pool, if there is one.
func (s *Snapshot) original(u lineage.UUID, nodes []lineage.Node, used map[lineage.Node]bool, pooled lineage.Node) lineage.Node {
	if len(used) > 0 {
		return one(nodes, func(n lineage.Node) bool { return len(used) == 1 && used[n] })
	}
	if pooled != "" {
		return pooled
	}
	var best lineage.Node
	var top lineage.Epoch
	for _, name := range nodes {
		h, ok := headName(s.Nodes[name].lvolByUUID[u])
		switch {
		case !ok:
			return ""
		case h.Epoch > top:
			best, top = name, h.Epoch
		case h.Epoch == top:
			best = ""
		}
	}
	return best
}

// headName is a head's name, also where that is known to count for nothing.
func headName(l *Lvol) (lineage.Head, bool) {
	name, _ := lineage.Parse(l.Name)
	h, ok := name.(lineage.Head)
	return h, ok
}

// originalStore is the node that has the original of an lvstore: all of whose
// heads there are originals, and that one at least has; "" when that is not known.
// An engine's word counts for the whole lvstore.
func (s *Snapshot) originalStore(u lineage.UUID, nodes []lineage.Node, lvols map[lineage.UUID][]lineage.Node, proven map[lineage.UUID]lineage.Node, used map[lineage.UUID]map[lineage.Node]bool) lineage.Node {
	byEngine, byEpoch := map[lineage.Node]bool{}, map[lineage.Node]bool{}
	open := false
	for _, name := range nodes {
		n := s.Nodes[name]
		for _, l := range n.Lvols {
			lvs := n.Lvstores[l.Lvstore]
			if _, head := headName(l); lvs == nil || lvs.UUID != u || !head || len(lvols[l.UUID]) < 2 {
				continue
			}
			at, ok := proven[l.UUID]
			switch {
			case !ok:
				open = true
			case len(used[l.UUID]) == 1:
				byEngine[at] = true
			default:
				byEpoch[at] = true
			}
		}
	}
	for _, told := range []map[lineage.Node]bool{byEngine, byEpoch} {
		if len(told) == 1 && (len(byEngine) == 1 || !open) {
			return sortedKeys(told)[0]
		}
		if len(told) > 1 {
			return ""
		}
	}
	return ""
}

func put[A, B comparable, V any](m map[A]map[B]V, a A, b B, v V) {
	if m[a] == nil {
		m[a] = map[B]V{}
	}
	m[a][b] = v
}
