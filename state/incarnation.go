package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
)

// Incarnation is everything the nodes have that is named after one
// incarnation of a volume.
type Incarnation struct {
	Volume lineage.Volume
	Heads  []Head   // by node, then lvstore, then name
	Others []Placed // layers and staging, in the same order
	Raids  []Mirror // by node
	// Laid are the RAIDs that lay parts out, of the whole or, of a part, of its whole, by
	// node: on one that is offline nothing is shown.
	Laid    []Mirror
	Ciphers []Ciphered // by node
	// Beneath are the ciphers through which mirrors have single legs, by node.
	Beneath []Ciphered
	Keyed   []Keyed    // nodes that may have its key, by name
	Exports []Exported // by node
	// Standbys are the subsystems through which hosts have a path that leads to no
	// disk, by node: what they are told there is that it is inaccessible.
	Standbys []Exported
	Apart    []Apart // heads that count for nothing, by node
	// Foreign says of heads that something which is not the cluster's uses them.
	Foreign []string
}

// Placed is an lvol and the node it is on.
type Placed struct {
	Node lineage.Node
	Lvol *Lvol
}

// Head is a replica's live lvol.
type Head struct {
	Placed
	Name lineage.Head
}

// Mirror is a RAID and the node it is on.
type Mirror struct {
	Node lineage.Node
	Raid *Raid
}

// Exported is a way by which hosts reach the volume on a node.
type Exported struct {
	Node      lineage.Node
	Subsystem *Subsystem // nil for ublk and nbd
	Device    string     // bdev that is shown; "" for a subsystem without namespace
	Ublk      int        // -1 unless that is the way
	NBD       string
}

// standsBy reports whether it is a standby path. An engine's export never looks like
// one: its listener goes before its namespace does.
func (e Exported) standsBy() bool {
	return e.Device == "" && len(e.Subsystem.Listeners) > 0 && !slices.ContainsFunc(e.Subsystem.Listeners, func(l Listener) bool { return !l.Paused })
}

// Incarnations returns every incarnation of the volume that was seen, by ID.
func (s *Snapshot) Incarnations(volume string) []lineage.Volume { return s.ids[volume] }

