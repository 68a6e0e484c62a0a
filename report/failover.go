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
	parts := map[lineage.Volume][]takeover.Subject{}
	for _, j := range all {
		v := &r.Volumes[j.at]
		id := lineage.Volume{Name: v.Name, ID: v.ID}
		if j.of.Part == nil {
			v.Failover = f.Of(j.of, id, j.verdict)
			continue
		}
		whole := id.Whole()
		parts[whole] = append(parts[whole], takeover.Subject{Volume: j.of, ID: id, Verdict: j.verdict})
	}
	for i := range r.Wholes {
		w := &r.Wholes[i]
		if all := parts[lineage.Volume{Name: w.Name, ID: w.ID}]; len(all) == len(w.Parts) && w.Device != "" {
			w.Failover = f.OfWhole(all)
		}
	}
}
