package world

import (
	"strata/schema"
	"strata/state"
)

// Limits are configured limits as a Snapshot has them.
func Limits(l schema.Limits) state.Limits {
	return state.Limits{IOPS: l.IOPS, Read: l.Read, Write: l.Write}
}
