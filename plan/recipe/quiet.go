package recipe

import (
	"strata/plan"
	"strata/plan/check"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Quiet plans what does not wait on nodes that come and go (plan.Options.Quiet): where one
// is back with an engine of a volume that is served elsewhere by now, its listeners go, so
// that no host reads there what is old. What else is to end on it waits until it stays, and
// what it has counts as away until then.
func Quiet(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, error) {
	snap = world.Fit(cfg, snap)
	b := newBuilder(newPasses(cfg, world.New(cfg.Cluster, snap), opt))
	b.links = newLinks(b, nil)
	for _, v := range b.order {
		if b.left(plan.VolumeKey(v.Name)) || b.unattended() && !opt.Auto[v.Name].Has(schema.DutyFence) {
			continue
		}
		for _, id := range b.w.Incarnations(v.Name) {
			b.quiet(v, b.w.Incarnation(id))
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	p := &plan.Plan{}
	if pass := b.finish(); len(pass.Sections) > 0 {
		p.Passes = []plan.Pass{pass}
	}
	p.Complete(cfg)
	return p, check.New(cfg, snap, opt).Check(p)
}

// quiet takes the listeners of engines away that are not the one to believe.
func (b *builder) quiet(v *schema.Volume, inc *state.Incarnation) {
	verdict := b.w.Judge(inc, state.Question{Cluster: b.cfg.Cluster, Replicas: v.Replicas.Count})
	if verdict.Unknown != "" || verdict.Engine == "" || b.opt.Quiet[verdict.Engine] {
		return
	}
	s := &subject{b: b, v: v, id: inc.Volume, inc: inc, sec: b.section(plan.VolumeKey(v.Name))}
	for _, e := range inc.Exports {
		if b.opt.Quiet[e.Node] && e.Subsystem != nil {
			s.silent(e.Node, because(v.Pos, "%s comes and goes, and %s serves it by now: hosts are not to be offered what is old", e.Node, verdict.Engine))
		}
	}
}
