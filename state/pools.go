package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
)

// Apart is a head that no plan may rest on, for it is not in a pool of the
// configuration, or in one whose lvstore is in doubt. It still tells which
// epochs its volume has reached.
type Apart struct {
	Head
	Where string // its lvstore, as it is called on the target
	Why   string // it counts for nothing
	Way   string // what to do about that; "" when that goes without saying
	Ours  bool   // that lvstore has the name of the cluster, or of one of its pools
}

// Pools says which lvstores of a node are those of its pools: what plans call
// each, by what it is called on the target. Paths has the path of the disk that
// each lvstore of the node is on.
type Pools func(n lineage.Node, paths map[string]string) map[string]string

// Disks says where the disk of a pool that is configured is looked for; false
// for one that is not. Nil knows of none.
type Disks func(n lineage.Node, pool string) (path string, ok bool)

// Within returns the snapshot as a configuration of the cluster sees it. The
// lvstores of its pools have the names that plans give them. Lvols elsewhere are
// somebody else's, whatever they are called, for another cluster on the same
// targets uses the same grammar; but of heads is known that they are there, see
// Apart. The same holds of what is on two nodes at once, as far as nothing tells
// which of them is the original (twins.go), and of what may be so, for where it
// was before has not been read.
func (s *Snapshot) Within(c lineage.Cluster, pools Pools, disks Disks) *Snapshot {
	var nodes []*Node
	v := &view{cluster: c, twins: s.findTwins(c), apart: map[string][]Apart{}}
	v.twins.awaited(s, disks)
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		n := s.Nodes[name]
		if n.Unknown == "" {
			n = v.node(n, pools(name, n.Paths()))
		}
		nodes = append(nodes, n)
	}
	out := New(c, nodes...)
	out.apart = v.apart
	return out
}

// Hide returns the snapshot as if a node had not been read, for that reason.
func (s *Snapshot) Hide(c lineage.Cluster, hidden lineage.Node, why string) *Snapshot {
	nodes := []*Node{Unread(hidden, why)}
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		if name != hidden {
			nodes = append(nodes, s.Nodes[name])
		}
	}
	out := New(c, nodes...)
	out.apart = map[string][]Apart{}
	for v, all := range s.apart {
		if all = slices.DeleteFunc(slices.Clone(all), func(a Apart) bool { return a.Node == hidden }); len(all) > 0 {
			out.apart[v] = all
		}
	}
	return out
}

// Named returns the snapshot with the lvstores of pools called as plans call them.
func (s *Snapshot) Named(pools Pools) *Snapshot {
	out := s.Clone()
	for name, n := range s.Nodes {
		if n.Unknown != "" {
			continue
		}
		ours, names, changed := pools(name, n.Paths()), map[string]string{}, false
		for _, lvs := range n.Lvstores {
			names[lvs.Name] = cmp.Or(ours[lvs.Called()], strangeName(n, lvs, ours))
			changed = changed || names[lvs.Name] != lvs.Name
		}
		if changed {
			out.Nodes[name] = n.renamed(names)
			for _, l := range out.Nodes[name].Lvols {
				if l.Parsed != nil {
					out.Nodes[name].stack(l)
				}
			}
		}
	}
	return out
}

// DiskOf is what an lvstore stands on; nil where that is not known.
func (n *Node) DiskOf(lvstore string) *Disk {
	if lvs := n.Lvstores[lvstore]; lvs != nil {
		return n.Disks[lvs.Base]
	}
	return nil
}

// Paths has the path of each lvstore's disk, by what the target calls the lvstore.
func (n *Node) Paths() map[string]string {
	paths := make(map[string]string, len(n.Lvstores))
	for _, lvs := range n.Lvstores {
		paths[lvs.Called()] = ""
		if d := n.Disks[lvs.Base]; d != nil {
			paths[lvs.Called()] = d.Path
		}
	}
	return paths
}

// view is a Snapshot while it is fitted to a configuration.
type view struct {
	cluster lineage.Cluster
	twins   *twins
	apart   map[string][]Apart
}

// node fits a node to the pools of its configuration.
func (v *view) node(n *Node, pools map[string]string) *Node {
	names := map[string]string{} // by Name as it was read
	changed := false
	for _, lvs := range n.Lvstores {
		name, ours := pools[lvs.Called()]
		if !ours {
			name = strangeName(n, lvs, pools)
		}
		names[lvs.Name] = name
		doubt := v.doubt(n.Name, lvs, ours).why
		changed = changed || name != lvs.Name || doubt != lvs.Doubt || doubt != ""
	}
	if v.twins.lvols[n.Name] == nil && !changed {
		return n
	}
	c := n.renamed(names)
	doubts := map[string]doubt{}
	for name, lvs := range c.Lvstores {
		_, ours := pools[lvs.Called()]
		doubts[name] = v.doubt(n.Name, lvs, ours)
		lvs.Doubt, lvs.Way = doubts[name].why, doubts[name].way
	}
	for _, l := range c.Lvols {
		name, ok := l.Parsed, l.Parsed != nil
		if !ok { // or it was found before to count for nothing
			name, ok = lineage.Parse(l.Name)
		}
		if l.Parsed = nil; !ok {
			continue
		}
		if d := cmp.Or(doubts[l.Lvstore], v.twins.lvols[n.Name][l.UUID]); d.why != "" {
			if !d.copied { // else the original says what there is to know
				v.addApart(c, l, name, d, pools)
			}
			continue
		}
		l.Parsed = name
		c.stack(l)
	}
	return c
}

