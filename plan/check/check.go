// Package check looks at plans without knowing how they were made.
package check

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Check looks at a plan without knowing how it was made. It carries the steps
// out on a projection of snap and says what is wrong with the first one after
// which a volume that had a complete current copy has none any more, or that
// touches what is not the cluster's, or takes away what is shown to hosts, and
// with the first section that leaves hosts paused. It notes in every step how many current copies there are.
func Check(cfg *schema.Config, snap *state.Snapshot, p *plan.Plan, opt plan.Options) error {
	return New(cfg, world.Fit(cfg, snap), opt).Check(p)
}

// A Checker checks plans that follow one another, each on what those before leave.
// After one that fails it is of no use.
type Checker struct {
	cfg *schema.Config
	opt plan.Options
	was *state.Snapshot // before the first plan
	w   *world.World
	// recorded has the layers that archives have records of by the steps so far.
	recorded map[recorded]bool
	// read has the layers that were read by the steps so far.
	read map[layerAt]bool
	// forgotten has those of which they have none any more.
	forgotten map[recorded]bool
	images    images
	// held has the exports of wholes whose hosts wait between sections of a pass, and the
	// one since which.
	held map[lineage.NQN]plan.Key
	// began has the heads that this pass has renamed or deleted, as it began.
	began map[lineage.UUID]state.Head
	// proveless has the links whose controllers prove nothing by the steps so far.
	proveless map[lineage.Link]bool
	// lent has the forerunners as the pass began, by the incarnation whose record they read.
	lent map[lineage.ID]lineage.LvolName
	// connects has the links that connect anew in this pass.
	connects map[lineage.Link]bool
}

// New makes a Checker of what was read, fitted to the configuration (world.Fit).
func New(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) *Checker {
	c := &Checker{cfg: cfg, opt: opt, was: fitted, w: world.New(cfg.Cluster, fitted), held: map[lineage.NQN]plan.Key{}, began: map[lineage.UUID]state.Head{}, proveless: map[lineage.Link]bool{}, connects: map[lineage.Link]bool{}}
	c.findLent()
	return c
}

// Check is Check of the next plan.
func (c *Checker) Check(p *plan.Plan) error {
	for _, pass := range p.Passes {
		for i := range pass.Sections {
			if err := c.Section(&pass.Sections[i]); err != nil {
				return err
			}
		}
		if err := c.Passed(); err != nil {
			return err
		}
	}
	return nil
}

// Section is Check of the next section of a plan. Its error is a [plan.Fault].
func (c *Checker) Section(s *plan.Section) error {
	if err := c.section(s); err != nil {
		return &plan.Fault{Key: s.Key(), Err: err}
	}
	return nil
}

func (c *Checker) section(s *plan.Section) error {
	id, before := c.copies(s)
	var had map[lineage.Place]bool
	if c.cfg.Whole(s.Name) != nil && s.Kind == plan.KindVolume {
		before = 0 // what is in its parts, their sections say
	}
	if s.Kind == plan.KindVolume {
		had = c.replicas(id)
	}
	paused := map[lineage.NQN]bool{}
	for step := range s.Steps() {
		if err := c.step(s, step); err != nil {
			return fmt.Errorf("step %d (%s): %w", step.Number, step.Op.Words(), err)
		}
		c.track(paused, step)
		if s.Kind != plan.KindVolume {
			continue
		}
		if id.Name == "" {
			id, _ = c.copies(s)
		}
		step.Copies = c.current(id)
		lost := before > 0 && step.Copies == 0 || s.Name == id.String() && fences(step.Op)
		if lost && !c.released(s.Key()) && !c.yields(s, id, step.Op) {
			return fmt.Errorf("step %d (%s) would leave %s without a complete current copy", step.Number, step.Op.Words(), id)
		}
		if err := c.elsewhere(s, id, had, step.Op); err != nil {
			return fmt.Errorf("step %d (%s): %w", step.Number, step.Op.Words(), err)
		}
		before = max(before, step.Copies)
	}
	for nqn := range paused {
		if id, _ := c.cfg.Cluster.ParseExport(nqn); c.cfg.Whole(id.Name) != nil {
			c.held[nqn] = s.Key() // until the section of the whole
			continue
		}
		return fmt.Errorf("it would leave the hosts of %s paused", nqn)
	}
	return nil
}

// Passed is what is wrong at the end of a pass: the hosts of a whole wait while its parts
// change one after the other, and go on then. Its error is a [plan.Fault].
func (c *Checker) Passed() error {
	for _, nqn := range slices.Sorted(maps.Keys(c.held)) {
		return &plan.Fault{Key: c.held[nqn], Err: fmt.Errorf("it would leave the hosts of %s paused", nqn)}
	}
	clear(c.began)
	clear(c.connects)
	c.findLent()
	return nil
}

// step carries a step out on the projection, if it may be.
func (c *Checker) step(s *plan.Section, step *plan.Step) error {
	if err := c.owned(step.Op); err != nil {
		return err
	}
	if err := c.forerunnerStays(s, step.Op); err != nil {
		return err
	}
	if err := c.permitted(s, step); err != nil {
		return err
	}
	if err := c.spares(s, step.Op); err != nil {
		return err
	}
	c.note(step.Op)
	c.noteKeys(step.Op)
	c.noteConnects(step.Op)
	return c.w.Project(step.Op)
}

