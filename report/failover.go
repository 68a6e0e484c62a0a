package report

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// judged is a volume of the report, and the verdict on it.
type judged struct {
	of      *schema.Volume
	at      int
	verdict state.Verdict
}

// foresee says of volumes in use what becomes of them when their engine's node goes now.
func (r *Report) foresee(cfg *schema.Config, s *state.Snapshot, all []judged, gone map[lineage.Node]string) {
	engines := map[string]lineage.Node{}
	for _, j := range all {
		if j.verdict.Engine != "" {
			engines[j.of.Name] = j.verdict.Engine
		}
	}
	f := takeover.NewForesight(cfg, s, engines, slices.Collect(maps.Keys(gone)))
	for _, j := range all {
		v := &r.Volumes[j.at]
		v.Failover = f.Of(j.of, lineage.Volume{Name: v.Name, ID: v.ID}, j.verdict)
	}
}