// doubt says why nothing may rest on what is in an lvstore; "" when it may.
func (v *view) doubt(n lineage.Node, lvs *Lvstore, ours bool) doubt {
	if ours {
		return v.twins.stores[n][lvs.UUID]
	}
	return doubt{why: "it is in no pool of the configuration"}
}

// strangeName is what plans call an lvstore that is no pool's: as the target
// does, unless that is the name of a pool's.
func strangeName(n *Node, lvs *Lvstore, pools map[string]string) string {
	name := lvs.Called()
	for _, taken := range pools {
		if taken == name {
			return name + " on " + lvs.Base
		}
	}
	return name
}

// addApart notes a head that counts for nothing. Of layers and staging nothing is
// to be known.
func (v *view) addApart(n *Node, l *Lvol, name lineage.Name, d doubt, pools map[string]string) {
	h, ok := name.(lineage.Head)
	if !ok {
		return
	}
	a := Apart{Head: Head{Placed{n.Name, l}, h}, Where: l.Lvstore, Why: d.why, Way: d.way}
	if lvs := n.Lvstores[l.Lvstore]; lvs != nil {
		a.Where = lvs.Called()
	}
	store, is := lineage.ParseStore(a.Where)
	_, pool := pools[a.Where]
	if is && !pool && store.Cluster != v.cluster {
		return // another cluster's
	}
	a.Ours = pool || is
	all := append(v.apart[h.Volume.Name], a)
	slices.SortFunc(all, func(a, b Apart) int { return comparePlaced(a.Placed, b.Placed) })
	v.apart[h.Volume.Name] = all
}

// renamed is a copy of the node on which lvstores have other names, by those they
// have, and nothing is stacked yet. What has no lvstore's name in it is shared.
func (n *Node) renamed(names map[string]string) *Node {
	c := copyOf(n)
	c.Lvstores = make(map[string]*Lvstore, len(n.Lvstores))
	c.Lvols, c.lvolByUUID = make(map[string]*Lvol, len(n.Lvols)), make(map[lineage.UUID]*Lvol, len(n.Lvols))
	c.stacks = make(map[lineage.Volume][]*Lvol, len(n.stacks))
	aliases := map[string]string{}
	for old, lvs := range n.Lvstores {
		lvs = copyOf(lvs)
		lvs.Name, lvs.OnTarget = names[old], lvs.Called()
		c.Lvstores[lvs.Name] = lvs
		aliases[old+"/"], aliases[lvs.OnTarget+"/"] = lvs.Name, lvs.Name
	}
	for _, l := range n.Lvols {
		l = copyOf(l)
		if name, ok := names[l.Lvstore]; ok {
			l.Lvstore = name
		}
		c.Lvols[l.Alias()], c.lvolByUUID[l.UUID] = l, l
	}
	// What shows an lvol may name it by alias.
	alias := func(bdev string) string {
		if i := strings.IndexByte(bdev, '/'); i > 0 {
			if name, ok := aliases[bdev[:i+1]]; ok {
				return name + bdev[i:]
			}
		}
		return bdev
	}
	c.Subsystems = maps.Clone(n.Subsystems)
	for nqn, sub := range n.Subsystems {
		for nsid, ns := range sub.Namespaces {
			if name := alias(ns.Bdev); name != ns.Bdev {
				if c.Subsystems[nqn] == sub {
					c.Subsystems[nqn] = sub.clone()
				}
				c.Subsystems[nqn].Namespaces[nsid].Bdev = name
			}
		}
	}
	c.Ublk, c.NBD = maps.Clone(n.Ublk), maps.Clone(n.NBD)
	for id, bdev := range n.Ublk {
		c.Ublk[id] = alias(bdev)
	}
	for path, bdev := range n.NBD {
		c.NBD[path] = alias(bdev)
	}
	return c
}

// Apart are the heads of a volume that count for nothing, by node.
func (s *Snapshot) Apart(volume string) []Apart { return s.apart[volume] }

// apartOf are those of one incarnation.
func (s *Snapshot) apartOf(v lineage.Volume) (all []Apart) {
	for _, a := range s.apart[v.Name] {
		if a.Name.Volume == v {
			all = append(all, a)
		}
	}
	return all
}

func (a Apart) String() string {
	return fmt.Sprintf("%s in lvstore %s of %s", a.Lvol.Name, a.Where, a.Node)
}
