package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
)

// twins are the lvstores and lvols that several nodes have under one UUID: a
// disk was copied, or one is reached by two nodes. Names, epochs and UUIDs of a
// copy are those of the original, so of itself neither is believed. Which is the
// original an engine says that stands on it: what it reads is in use, whatever
// else looks alike. Where none runs, one is told from the others when it is ahead
// of them and a replica elsewhere is at its epoch: it has moved on with the
// volume, and the others have not. Being ahead alone says nothing, for a copy may
// have been in use somewhere else.
type twins struct {
	stores map[lineage.Node]map[lineage.UUID]doubt // lvstores that are in doubt
	lvols  map[lineage.Node]map[lineage.UUID]doubt // lvols that are, of lvstores that are not
}

// doubt says why something need not be what it seems to be, and what to do.
type doubt struct {
	why, way string
	copied   bool // it is known to be a copy, and where the original is
}

// findTwins finds them, and which of them are in doubt.
func (s *Snapshot) findTwins(c lineage.Cluster) *twins {
	t := &twins{stores: map[lineage.Node]map[lineage.UUID]doubt{}, lvols: map[lineage.Node]map[lineage.UUID]doubt{}}
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
		if at, ok := s.original(u, nodes, used); ok {
			proven[u] = at
		}
	}
	inTwin := map[lineage.Node]map[lineage.UUID]bool{}
	for u, nodes := range stores {
		original := s.originalStore(u, nodes, lvols, proven, used)
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

// alone is what to do about a copy on a node.
const alone = "have one of the disks only: take the pool of the copy out of the configuration and start the target of %s again without its disk; or take its node out of the configuration"

// sameOn says why what node has is in doubt.
func sameOn(what string, u lineage.UUID, node lineage.Node, nodes []lineage.Node, original lineage.Node) doubt {
	others := slices.DeleteFunc(slices.Clone(nodes), func(n lineage.Node) bool { return n == node })
	text := fmt.Sprintf("%s %s is on %s, too: one is a copy of the other's disk, or both reach the same disk", what, u, others[0])
	if original != "" {
		return doubt{text + fmt.Sprintf("; the one on %s is the original", original), fmt.Sprintf(alone, node), true}
	}
	return doubt{text + ", and nothing tells which is current", fmt.Sprintf(alone, "its node"), false}
}

// twinsOf lists the nodes, sorted, of every UUID that more than one of them has.
func twinsOf(s *Snapshot, all func(*Node, func(lineage.UUID))) map[lineage.UUID][]lineage.Node {
	first, twins := map[lineage.UUID]lineage.Node{}, map[lineage.UUID][]lineage.Node{}
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
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
				note(n.Backing(n.Deciphered(p.Bdev)))
			}
		}
	}
	return used
}

// original is the node that has the original of an lvol, if that is known.
func (s *Snapshot) original(u lineage.UUID, nodes []lineage.Node, used map[lineage.UUID]map[lineage.Node]bool) (lineage.Node, bool) {
	if len(used[u]) == 1 {
		for at := range used[u] {
			return at, slices.Contains(nodes, at)
		}
	}
	if len(used[u]) > 1 {
		return "", false
	}
	var best lineage.Node
	var top lineage.Head
	for _, name := range nodes {
		h, ok := headName(s.Nodes[name].lvolByUUID[u])
		switch {
		case !ok || h.Epoch == top.Epoch:
			return "", false
		case h.Epoch > top.Epoch:
			best, top = name, h
		}
	}
	return best, best != "" && s.elsewhere(u, top)
}

// headName is a head's name, also where it was found to count for nothing.
func headName(l *Lvol) (lineage.Head, bool) {
	name, _ := lineage.Parse(l.Name)
	h, ok := name.(lineage.Head)
	return h, ok
}

// elsewhere reports whether a replica other than u is at the epoch of h.
func (s *Snapshot) elsewhere(u lineage.UUID, h lineage.Head) bool {
	for _, n := range s.Nodes {
		for _, l := range n.stacks[h.Volume] {
			if o, ok := l.Parsed.(lineage.Head); ok && l.UUID != u && o.Epoch == h.Epoch {
				return true
			}
		}
	}
	return false
}

// awaited adds the lvstores that are known as those of pools elsewhere which are
// configured and not read: what is here may be a copy, and the original in use.
func (t *twins) awaited(s *Snapshot, disks Disks) {
	if disks == nil {
		return
	}
	var members []lineage.Member
	for _, n := range s.Nodes {
		for _, l := range n.Lvols {
			if m, ok := lineage.ParseMember(l.Name); ok && s.unread(m, disks) {
				members = append(members, m)
			}
		}
	}
	// An lvstore may be known as those of several: the first is told of.
	slices.SortFunc(members, func(a, b lineage.Member) int { return cmp.Compare(a.Lvol(), b.Lvol()) })
	for _, m := range members {
		for name, o := range s.Nodes {
			for _, lvs := range o.Lvstores {
				if m.Is(lvs.UUID) && name != m.Node && t.stores[name][lvs.UUID].why == "" {
					put(t.stores, name, lvs.UUID, doubt{
						fmt.Sprintf("lvstore %s is that of pool %s of %s, which cannot be read now: its disk may have been copied, and not moved", lvs.UUID, m.Pool, m.Node),
						fmt.Sprintf("make pool %s of %s readable; or, if its disk is here for good, add retired: [%q]", m.Pool, m.Node, string(m.Node)+"/"+m.Pool), false,
					})
				}
			}
		}
	}
}

// unread reports whether the pool that is known as m is configured, and its disk
// has not been read.
func (s *Snapshot) unread(m lineage.Member, disks Disks) bool {
	path, ok := disks(m.Node, m.Pool)
	n := s.Nodes[m.Node]
	if !ok || n == nil || n.Unknown != "" || path == "" {
		return ok && path != ""
	}
	for _, d := range n.Disks {
		if d.Path == path {
			return false
		}
	}
	return true
}

// originalStore is the node that has the original of an lvstore: all of whose
// heads there are known to be originals, and that one at least is; "" when that
// is not known. What is known of one lvol counts for the whole lvstore, and an
// engine's word before that of epochs.
func (s *Snapshot) originalStore(u lineage.UUID, nodes []lineage.Node, lvols map[lineage.UUID][]lineage.Node, proven map[lineage.UUID]lineage.Node, used map[lineage.UUID]map[lineage.Node]bool) lineage.Node {
	byEngine, byEpoch := map[lineage.Node]bool{}, map[lineage.Node]bool{}
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
			case len(used[l.UUID]) == 1:
				byEngine[at] = true
			default:
				byEpoch[at] = true
			}
		}
	}
	for _, told := range []map[lineage.Node]bool{byEngine, byEpoch} {
		if len(told) == 1 {
			return slices.Sorted(maps.Keys(told))[0]
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
