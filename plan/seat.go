package plan

import "strata/lineage"

// Seat says where a volume is served once a plan is carried out, why, and what becomes of
// it when that node goes then.
type Seat struct {
	Volume   string       `json:"volume"`
	Engine   lineage.Node `json:"engine"`
	Why      string       `json:"why"`
	Failover string       `json:"failover,omitempty"` // in words; "" where there is nothing to say
}
