package state

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"strata/lineage"
)

// NewNode returns a node that was read and has nothing on it.
func NewNode(name lineage.Node) *Node {
	return &Node{
		Name:         name,
		Methods:      map[string]struct{}{},
		Disks:        map[string]*Disk{},
		Lvstores:     map[string]*Lvstore{},
		Lvols:        map[string]*Lvol{},
		Remotes:      map[lineage.UUID]*Remote{},
		Controllers:  map[string]*Controller{},
		Raids:        map[string]*Raid{},
		Subsystems:   map[lineage.NQN]*Subsystem{},
		Ublk:         map[int]string{},
		NBD:          map[string]string{},
		lvolByUUID:   map[lineage.UUID]*Lvol{},
		remoteByBdev: map[string]*Remote{},
		stacks:       map[lineage.Volume][]*Lvol{},
	}
}

// Unread returns a node that could not be read, for the given reason.
func Unread(name lineage.Node, why string) *Node {
	n := NewNode(name)
	n.Unknown = why
	return n
}

// AddLvol puts an lvol on the node.
func (n *Node) AddLvol(l *Lvol) {
	l.Parsed = nil
	if name, ok := lineage.Parse(l.Name); ok {
		l.Parsed = name
	}
	n.Lvols[l.Alias()] = l
	n.lvolByUUID[l.UUID] = l
	if l.Parsed != nil {
		n.stack(l)
	}
}

// stack puts an lvol among those of its incarnation, which are in order.
func (n *Node) stack(l *Lvol) {
	v := l.Parsed.Of()
	i, _ := slices.BinarySearchFunc(n.stacks[v], l, compareLvols)
	n.stacks[v] = slices.Insert(n.stacks[v], i, l)
}

// compareLvols is the order of lvols on a node.
func compareLvols(a, b *Lvol) int {
	return cmp.Or(cmp.Compare(a.Lvstore, b.Lvstore), cmp.Compare(a.Name, b.Name))
}

// RemoveLvol takes an lvol off the node, as bdev_lvol_delete does: the only
// child of a snapshot takes over its parent.
func (n *Node) RemoveLvol(l *Lvol) {
	if parent := n.Lvols[l.Lvstore+"/"+string(l.Parent)]; parent != nil && l.Parent != "" {
		parent.Children = slices.DeleteFunc(slices.Clone(parent.Children), func(c lineage.LvolName) bool { return c == l.Name })
		parent.Children = append(parent.Children, l.Children...)
	}
	for _, c := range l.Children {
		if child := n.Lvols[l.Lvstore+"/"+string(c)]; child != nil {
			child.Parent = l.Parent
			child.Allocated += l.Allocated
		}
	}
	n.forget(l)
	delete(n.Limits, string(l.UUID))
}

// RenameLvol gives an lvol another name.
func (n *Node) RenameLvol(l *Lvol, to lineage.LvolName) {
	if parent := n.Lvols[l.Lvstore+"/"+string(l.Parent)]; parent != nil && l.Parent != "" {
		for i, c := range parent.Children {
			if c == l.Name {
				parent.Children[i] = to
			}
		}
	}
	for _, c := range l.Children {
		if child := n.Lvols[l.Lvstore+"/"+string(c)]; child != nil {
			child.Parent = to
		}
	}
	n.forget(l)
	l.Name = to
	n.AddLvol(l)
}

func (n *Node) forget(l *Lvol) {
	delete(n.Lvols, l.Alias())
	delete(n.lvolByUUID, l.UUID)
	if l.Parsed != nil {
		v := l.Parsed.Of()
		n.stacks[v] = slices.DeleteFunc(slices.Clone(n.stacks[v]), func(x *Lvol) bool { return x == l })
	}
}

// AddRemote puts a peer's namespace on the node.
func (n *Node) AddRemote(r *Remote) {
	n.Remotes[r.UUID] = r
	n.remoteByBdev[r.Bdev] = r
}

// RemoveRemote takes a peer's namespace off the node. RAIDs go on naming it as a leg.
func (n *Node) RemoveRemote(r *Remote) {
	delete(n.Remotes, r.UUID)
	delete(n.remoteByBdev, r.Bdev)
	delete(n.Limits, string(r.UUID))
}

// Has reports whether the RAID lists a leg as configured. No RAID has none.
func (r *Raid) Has(leg lineage.UUID) bool {
	return r != nil && slices.ContainsFunc(r.Legs, func(l Leg) bool { return l.Configured && l.UUID == leg })
}

// Grow adds a leg, in an empty slot if there is one.
func (r *Raid) Grow(leg lineage.UUID) { r.GrowBy(Leg{Base: string(leg), UUID: leg, Configured: true}) }

