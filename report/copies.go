package report

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/state"
)

// Copy is a layer that a node copies to a peer.
//
// How far it is comes from the lvol that it is copied to: the node itself tells
// the end of a copy once, to whoever asks first, and that is for who waits for it.
// The last cluster is allocated before it is written. Of a copy that is made once
// more the clusters of the one before count, too.
type Copy struct {
	Volume string           `json:"volume"`
	Layer  lineage.LvolName `json:"layer,omitempty"` // "" where no note says which
	From   lineage.Node     `json:"from"`
	To     lineage.Node     `json:"to"` // "" where an archive is
	// Archive is what is copied into; "" for none.
	Archive string `json:"archive,omitempty"`
	Copied  int64  `json:"copied"`          // bytes
	Total   int64  `json:"total,omitempty"` // bytes; 0 where it is not known
	// Cluster is what is copied at a time, in bytes.
	Cluster int64 `json:"clusterSize"`
}

// Key tells a copy from others that are made at the same time.
func (c Copy) Key() string { return fmt.Sprintf("%s %s%s %s", c.Volume, c.To, c.Archive, c.Layer) }

// Progress is how far the copy is.
func (c Copy) Progress() Progress {
	return Progress{Copied: c.Copied / c.Cluster, Total: c.Total / c.Cluster, Cluster: c.Cluster}
}

// Percent is how much of it is copied; -1 where it is not known how much it is.
func (c Copy) Percent() int {
	if c.Total == 0 {
		return -1
	}
	return int(100 * c.Copied / c.Total)
}

// copies are those that nodes make at present.
func copies(s *state.Snapshot) (all []Copy) {
	for _, n := range s.Nodes {
		for _, u := range targets(n) {
			to, dest := holder(s, u)
			if dest == nil || dest.Parsed == nil {
				continue // on a node that was not read, or not ours
			}
			c := Copy{Volume: dest.Parsed.Of().Name, From: n.Name, To: to.Name, Copied: size(to, dest), Cluster: 1}
			if lvs := to.Lvstores[dest.Lvstore]; lvs != nil && lvs.ClusterSize > 0 {
				c.Cluster = lvs.ClusterSize
			}
			if l := copied(n, dest.Parsed.Of(), n.Copying[u]); l != nil {
				c.Layer, c.Total = l.Name, size(n, l)
				c.Copied = min(c.Copied, c.Total)
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Copy) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From), cmp.Compare(a.Layer, b.Layer))
	})
	return all
}

// targets are what a node copies to: lvols of peers, and its own in other pools.
func targets(n *state.Node) (all []lineage.UUID) {
	for _, r := range n.Copies() {
		all = append(all, r.UUID)
	}
	for _, l := range n.Fills() {
		all = append(all, l.UUID)
	}
	return all
}

// holder finds an lvol by its UUID, and the node that has it.
func holder(s *state.Snapshot, u lineage.UUID) (*state.Node, *state.Lvol) {
	for _, n := range s.Nodes {
		if l := n.LvolByUUID(u); l != nil {
			return n, l
		}
	}
	return nil, nil
}

// copied finds the layer of a volume that a mark is about.
func copied(n *state.Node, v lineage.Volume, mark lineage.UUID) *state.Lvol {
	for _, l := range n.Lvols {
		if layer, ok := l.Parsed.(lineage.Layer); ok && layer.Volume == v {
			if _, is := lineage.ParseCopyMark(mark, l.Alias()); is {
				return l
			}
		}
	}
	return nil
}

// size is how much an lvol has of its own, in bytes.
func size(n *state.Node, l *state.Lvol) int64 {
	if lvs := n.Lvstores[l.Lvstore]; lvs != nil {
		return l.Allocated * lvs.ClusterSize
	}
	return 0
}
