package plan

import (
	"strata/lineage"
	"strata/state"
	"strata/state/worldtest"
)

func readWorld(c lineage.Cluster, text string) (*state.Snapshot, error) {
	return worldtest.Read(c, text)
}

func writeWorld(s *state.Snapshot) string { return worldtest.Write(s) }