// GrowBy is Grow by a leg that the RAID has through another bdev.
func (r *Raid) GrowBy(l Leg) {
	if i := slices.IndexFunc(r.Legs, func(l Leg) bool { return !l.Configured }); i >= 0 {
		r.Legs[i] = l
		return
	}
	r.Legs = append(r.Legs, l)
}

// Drop empties the slot of a leg.
func (r *Raid) Drop(leg lineage.UUID) {
	for i, l := range r.Legs {
		if l.UUID == leg && leg != "" {
			if r.Legs[i] = (Leg{}); l.Base == r.Rebuilding {
				r.Rebuilding = ""
			}
		}
	}
}

// LvolByUUID returns the lvol with that UUID, or nil.
func (n *Node) LvolByUUID(u lineage.UUID) *Lvol { return n.lvolByUUID[u] }

// Backing resolves the name or UUID of a bdev to the UUID of the lvol it is,
// here or on a peer; "" for any other bdev.
func (n *Node) Backing(bdev string) lineage.UUID {
	u := lineage.UUID(bdev)
	if n.lvolByUUID[u] != nil || n.Remotes[u] != nil {
		return u
	}
	if r := n.remoteByBdev[bdev]; r != nil {
		return r.UUID
	}
	if l := n.Lvols[bdev]; l != nil {
		return l.UUID
	}
	return ""
}

// BlockSize is that of an lvstore's disk in bytes; 0 when it is not known.
func (n *Node) BlockSize(lvstore string) int64 {
	if s := n.Lvstores[lvstore]; s != nil && n.Disks[s.Base] != nil {
		return n.Disks[s.Base].BlockSize
	}
	return 0
}

// used yields the lvols that a RAID, what hosts reach, or an external-snapshot
// clone of the node stands on, in any order.
func (n *Node) used() iter.Seq[lineage.UUID] {
	return func(yield func(lineage.UUID) bool) {
		for _, r := range n.Raids {
			for _, l := range r.Legs {
				if !yield(l.UUID) {
					return
				}
			}
		}
		for p := range n.Shows() {
			if !yield(n.Backing(p.Bdev)) {
				return
			}
		}
		for _, c := range n.Ciphers {
			if !yield(n.Backing(c.Base)) {
				return
			}
		}
		for _, l := range n.Lvols {
			if !yield(lineage.UUID(l.External)) {
				return
			}
		}
	}
}

// Copies are the peers' namespaces that the node writes to although nothing of
// its own stands on them or shows them: layers are being copied there. A target
// goes on with that when who began it is gone, and does not list it.
func (n *Node) Copies() (all []*Remote) {
	claimed := map[lineage.UUID]*Remote{}
	for u, r := range n.Remotes {
		if r.Claimed {
			claimed[u] = r
		}
	}
	for u := range n.used() {
		if delete(claimed, u); len(claimed) == 0 {
			break
		}
	}
	for _, u := range slices.Sorted(maps.Keys(claimed)) {
		all = append(all, claimed[u])
	}
	return all
}

// Fills are the stacks that the node itself writes to although nothing uses them: layers
// are being copied there from another pool of the node (Copies).
func (n *Node) Fills() (all []*Lvol) {
	for _, alias := range slices.Sorted(maps.Keys(n.Lvols)) {
		l := n.Lvols[alias]
		if _, staging := l.Parsed.(lineage.Staging); staging && l.Claimed {
			all = append(all, l)
		}
	}
	used := map[lineage.UUID]bool{}
	if len(all) > 0 {
		for u := range n.used() {
			used[u] = true
		}
	}
	return slices.DeleteFunc(all, func(l *Lvol) bool { return used[l.UUID] })
}

// Can reports whether the target has the RPC method.
func (n *Node) Can(method string) bool {
	_, ok := n.Methods[method]
	return ok
}

// New makes a Snapshot of what the nodes said. The cluster's name tells which
// RAIDs and exports belong to its volumes.
func New(c lineage.Cluster, nodes ...*Node) *Snapshot {
	s := &Snapshot{Nodes: map[lineage.Node]*Node{}, seen: map[lineage.Volume][]lineage.Node{}, ids: map[string][]lineage.Volume{}, foreign: map[lineage.Node]map[lineage.UUID]string{}}
	for _, n := range nodes {
		s.Nodes[n.Name] = n
		n.seeThrough()
		s.findForeign(c, n)
		if len(n.Ublk)+len(n.NBD) > 0 {
			s.SawKernelDevice(n.Name)
		}
		for v := range n.stacks {
			s.Saw(v, n.Name)
		}
		for name := range n.Raids {
			if v, ok := c.ParseRaid(name); ok {
				s.Saw(v, n.Name)
			}
		}
		s.sawCiphers(c, n)
		for nqn := range n.Subsystems {
			if v, ok := c.ParseExport(nqn); ok {
				s.Saw(v, n.Name)
			}
		}
	}
	return s
}

