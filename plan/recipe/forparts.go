package recipe

import (
	"maps"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// forParts has what the operator said of a whole be said of each of its parts, those that
// are configured and those that are there.
func forParts(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) plan.Options {
	names := snap.Volumes()
	for _, v := range cfg.Volumes {
		names = append(names, v.Name)
	}
	for _, name := range names {
		p, part := lineage.SplitPart(name)
		if !part {
			continue
		}
		for _, g := range opt.AllowDestroy.All() {
			if of := (lineage.Volume{Name: g.Volume, ID: g.ID}); g.Volume == p.Whole && (of.ID == "" || cfg.Whole(of.Name) == nil) {
				opt.AllowDestroy = maps.Clone(opt.AllowDestroy)
				g.Volume = name
				opt.AllowDestroy[g] = true
			}
		}
		if whole := plan.VolumeKey(p.Whole); opt.ResumeOnly[whole] || opt.ResumeOnly[plan.VolumeKey(name)] {
			opt.ResumeOnly = maps.Clone(opt.ResumeOnly)
			opt.ResumeOnly[whole] = true
			for _, o := range names {
				if q, _ := lineage.SplitPart(o); q.Whole == p.Whole {
					opt.ResumeOnly[plan.VolumeKey(o)] = true
				}
			}
		}
		if opt.Failover[p.Whole] {
			opt.Failover = maps.Clone(opt.Failover)
			opt.Failover[name] = true
		}
	}
	return opt
}
