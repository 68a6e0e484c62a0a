package plan

import (
	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

func readWorld(c lineage.Cluster, text string) (*state.Snapshot, error) {
	return worldtest.Read(c, text)
}

// remind makes nodes know of the pools that they have, as plans do.
func remind(cfg *schema.Config, s *state.Snapshot) { worldtest.Remind(cfg, s) }

func writeWorld(s *state.Snapshot) string { return worldtest.Write(s) }
