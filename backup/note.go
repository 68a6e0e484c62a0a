package backup

import (
	"encoding/json"

	"strata/archive"
	"strata/catalog"
	"strata/lineage"
)

// note is what is kept beside an image: what its tags say, for who has lost them, and what
// a restore needs to know.
type note struct {
	Cluster     lineage.Cluster  `json:"cluster"`
	Layer       lineage.LvolName `json:"layer"`
	Over        lineage.LvolName `json:"over,omitempty"`
	ClusterSize int64            `json:"clusterSize"`
	Clusters    int64            `json:"clusters"` // that were copied
	// Sent are the clusters that the layer has, or one below it, in grains: what hosts have
	// written there counts, even if it is zero. What lies between two may be among them.
	// nil: nobody knows, as of a record of before this was noted.
	Sent *extents `json:"sent,omitempty"`
}

func noteOf(r catalog.Record, s shape, sent extents, known bool) (json.RawMessage, error) {
	n := note{r.Cluster, r.Layer, r.Over, s.cluster, r.Bytes / s.cluster, nil}
	if known {
		all := append(extents{}, sent.few(maxExtents)...)
		n.Sent = &all
	}
	return json.Marshal(n)
}

// sentIn are the clusters that a layer has of which there is an image; false where it does not
// say so.
func sentIn(i *archive.Image) (extents, bool) {
	var n note
	if err := json.Unmarshal(i.Note, &n); err != nil || n.Sent == nil {
		return nil, false
	}
	return *n.Sent, true
}
