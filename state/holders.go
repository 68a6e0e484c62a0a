package state

import (
	"fmt"
	"slices"
)

// Holder is something that shows or uses an lvol, whoever made it.
type Holder struct {
	What string // in words: "it is a base of RAID r0"
	End  string // the call that ends it, for rpc.py; "" when it is not known
	// Shows: it gives the lvol to hosts as it is, and does not stand on it.
	Shows bool
	Ublk  int    // -1 unless it is that ublk device
	NBD   string // "" unless it is that device
	// Subsystem is what hosts reach the lvol through; nil unless it is one.
	Subsystem *Subsystem
}

// Holders lists what shows or uses an lvol of the node.
func (n *Node) Holders(l *Lvol) []Holder {
	var all []Holder
	claimed := l.Claimed
	for _, name := range sortedKeys(n.Raids) {
		if slices.ContainsFunc(n.Raids[name].Legs, func(leg Leg) bool { return leg.UUID == l.UUID }) {
			claimed = false
			all = append(all, Holder{What: "it is a base of RAID " + name, End: "bdev_raid_delete " + name, Ublk: -1})
		}
	}
	for _, nqn := range sortedKeys(n.Subsystems) {
		s := n.Subsystems[nqn]
		for _, nsid := range sortedKeys(s.Namespaces) {
			if n.Backing(s.Namespaces[nsid].Bdev) == l.UUID {
				claimed = false
				all = append(all, Holder{
					What: fmt.Sprintf("it is namespace %d of %s", nsid, nqn), End: fmt.Sprintf("nvmf_subsystem_remove_ns %s %d", nqn, nsid),
					Shows: true, Ublk: -1, Subsystem: s,
				})
			}
		}
	}
	for _, id := range sortedKeys(n.Ublk) {
		if n.Backing(n.Ublk[id]) == l.UUID {
			all = append(all, Holder{What: fmt.Sprintf("it is /dev/ublkb%d", id), End: fmt.Sprintf("ublk_stop_disk %d", id), Shows: true, Ublk: id})
		}
	}
	for _, path := range sortedKeys(n.NBD) {
		if n.Backing(n.NBD[path]) == l.UUID {
			all = append(all, Holder{What: "it is " + path, End: "nbd_stop_disk " + path, Shows: true, Ublk: -1, NBD: path})
		}
	}
	if claimed {
		all = append(all, Holder{What: "another bdev stands on it", Ublk: -1})
	}
	return all
}