// note keeps what a head is called before it is renamed or deleted.
func (c *Checker) note(op plan.Op) {
	var alias string
	switch op := op.(type) {
	case plan.LvolRename:
		alias = op.Lvstore + "/" + string(op.From)
	case plan.LvolDelete:
		alias = op.Lvstore + "/" + string(op.Name)
	default: // renames nothing
		return
	}
	l := c.w.Nodes[op.On()].Lvols[alias]
	if l == nil {
		return
	}
	name, head := l.Parsed.(lineage.Head)
	if _, noted := c.began[l.UUID]; head && !noted {
		c.began[l.UUID] = state.Head{Placed: state.Placed{Node: op.On(), Lvol: l}, Name: name}
	}
}

// asBegan is an incarnation with its heads as they were called when the pass began: what a
// plan is made on, and checked by, that is made once the passes before are carried out.
func (c *Checker) asBegan(v lineage.Volume) *state.Incarnation {
	inc := *c.w.Incarnation(v)
	inc.Heads = slices.Clone(inc.Heads)
	for u, was := range c.began {
		switch i := slices.IndexFunc(inc.Heads, func(h state.Head) bool { return h.Lvol.UUID == u }); {
		case was.Name.Volume != v:
		case i >= 0:
			inc.Heads[i].Name = was.Name
		default:
			inc.Heads = append(inc.Heads, was)
		}
	}
	return &inc
}

// track follows which exports hold their hosts. One without listener holds
// them too: they wait for the path to come back.
func (c *Checker) track(paused map[lineage.NQN]bool, step *plan.Step) {
	hosts := step.Op.Facts().Hosts
	switch hosts.Effect {
	case plan.IOHeld:
		paused[hosts.NQN] = true
	case plan.PathTaken:
		_, export := c.cfg.Cluster.ParseExport(hosts.NQN)
		if c.cfg.Suspended(step.Op.On()) {
			break // they wait until it is not any more
		}
		if v, ok := c.cfg.Cluster.ParseExport(hosts.NQN); ok && (c.serves(v, step.Op.On()) || c.leftover(v, step.Op.On()) || c.helpless(v, step.Op.On())) {
			break // they go on where it is served, or will be
		}
		if sub := c.w.Nodes[step.Op.On()].Subsystems[hosts.NQN]; export && sub != nil && len(sub.Listeners) == 0 {
			paused[hosts.NQN] = true
		}
	case plan.IOGoesOn, plan.PathGiven:
		delete(paused, hosts.NQN)
		delete(c.held, hosts.NQN)
	case plan.ExportGone: // of a volume that moves, or is not exported any more
		id, _ := c.cfg.Cluster.ParseExport(hosts.NQN)
		if v := c.cfg.Shown(id.Name); v == nil || v.Export.Kind != schema.ExportNVMf {
			delete(paused, hosts.NQN)
			delete(c.held, hosts.NQN)
		}
	}
}

// copies finds the incarnation a section works on, and its current copies. A
// section that makes a new volume has none at first.
func (c *Checker) copies(s *plan.Section) (lineage.Volume, int) {
	if s.Kind != plan.KindVolume {
		return lineage.Volume{}, 0
	}
	of, _ := s.Key().Volume()
	var best lineage.Volume
	most := 0
	for _, id := range c.w.Incarnations(of.Name) {
		if of.ID != "" && id.ID != of.ID {
			continue
		}
		if n := c.current(id); best.Name == "" || n > most {
			best, most = id, n
		}
	}
	return best, most
}

// current counts the complete current copies of one incarnation.
func (c *Checker) current(id lineage.Volume) int {
	verdict := c.judge(id)
	if verdict.Unknown != "" {
		return 0
	}
	return len(verdict.Legs)
}

func (c *Checker) judge(id lineage.Volume) state.Verdict {
	id = judged(id, c.cfg)
	q := state.Question{Cluster: c.cfg.Cluster}
	if v := c.cfg.Volume(id.Name); v != nil {
		q.Replicas, q.Authority = v.Replicas.Count, c.opt.Authority[id.Name]
	}
	return c.w.Judge(c.w.Incarnation(id), q)
}

// yields reports whether a step may leave an incarnation without a current copy
// that nobody has released: it deletes nothing of it and is one of a section of
// its own, nothing shows it any more, and an engine with a complete copy serves
// another of the same configured name.
func (c *Checker) yields(s *plan.Section, id lineage.Volume, op plan.Op) bool {
	switch op.(type) {
	case plan.LvolRename, plan.SubsystemDelete, plan.UblkStop, plan.NBDStop, plan.RaidDelete, plan.NamespaceRemove, plan.CipherDelete, plan.KeyForget:
	default: // may leave none without one
		return false
	}
	if s.Name != id.String() || c.cfg.Volume(id.Name) == nil || c.w.Incarnation(id).Running() {
		return false
	}
	return slices.ContainsFunc(c.w.Incarnations(id.Name), func(other lineage.Volume) bool { return other != id && c.served(other) })
}

// fences reports whether an op marks a head as known to be stale.
func fences(op plan.Op) bool {
	r, ok := op.(plan.LvolRename)
	to, head := lineage.ParseHead(r.To)
	return ok && head && to.Mark == lineage.Fenced
}

// served reports whether an engine serves an incarnation, from a copy that was
// read and is complete.
func (c *Checker) served(id lineage.Volume) bool {
	v := c.judge(id)
	return v.Unknown == "" && v.Engine != "" && slices.ContainsFunc(v.Legs, func(l state.CurrentLeg) bool { return l.Head != nil })
}
