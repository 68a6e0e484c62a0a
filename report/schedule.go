package report

import (
	"strata/lineage"
	"strata/plan/retention"
	"strata/schema"
)

// Schedule adds when the next snapshot on schedule of each volume is due, at a time in Unix
// seconds.
func (r *Report) Schedule(cfg *schema.Config, now int64) {
	for i := range r.Volumes {
		v := &r.Volumes[i]
		if conf := cfg.Volume(v.Name); conf != nil && conf.Every > 0 && v.ID != "" {
			v.Next = stamp(retention.Due(conf, v.snapshots(), now))
		}
	}
}

// snapshots are the names of those that current replicas have.
func (v *Volume) snapshots() (names []string) {
	var walk func([]Layer)
	walk = func(stack []Layer) {
		for _, l := range stack {
			if p, ok := lineage.ParseLayer(l.Name); ok && !p.Own && !l.Partial && p.Volume.Name == v.Name {
				names = append(names, p.Snapshot)
			}
			walk(l.Above)
		}
	}
	for _, replica := range v.Replicas {
		if replica.Leg == Current {
			walk(replica.Stack)
		}
	}
	return names
}
