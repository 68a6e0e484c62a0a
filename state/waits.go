package state

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
)

// Waiting is a link that waits for its peer: I/O of what a node uses through it
// neither ends nor fails.
type Waiting struct {
	lineage.Link
	At         lineage.Node // is attached to it; Link.To, unless that node was called otherwise
	Controller string
	State      string // of the controller
	// Hung is set when the link is connected and the peer does nothing all the same:
	// it hangs, or it has vanished and that was not noticed yet.
	Hung bool
	// Legs are what is used through it, of RAIDs or as it is, sorted.
	Legs []lineage.UUID
}

// How says what of the link waits.
func (w Waiting) How() string {
	switch {
	case w.Hung:
		return fmt.Sprintf("%s does not answer", w.From)
	case w.State == "enabled":
		return fmt.Sprintf("%s is back and does not show it yet", w.From)
	}
	return fmt.Sprintf("controller %s on %s is %s", w.Controller, w.At, w.State)
}

// Waits are the links that wait and whose peer is gone, in the order of nodes and
// controllers: it is not connected, has come back without what is used, or hangs.
// For a peer that has come back without, every link waits: what gives a peer up by
// itself does so while it is not connected. A link that carries nothing in use is none
// of them.
func (s *Snapshot) Waits(c lineage.Cluster) (all []Waiting) {
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		n := s.Nodes[name]
		without := map[string]bool{} // controllers that lack something
		for _, r := range n.Remotes {
			if r.Absent {
				without[r.Controller] = true
			}
		}
		for _, ctrl := range slices.SortedFunc(maps.Values(n.Controllers), func(a, b *Controller) int { return cmp.Compare(a.Name, b.Name) }) {
			link, ok := c.ParseLink(ctrl.NQN)
			if !ok || ctrl.GivenUp() || !link.Wait && (ctrl.State != "enabled" || !without[ctrl.Name]) {
				continue
			}
			w := Waiting{Link: link, At: name, Controller: ctrl.Name, State: ctrl.State}
			var absent bool
			w.Legs, absent = n.uses(ctrl)
			w.Hung = link.Wait && ctrl.State == "enabled" && !absent && s.hangs(n, link.From, w.Legs)
			if len(w.Legs) > 0 && (ctrl.State != "enabled" || absent || w.Hung) {
				all = append(all, w)
			}
		}
	}
	return all
}

// uses are the legs that a node serves through a controller, sorted, and whether the peer shows
// one of them no more.
func (n *Node) uses(ctrl *Controller) (legs []lineage.UUID, absent bool) {
	for u, r := range n.Remotes {
		if r.Controller == ctrl.Name && n.serves(u) {
			legs = append(legs, u)
			absent = absent || r.Absent
		}
	}
	slices.Sort(legs)
	return legs, absent
}

// Resets are the links that give a peer up by themselves, whose controller connects to a peer
// that answers, and through which something is used; in the order of nodes and controllers.
//
// That takes a target some seconds. But one whose peer ends when the admin queue is connected and
// an I/O queue is not yet is never done with it (seen on v26.05), and as long as it connects it counts none
// of the times after which it would give the peer up: I/O waits without end.
func (s *Snapshot) Resets(c lineage.Cluster) (all []Waiting) {
	for _, name := range slices.Sorted(maps.Keys(s.Nodes)) {
		n := s.Nodes[name]
		for _, ctrl := range slices.SortedFunc(maps.Values(n.Controllers), func(a, b *Controller) int { return cmp.Compare(a.Name, b.Name) }) {
			link, ok := c.ParseLink(ctrl.NQN)
			if !ok || link.Wait || ctrl.State != "resetting" || s.Nodes[link.From] == nil || s.Nodes[link.From].Unknown != "" {
				continue
			}
			if legs, _ := n.uses(ctrl); len(legs) > 0 {
				all = append(all, Waiting{Link: link, At: name, Controller: ctrl.Name, State: ctrl.State, Legs: legs})
			}
		}
	}
	return all
}

// serves reports whether the node has an lvol as a leg, or shows it as it is.
func (n *Node) serves(u lineage.UUID) bool {
	for _, r := range n.Raids {
		if r.Has(u) {
			return true
		}
	}
	for p := range n.Shows() {
		if n.Backing(n.Deciphered(p.Bdev)) == u {
			return true
		}
	}
	return false
}

// hangs reports whether I/O of a RAID waits that has one of these legs, and the node
// they are on does not answer.
func (s *Snapshot) hangs(n *Node, peer lineage.Node, legs []lineage.UUID) bool {
	if p := s.Nodes[peer]; p == nil || p.Unknown == "" {
		return false
	}
	for _, r := range n.Raids {
		if r.Stalled && slices.ContainsFunc(legs, r.Has) {
			return true
		}
	}
	return false
}
