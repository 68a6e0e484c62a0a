package report

import (
	"strata/schema"
	"strata/state"
)

// How far a volume is that goes elsewhere: current replicas of it are where the
// configuration wants none.
const (
	Migrating  = "migrating"             // its engine is where it comes from
	Attachable = "migrating, attachable" // hosts use it at its destination, and it is being copied
	Migrated   = "done"                  // it is copied; what is left where it comes from goes
)

// migration says how far a volume is that goes elsewhere; "" of one that does not.
func migration(cfg *schema.Config, v *schema.Volume, verdict state.Verdict) string {
	if verdict.Unknown != "" {
		return ""
	}
	off := func(n *schema.Node) bool { return n == nil || v.KeptOff(n) != "" }
	there := 0
	for _, l := range verdict.Legs {
		if !off(cfg.Node(l.Node)) {
			there++
		}
	}
	switch {
	case there == len(verdict.Legs):
		return ""
	case there >= v.Replicas.Count:
		return Migrated
	case verdict.Engine != "" && !off(cfg.Node(verdict.Engine)):
		return Attachable
	}
	return Migrating
}