// Volumes returns the names of all volumes that were seen, sorted.
func (s *Snapshot) Volumes() []string {
	var names []string
	for name := range s.ids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Incarnation collects what was seen of v.
func (s *Snapshot) Incarnation(c lineage.Cluster, v lineage.Volume) *Incarnation {
	inc := &Incarnation{Volume: v, Heads: make([]Head, 0, len(s.seen[v])), Apart: s.apartOf(v)}
	whole := v.Whole()
	raid, nqn := c.Raid(v), c.ExportNQN(whole)
	for _, name := range s.seenOf(v, whole) {
		n := s.Nodes[name]
		if n == nil || n.Unknown != "" {
			continue
		}
		for _, l := range n.stacks[v] {
			if h, ok := l.Parsed.(lineage.Head); ok {
				inc.Heads = append(inc.Heads, Head{Placed{name, l}, h})
			} else {
				inc.Others = append(inc.Others, Placed{name, l})
			}
		}
		if r := n.Raids[raid]; r != nil && r.Laid == nil {
			inc.Raids = append(inc.Raids, Mirror{name, r})
		}
		if len(n.Ciphers) > 0 {
			for _, cipher := range c.Ciphers(v) {
				if is, there := n.Ciphers[cipher]; there {
					inc.Ciphers = append(inc.Ciphers, Ciphered{name, cipher, is})
				}
			}
			inc.Beneath = append(inc.Beneath, n.legCiphers(c, v)...)
		}
		if check, may := n.Keyed[v]; may {
			inc.Keyed = append(inc.Keyed, Keyed{name, check})
		}
		laid := n.Raids[c.Raid(whole)]
		if laid.leavesOut(v) {
			continue // what is shown there is the whole without it
		}
		if laid != nil && laid.Laid != nil {
			inc.Laid = append(inc.Laid, Mirror{name, laid})
		}
		if sub := n.Subsystems[nqn]; sub != nil {
			e := Exported{Node: name, Subsystem: sub, Ublk: -1}
			if ns := sub.Namespaces[ExportNSID]; ns != nil {
				if e.Device = n.Deciphered(ns.Bdev); whole != v {
					e.Device = n.partIn(laid, v)
				}
			}
			if e.standsBy() {
				inc.Standbys = append(inc.Standbys, e)
			} else {
				inc.Exports = append(inc.Exports, e)
			}
		}
	}
	inc.kernelDevices(s, raid)
	for _, h := range inc.Heads {
		if by := s.ForeignUse(h.Node, h.Lvol.UUID); by != "" {
			inc.Foreign = append(inc.Foreign, fmt.Sprintf("%s on %s is used by %s", h.Lvol.Name, h.Node, by))
		}
	}
	return inc
}

// seenOf are the nodes on which anything was seen of an incarnation or its whole, sorted.
func (s *Snapshot) seenOf(v, whole lineage.Volume) []lineage.Node {
	if v == whole || len(s.seen[whole]) == 0 {
		return s.seen[v]
	}
	all := slices.Concat(s.seen[v], s.seen[whole])
	slices.Sort(all)
	return slices.Compact(all)
}

// partIn is the bdev by which a RAID that lays out has a part: its RAID, or its only leg;
// "" where it is not in there.
func (n *Node) partIn(laid *Raid, v lineage.Volume) string {
	p, part := lineage.SplitPart(v.Name)
	if !part || laid == nil || laid.State != "online" || p.Index >= len(laid.Legs) || !laid.Legs[p.Index].Configured {
		return ""
	}
	base := laid.Legs[p.Index]
	for name, r := range n.Raids {
		if r.Laid == nil && (name == base.Base || base.UUID != "" && r.UUID == base.UUID) {
			return name
		}
	}
	return string(base.UUID)
}

// leavesOut reports whether a part came only after a RAID was laid out.
func (r *Raid) leavesOut(v lineage.Volume) bool {
	p, part := lineage.SplitPart(v.Name)
	return part && r != nil && r.Laid != nil && p.Index >= len(r.Legs)
}

// Over is the RAID that lays out a bdev of the node, a RAID by name or an lvol by UUID,
// with others; nil for none.
func (n *Node) Over(bdev string) *Raid {
	u := n.Backing(bdev)
	if r := n.Raids[bdev]; r != nil {
		u = r.UUID
	}
	for _, r := range n.Raids {
		if r.Laid != nil && slices.ContainsFunc(r.Legs, func(l Leg) bool { return l.Configured && (l.Base == bdev || u != "" && l.UUID == u) }) {
			return r
		}
	}
	return nil
}

// ExportNSID is the number under which hosts see a volume in its export.
const ExportNSID = 1

// kernelDevices finds the ublk and nbd devices that show the RAID or a head.
func (inc *Incarnation) kernelDevices(s *Snapshot, raid string) {
	for _, name := range s.kernel {
		n := s.Nodes[name]
		for _, id := range slices.Sorted(maps.Keys(n.Ublk)) {
			if bdev := n.Deciphered(n.Ublk[id]); bdev == raid || inc.Find(n.Backing(bdev)) != nil {
				inc.Exports = append(inc.Exports, Exported{Node: name, Device: bdev, Ublk: id})
			}
		}
		for _, path := range slices.Sorted(maps.Keys(n.NBD)) {
			if bdev := n.Deciphered(n.NBD[path]); bdev == raid || inc.Find(n.Backing(bdev)) != nil {
				inc.Exports = append(inc.Exports, Exported{Node: name, Device: bdev, Ublk: -1, NBD: path})
			}
		}
	}
}

// Find returns the head with that UUID, or nil.
func (inc *Incarnation) Find(u lineage.UUID) *Head {
	if u == "" {
		return nil
	}
	for i := range inc.Heads {
		if inc.Heads[i].Lvol.UUID == u {
			return &inc.Heads[i]
		}
	}
	return nil
}

// Layers returns the layers of the incarnation in an lvstore of node n, by name.
func (inc *Incarnation) Layers(n lineage.Node, lvstore string) map[lineage.LvolName]*Lvol {
	out := map[lineage.LvolName]*Lvol{}
	for _, o := range inc.Others {
		if _, ok := o.Lvol.Parsed.(lineage.Layer); ok && o.Node == n && o.Lvol.Lvstore == lvstore {
			out[o.Lvol.Name] = o.Lvol
		}
	}
	return out
}

// Top is the highest epoch that any head names, those that count for nothing
// included: the volume has reached it. One that a failover was about to begin, and
// served nobody in, is none of them.
func (inc *Incarnation) Top() lineage.Epoch {
	var top lineage.Epoch
	pledged := false
	for _, h := range inc.Heads {
		if h.Name.Pledged {
			pledged = true
			continue
		}
		top = max(top, h.Name.Epoch)
	}
	for _, a := range inc.Apart {
		top = max(top, a.Name.Epoch)
	}
	if !pledged {
		return top
	}
	reached := top
	for _, h := range inc.Heads {
		if !inc.void(h, top) {
			reached = max(reached, h.Name.Epoch)
		}
	}
	return reached
}

// Running reports whether there is anything through which hosts may use it: a RAID of
// it, one over it that has not lost all its bases, or an export that shows a device.
func (inc *Incarnation) Running() bool {
	return len(inc.Raids) > 0 ||
		slices.ContainsFunc(inc.Laid, func(m Mirror) bool {
			return slices.ContainsFunc(m.Raid.Legs, func(l Leg) bool { return l.Configured })
		}) ||
		slices.ContainsFunc(inc.Exports, func(e Exported) bool { return e.Device != "" })
}

func comparePlaced(a, b Placed) int {
	return cmp.Or(cmp.Compare(a.Node, b.Node), compareLvols(a.Lvol, b.Lvol))
}
