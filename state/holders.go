package state

import (
	"maps"
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
	for _, name := range slices.Sorted(maps.Keys(n.Raids)) {
		if slices.ContainsFunc(n.Raids[name].Legs, func(leg Leg) bool { return leg.UUID == l.UUID }) {
			claimed = false
			all = append(all, Holder{What: "it is a base of RAID " + name, End: "bdev_raid_delete " + name, Ublk: -1})
		}
	}
	var places []Shown
	for p := range n.Shows() {
		if n.Backing(p.Bdev) == l.UUID {
			places = append(places, p)
		}
	}
	slices.SortFunc(places, Shown.Compare)
	for _, p := range places {
		claimed = claimed && p.NSID == 0
		all = append(all, Holder{What: "it is " + p.String(), End: p.end(), Shows: true, Ublk: p.Ublk, NBD: p.NBD, Subsystem: n.Subsystems[p.NQN]})
	}
	if claimed {
		all = append(all, Holder{What: "another bdev stands on it", Ublk: -1})
	}
	return all
}
