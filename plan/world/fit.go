package world

import (
	"strata/schema"
	"strata/state"
)

// Fit leaves out what is in no pool of the cluster.
func Fit(cfg *schema.Config, snap *state.Snapshot) *state.Snapshot {
	return snap.Within(cfg.Cluster, cfg.Lvstores, cfg.Disk)
}
