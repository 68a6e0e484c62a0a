package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/check"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// A Planner goes on planning while what it planned is carried out, as long as that
// only moves copies of layers along: it takes what was planned for what is, so that
// a layer more costs what belongs to its volume, however many others there are. Who
// carries the passes out sees to it that they have left what is expected (World).
type Planner struct {
	passes *passes
	check  *check.Checker
	over   bool              // everything is to be looked at again
	own    map[plan.Key]bool // the sections of its passes
}

// Begin is Build for the next pass alone, and what goes on from it.
func Begin(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*Planner, *plan.Plan, error) {
	opt.OnePass = true
	r := &Planner{own: map[plan.Key]bool{}}
	p, c, err := checked(cfg, snap, opt, func(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
		r.passes = newPasses(cfg, world.New(cfg.Cluster, fitted), opt)
		r.passes.ahead = newAhead(cfg, fitted, opt)
		p, err := r.passes.plan(1, (*passes).next)
		return p, r.passes.ahead, err
	})
	if err != nil {
		return nil, nil, err
	}
	r.check = c
	r.follow(p)
	return r, p, nil
}

// Next plans what the last pass makes possible, all of it being done, but for the
// sections that are busy. It returns nil when everything is to be looked at again:
// also when something else is due than to move copies along.
func (r *Planner) Next(busy map[plan.Key][]lineage.Node) *plan.Plan {
	if r.over {
		return nil
	}
	r.passes.opt.Busy = busy
	b, pass, err := r.passes.make(r.passes.last)
	if err != nil {
		r.over = true
		return nil
	}
	p := &plan.Plan{Blocked: b.blocked, Notes: b.notes}
	if len(pass.Sections) > 0 {
		p.Passes = []plan.Pass{pass}
	}
	if !r.copiesOnly(p) || foresees(p, busy) { // for everything else it is not enough to know what was touched
		r.over = true
		return nil
	}
	p.Complete(r.passes.cfg)
	if err := r.check.Check(p); err != nil { // Begin says of what it is to keep away
		r.over = true
		return nil
	}
	r.follow(p)
	return p
}

// follow notes whether it can go on after a plan.
func (r *Planner) follow(p *plan.Plan) {
	if r.passes.last == nil {
		r.over = true
	}
	r.over = r.over || !r.copiesOnly(p)
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			r.own[pass.Sections[i].Key()] = true
		}
	}
}

// copiesOnly reports whether a plan does nothing else than to move copies of layers
// along.
func (r *Planner) copiesOnly(p *plan.Plan) bool {
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			if !copiesOnly(r.passes.cfg.Cluster, &pass.Sections[i]) {
				return false
			}
		}
	}
	return true
}

// foresees reports whether a plan puts an lvol on a layer of another volume that is
// busy: that layer is planned for, and may be there only once the copy has ended.
func foresees(p *plan.Plan, busy map[plan.Key][]lineage.Node) bool {
	return slices.ContainsFunc(p.Steps(), func(step plan.Step) bool {
		op, clones := step.Op.(plan.LvolClone)
		on, ok := lineage.ParseLayer(op.Layer)
		to, _ := lineage.Parse(op.Name)
		if !clones || !ok || to.Of() == on.Volume {
			return false
		}
		_, copies := busy[plan.VolumeKey(on.Volume.Name)]
		return copies
	})
}

// Over reports whether everything is to be looked at again.
func (r *Planner) Over() bool { return r.over }

// Ended says that a section ended which was busy. It reports whether the Planner
// knows what that has left: one that had begun before is not its own.
func (r *Planner) Ended(key plan.Key) bool {
	v, ok := key.Volume()
	return ok && r.own[key] && r.passes.touch(v.Name)
}

// World is what is there once everything of the passes so far is done.
func (r *Planner) World() *world.World { return r.passes.w }

// copiesOnly reports whether a section does nothing else than to move copies of a
// volume's layers along: what hosts use is as it was.
func copiesOnly(c lineage.Cluster, s *plan.Section) bool {
	if s.Kind != plan.KindVolume {
		return false
	}
	staging := func(names ...lineage.LvolName) bool {
		for _, name := range names {
			n, _ := lineage.Parse(name)
			if _, ok := n.(lineage.Staging); !ok {
				return false
			}
		}
		return true
	}
	for step := range s.Steps() {
		ok := false
		switch op := step.Op.(type) {
		case plan.LvolCreate:
			ok = staging(op.Name)
		case plan.LvolClone:
			ok = staging(op.Name)
		case plan.LvolResize:
			ok = staging(op.Name)
		case plan.LvolRename:
			ok = staging(op.From, op.To)
		case plan.LvolDelete:
			ok = staging(op.Name)
		case plan.LvolSnapshot:
			ok = staging(op.Lvol)
		case plan.NamespaceAdd:
			_, ok = c.ParseLink(op.NQN)
		case plan.NamespaceRemove:
			_, ok = c.ParseLink(op.NQN)
		case plan.ShallowCopy, plan.WriteLimit, plan.LegWait, plan.LegGone:
			ok = true
		default: // something else
		}
		if !ok {
			return false
		}
	}
	return true
}
