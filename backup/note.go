package backup

import (
	"encoding/json"

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
}

func noteOf(r catalog.Record, s shape) (json.RawMessage, error) {
	return json.Marshal(note{r.Cluster, r.Layer, r.Over, s.cluster, r.Bytes / s.cluster})
}