// Saw records that something named after v is on the node.
func (s *Snapshot) Saw(v lineage.Volume, n lineage.Node) {
	at := s.seen[v]
	if at == nil {
		ids := append(slices.Clone(s.ids[v.Name]), v)
		slices.SortFunc(ids, func(a, b lineage.Volume) int { return cmp.Compare(a.ID, b.ID) })
		s.ids[v.Name] = ids
	}
	if i, found := slices.BinarySearch(at, n); !found {
		s.seen[v] = slices.Insert(slices.Clone(at), i, n)
	}
}

// SawKernelDevice records that the node shows devices to its own kernel.
func (s *Snapshot) SawKernelDevice(n lineage.Node) {
	if i, found := slices.BinarySearch(s.kernel, n); !found {
		s.kernel = slices.Insert(slices.Clone(s.kernel), i, n)
	}
}

// Clone copies what a projection may change: the snapshot with the node Edit
// is asked for.
func (s *Snapshot) Clone() *Snapshot {
	return &Snapshot{Nodes: maps.Clone(s.Nodes), seen: maps.Clone(s.seen), ids: maps.Clone(s.ids), kernel: s.kernel, apart: s.apart, foreign: s.foreign}
}

// Clone copies the node and everything on it.
func (n *Node) Clone() *Node {
	c := NewNode(n.Name)
	c.SameAs = n.SameAs
	c.Unknown, c.Version, c.Methods, c.TCP, c.RDMA, c.OtherBdevs = n.Unknown, n.Version, n.Methods, n.TCP, n.RDMA, n.OtherBdevs
	c.Lock = Lock{n.Lock.Holder, slices.Clone(n.Lock.Notes)}
	c.Seat = Lock{n.Seat.Holder, slices.Clone(n.Seat.Notes)}
	c.Copying = n.Copying
	for k, v := range n.Disks {
		c.Disks[k] = copyOf(v)
	}
	for k, v := range n.Lvstores {
		c.Lvstores[k] = copyOf(v)
	}
	for _, v := range n.Lvols {
		l := copyOf(v)
		l.Children = slices.Clone(v.Children)
		c.Lvols[l.Alias()] = l
		c.lvolByUUID[l.UUID] = l
	}
	for v, stack := range n.stacks {
		for _, l := range stack {
			c.stacks[v] = append(c.stacks[v], c.Lvols[l.Alias()])
		}
	}
	for _, v := range n.Remotes {
		c.AddRemote(copyOf(v))
	}
	for k, v := range n.Controllers {
		c.Controllers[k] = copyOf(v)
	}
	for k, v := range n.Raids {
		r := copyOf(v)
		r.Legs = slices.Clone(v.Legs)
		c.Raids[k] = r
	}
	for k, v := range n.Subsystems {
		c.Subsystems[k] = v.clone()
	}
	c.Ublk, c.NBD = maps.Clone(n.Ublk), maps.Clone(n.NBD)
	c.Discovery = n.Discovery
	c.Limits, c.Keyring = maps.Clone(n.Limits), maps.Clone(n.Keyring)
	c.TLSBuffer = n.TLSBuffer
	c.KeyFiles, c.KeyFilesUnread = maps.Clone(n.KeyFiles), n.KeyFilesUnread
	c.cloneCiphers(n)
	return c
}

func (s *Subsystem) clone() *Subsystem {
	c := copyOf(s)
	c.Hosts, c.Listeners, c.Keys = slices.Clone(s.Hosts), slices.Clone(s.Listeners), maps.Clone(s.Keys)
	c.Namespaces = make(map[int]*Namespace, len(s.Namespaces))
	for k, v := range s.Namespaces {
		c.Namespaces[k] = copyOf(v)
	}
	return c
}

func copyOf[T any](p *T) *T {
	c := *p
	return &c
}

// RenameChild has an lvol know one that stands on it under another name; nothing
// happens where there is no such lvol.
func (n *Node) RenameChild(lvstore string, parent, from, to lineage.LvolName) {
	if p := n.Lvols[lvstore+"/"+string(parent)]; p != nil && parent != "" {
		for i, c := range p.Children {
			if c == from {
				p.Children[i] = to
			}
		}
	}
}
