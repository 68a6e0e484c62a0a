package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// passes makes the passes of a plan, one after another, each on what the one before
// leaves. A pass looks at everything, or only at what the last has touched:
// a volume rests on its own objects, on the nodes and links, and on little else, and
// of that it is noted what it has read (outcome). After a pass that did something to
// nodes or links everything is looked at, as it is when nothing is left to do of what
// was touched: a plan ends with a look at everything that finds nothing.
type passes struct {
	cfg   *schema.Config
	w     *world.World
	opt   plan.Options
	order []*schema.Volume // sources of clones first

	outcomes map[string]*outcome  // of volumes, when they were last planned
	needs    map[lineage.Link]int // how many volumes need a link
	touched  map[string]bool      // volumes that the last pass did something to
	last     *builder             // nil when everything is to be looked at
	// restless is set when something that nodes or links wait for may come of what
	// volumes do: then every pass looks at everything.
	restless bool
}

// outcome is what came of a volume when it was last planned, and what that rests on
// beside its own objects.
type outcome struct {
	needs map[lineage.Link]bool
	// copies has how many copies nodes took part in when it wanted to begin one.
	copies map[lineage.Node]int
	// asks: it waits for something that other volumes' steps may bring.
	asks bool
}

func newPasses(cfg *schema.Config, w *world.World, opt plan.Options) *passes {
	return &passes{cfg: cfg, w: w, opt: opt, order: sourcesFirst(cfg), outcomes: map[string]*outcome{}, needs: map[lineage.Link]int{}}
}

// next makes the next pass. One without sections says that nothing is left to do.
func (p *passes) next() (*builder, plan.Pass, error) {
	if p.last != nil {
		b, pass, err := p.make(p.last)
		if err != nil || len(pass.Sections) > 0 {
			return b, pass, err
		}
	}
	return p.make(nil)
}

// make makes a pass that looks at what was touched since the last, or at everything
// when that is nil.
func (p *passes) make(last *builder) (*builder, plan.Pass, error) {
	b := newBuilder(p)
	if last == nil {
		p.restless = false
		clear(p.outcomes)
		clear(p.needs)
	}
	if b.run(last); b.err != nil {
		return nil, plan.Pass{}, b.err
	}
	pass := b.finish()
	p.settle(b, pass)
	return b, pass, nil
}

// settle notes what the next pass is to look at.
func (p *passes) settle(b *builder, pass plan.Pass) {
	p.last, p.touched = b, map[string]bool{}
	whole := p.restless
	for i := range pass.Sections {
		s := &pass.Sections[i]
		switch s.Kind {
		case plan.KindVolume:
			name, _, _ := strings.Cut(s.Name, ".")
			p.touched[name] = true
			whole = whole || p.cfg.Volume(name) == nil
		case plan.KindGroup:
			for _, v := range b.group(s.Name) {
				p.touched[v.Name] = true
			}
		default:
			whole = true
		}
	}
	if whole {
		p.last = nil
	}
}

// due reports whether a pass has to look at a volume: anything that it rests on may
// have changed.
func (p *passes) due(v *schema.Volume, copies map[lineage.Node]int) bool {
	o := p.outcomes[v.Name]
	if o == nil || o.asks || p.touched[v.Name] {
		return true
	}
	for n, had := range o.copies {
		if copies[n] != had {
			return true
		}
	}
	return false
}

// kin adds to what was touched what has to be looked at with what may be due: all
// members of a group, which are cut together, and the volume that one is cloned from.
func (p *passes) kin() {
	groups := map[string]bool{}
	for _, v := range slices.Backward(p.order) { // a source comes before what is cloned from it
		if o := p.outcomes[v.Name]; !p.touched[v.Name] && o != nil && !o.asks && len(o.copies) == 0 {
			continue
		}
		if v.Group != "" {
			groups[v.Group] = true
		}
		if v.From != nil {
			p.touched[v.From.Volume] = true
		}
	}
	for _, v := range p.order {
		if groups[v.Group] {
			p.touched[v.Name] = true
		}
	}
}

// plan plans a volume, and notes what that rests on.
func (b *builder) plan(v *schema.Volume) {
	if old := b.outcomes[v.Name]; old != nil {
		for l := range old.needs {
			b.needs[l]--
		}
	}
	b.at = &outcome{needs: map[lineage.Link]bool{}, copies: map[lineage.Node]int{}}
	b.volume(v)
	for l := range b.at.needs {
		b.needs[l]++
	}
	b.outcomes[v.Name], b.at = b.at, nil
}

// copying is how many copies a node takes part in when a volume asks.
func (b *builder) copying(n lineage.Node) int {
	if _, asked := b.at.copies[n]; !asked {
		b.at.copies[n] = b.copies[n]
	}
	return b.copies[n]
}

// build makes a plan that nobody has checked yet.
func build(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, error) {
	snap = world.Fit(cfg, snap)
	return newPasses(cfg, world.New(cfg.Cluster, snap), opt).plan(limitOf(snap), (*passes).next)
}

// limitOf bounds the passes of a plan: a recipe that never comes to rest is a defect.
// Each copies a layer at least, or is one of the few that a volume takes beside.
func limitOf(snap *state.Snapshot) int {
	n := 1000
	for _, at := range snap.Nodes {
		n += 10 * len(at.Lvols)
	}
	return n
}

func (p *passes) plan(limit int, next func(*passes) (*builder, plan.Pass, error)) (*plan.Plan, error) {
	out := &plan.Plan{}
	for {
		b, pass, err := next(p)
		if err != nil {
			return nil, err
		}
		out.Blocked, out.Notes = b.blocked, b.notes
		decide(out, p.order, b.places)
		if len(pass.Sections) == 0 {
			break
		}
		out.Passes = append(out.Passes, pass)
		if p.opt.OnePass {
			break
		}
		if len(out.Passes) == limit {
			s := &pass.Sections[0]
			op := s.Stages[0][0].Op
			return nil, &plan.Fault{Key: s.Key(), Err: fmt.Errorf("it does not come to rest after %d passes and goes on with: %s: %s", limit, op.On(), plan.Words(op))}
		}
	}
	out.Complete(p.cfg)
	return out, nil
}
