// Package whatif says what would become of volumes if nodes were lost now: what a look would
// find then, what would be done without a person, and with one. It reads no node, and
// what it answers with is never carried out.
package whatif

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/recipe"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Format is the version of the form of an Answer. Fields may be added within a version; none
// is renamed, removed or given another meaning.
const Format = 1

// Answer says what would become of a cluster.
type Answer struct {
	Format  int             `json:"format"`
	Cluster lineage.Cluster `json:"cluster"`
	If      []Case          `json:"if"`
	Summary string          `json:"summary"`
	Stops   int             `json:"stops"` // how many volumes would stop
	Volumes []Fate          `json:"volumes"`
	Notes   []string        `json:"notes,omitempty"`
	// Plan is what strata plan would say then; of nodes that are only suspended, what is
	// to be done before their targets may be stopped.
	Plan *plan.Outline `json:"plan"`
}

// Ask answers what would become of what was read if all cases came true now: first somebody
// works on the nodes that are suspended, then targets end. opt is for the plan of a person. It
// fails where disks are not attached, for then it is not known what there is.
func Ask(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, cases []Case) (*Answer, error) {
	s := supposition(cases)
	before, err := recipe.Build(cfg, snap, opt)
	if err != nil {
		return nil, err
	}
	if disks := unattached(before); len(disks) > 0 {
		return nil, fmt.Errorf("it is not known what would become of volumes before %s %s attached: strata apply does that", strings.Join(disks, ", "), amount.Verb(len(disks), "is", "are"))
	}
	var notes []string
	if n := before.Totals().Steps; n > 0 {
		notes = append(notes, fmt.Sprintf("there is something to do already: %s This is of what there is now", before.Summary()))
	}
	then, err := foresee(cfg, snap, opt, s)
	if err != nil {
		return nil, err
	}
	shown := then.person
	if len(s.of(Suspended)) == len(s) {
		shown = then.suspending
	}
	a := &Answer{Format: Format, Cluster: cfg.Cluster, If: cases, Volumes: []Fate{}, Notes: append(notes, unwatched(cfg, snap)...), Plan: shown.Outline(cfg.Cluster)}
	for _, name := range shownVolumes(cfg) {
		f := then.fate(s, name)
		if f.Outcome == Stops {
			a.Stops++
		}
		a.Volumes = append(a.Volumes, f)
	}
	a.Summary = a.summary()
	return a, nil
}

// foresee is how things would go on.
func foresee(cfg *schema.Config, snap *state.Snapshot, opt plan.Options, s supposition) (*course, error) {
	suspended := s.config(cfg)
	before, p, err := s.suspend(suspended, snap, opt)
	if err != nil {
		return nil, err
	}
	c := &course{cfg: suspended, now: newMoment(cfg, snap), suspending: p, hit: world.Lose(suspended, before, s.gone())}
	c.found = newMoment(suspended, c.hit)
	return c, c.goOn(opt, s.waited(snap))
}

// unattached are the disks that a plan attaches: what they hold is not known before.
func unattached(p *plan.Plan) (disks []string) {
	for _, step := range p.Steps() {
		if op, ok := step.Op.(plan.DiskAttach); ok && op.Kind != schema.Malloc {
			disks = append(disks, fmt.Sprintf("%s on %s", op.Path, op.Node))
		}
	}
	return disks
}

// suspend is what there is once what a person does has been done for nodes that are
// suspended, and the plan of that; nothing is where none is.
func (s supposition) suspend(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*state.Snapshot, *plan.Plan, error) {
	if len(s.of(Suspended)) == 0 {
		return snap, nil, nil
	}
	p, err := recipe.Build(cfg, snap, opt)
	if err != nil {
		return nil, nil, err
	}
	after, err := project(cfg, snap, p)
	return after, p, err
}

// project is the Snapshot that a plan is expected to leave.
func project(cfg *schema.Config, snap *state.Snapshot, p *plan.Plan) (*state.Snapshot, error) {
	w := world.New(cfg.Cluster, world.Fit(cfg, snap))
	for _, step := range p.Steps() {
		if err := w.Project(step.Op); err != nil {
			return nil, fmt.Errorf("step %d: %w", step.Number, err)
		}
	}
	return w.Snapshot, nil
}

// course is how things go on after a loss.
type course struct {
	cfg        *schema.Config
	now, found *moment // when it happens, and right after it
	hit        *state.Snapshot
	alone      *moment // once all is done that is without a person
	helped     *moment // and with one
	// suspending is what a person does before it happens, for nodes that are suspended; nil
	// where none is.
	suspending *plan.Plan
	unattended *plan.Plan
	person     *plan.Plan
}

// goOn plans what is done then.
func (c *course) goOn(opt plan.Options, waited map[lineage.Node]bool) (err error) {
	opt.Away = waited
	if c.person, err = recipe.Build(c.cfg, c.hit, opt); err != nil {
		return err
	}
	if c.helped, err = c.after(c.person); err != nil {
		return err
	}
	watched := plan.Options{
		Nonce: opt.Nonce, Now: opt.Now, Catalog: opt.Catalog, Images: opt.Images,
		Auto: c.cfg.Autos(nil), Away: waited, Off: map[lineage.Node]string{}, Silent: map[lineage.Node]bool{},
	}
	if watched.Away == nil {
		watched.Away = map[lineage.Node]bool{}
		for name, n := range c.hit.Nodes {
			watched.Away[name] = n.Unknown != ""
		}
	}
	if c.unattended, err = recipe.Build(c.cfg, c.hit, watched); err != nil {
		return err
	}
	c.alone, err = c.after(c.unattended)
	return err
}

func (c *course) after(p *plan.Plan) (*moment, error) {
	snap, err := project(c.cfg, c.hit, p)
	if err != nil {
		return nil, err
	}
	return newMoment(c.cfg, snap), nil
}

// unwatched says that nobody is seen who would do anything without a person.
func unwatched(cfg *schema.Config, snap *state.Snapshot) []string {
	for _, n := range snap.Nodes {
		if n.Seat.Holder != "" {
			return nil
		}
	}
	for _, auto := range cfg.Autos(nil) {
		if auto != 0 {
			return []string{"no watch has its seat on the nodes: what is done by itself takes one (strata watch)"}
		}
	}
	return nil
}

// shownVolumes are the volumes that hosts know: wholes, and no parts of them.
func shownVolumes(cfg *schema.Config) []string {
	names := map[string]bool{}
	for _, v := range cfg.Volumes {
		if v.Part == nil {
			names[v.Name] = true
		}
	}
	for _, w := range cfg.Wholes {
		names[w.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
