package recipe

import (
	"fmt"
	"slices"

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
	index map[string]int   // of volumes, in order

	suspended  []string             // nodes
	suspension *suspension          // nil until they are apart
	backups    backups              // what archives hold
	outcomes   []*outcome           // of volumes, when they were last planned; nil before
	wholes     map[string]*whole    // as the last pass to look at them found them, by name
	needs      map[lineage.Link]int // how many volumes need a link
	last       *builder             // nil when everything is to be looked at
	places     map[string]plan.Placement
	ahead      *ahead                          // checks the first; nil for nobody
	watch      func(recipe string, op plan.Op) // is told of each step which recipe makes it; nil for nobody
	// restless is set when something that nodes or links wait for may come of what
	// volumes do: then every pass looks at everything.
	restless bool
	warnings []plan.Finding       // what a plan says beside what its last pass does
	seats    map[string]plan.Seat // of volumes, if that is to be explained
}

// outcome is what came of a volume when it was last planned, and what that rests on
// beside its own objects.
type outcome struct {
	needs map[lineage.Link]bool
	// seen has how many copies nodes took part in when it wanted to begin one.
	seen []copiesSeen
	// weighed is how its places were chosen, if it waits until nodes copy less: others
	// fill pools meanwhile. nil if it does not.
	weighed *weighed
	// asks: it waits for something that other volumes' steps may bring.
	asks bool
	// touched: the last pass did something to it, or to what it is looked at with.
	touched bool
}

// copiesSeen is in how many copies a node took part.
type copiesSeen struct {
	node   lineage.Node
	copies int
}

func newPasses(cfg *schema.Config, w *world.World, opt plan.Options) *passes {
	p := &passes{cfg: cfg, w: w, opt: opt, order: sourcesFirst(cfg), suspended: suspendedNodes(cfg), index: map[string]int{}, wholes: map[string]*whole{}, needs: map[lineage.Link]int{}, places: map[string]plan.Placement{}, seats: map[string]plan.Seat{}, backups: backups{cfg.Cluster, opt.Catalog}}
	for i, v := range p.order {
		p.index[v.Name] = i
	}
	p.outcomes = make([]*outcome, len(p.order))
	return p
}

// touch has the next pass look at a volume. It reports whether it is configured.
func (p *passes) touch(volume string) bool {
	if p.cfg.Whole(volume) != nil {
		volume = lineage.PartName(volume, 0) // what comes of it is that of all parts
	}
	i, ok := p.index[volume]
	if ok && p.outcomes[i] != nil {
		p.outcomes[i].touched = true
	}
	return ok
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
	defer p.ahead.stop()
	if p.suspension == nil {
		if b, pass, err := p.suspend(); err != nil || len(pass.Sections) > 0 {
			return b, pass, err
		}
	}
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
	p.ahead.end(pass)
	p.settle(b, pass)
	return b, pass, nil
}

// settle notes what the next pass is to look at.
func (p *passes) settle(b *builder, pass plan.Pass) {
	p.last = b
	whole := p.restless
	for i := range pass.Sections {
		s := &pass.Sections[i]
		switch s.Kind {
		case plan.KindVolume:
			v, _ := s.Key().Volume()
			whole = !p.touch(v.Name) || whole
		case plan.KindGroup:
			for _, v := range b.group(s.Name) {
				p.touch(v.Name)
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
func (b *builder) due(o *outcome) bool {
	return o == nil || o.asks || o.touched ||
		slices.ContainsFunc(o.seen, func(c copiesSeen) bool { return b.copies[c.node] != c.copies }) ||
		o.weighed != nil && b.tips(o.weighed)
}

// kin adds to what was touched what has to be looked at with what may be due: all
// members of a group, which are cut together, and the volume that one is cloned from.
func (p *passes) kin() {
	groups := map[string]bool{}
	for i, v := range slices.Backward(p.order) { // a source comes before what is cloned from it
		if o := p.outcomes[i]; v.Group == "" && v.From == nil || o != nil && !o.touched && !o.asks && len(o.seen) == 0 {
			continue
		}
		groups[v.Group] = true
		if v.From != nil {
			p.touch(v.From.Volume)
		}
	}
	if delete(groups, ""); len(groups) == 0 {
		return
	}
	for _, v := range p.order {
		if groups[v.Group] {
			p.touch(v.Name)
		}
	}
}

// plan plans the volume of that index, and notes what that rests on.
func (b *builder) plan(i int) {
	b.begin(i)
	b.volume(b.order[i])
	b.end(i)
}

// begin notes what comes of the volume of that index, until end.
func (b *builder) begin(i int) {
	if old := b.outcomes[i]; old != nil {
		for l := range old.needs {
			b.needs[l]--
		}
	}
	b.at = &outcome{needs: map[lineage.Link]bool{}}
}

func (b *builder) end(i int) {
	for l := range b.at.needs {
		b.needs[l]++
	}
	b.outcomes[i], b.at = b.at, nil
}

// copiesAt is how many copies a node takes part in when a volume asks.
func (b *builder) copiesAt(n lineage.Node) int {
	if !slices.ContainsFunc(b.at.seen, func(c copiesSeen) bool { return c.node == n }) {
		b.at.seen = append(b.at.seen, copiesSeen{n, b.copies[n]})
	}
	return b.copies[n]
}

// build makes a plan of what was read, fitted to the configuration, and says what of it
// is checked already.
func build(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
	p := newPasses(cfg, world.New(cfg.Cluster, fitted), opt)
	p.ahead = newAhead(cfg, fitted, opt)
	made, err := p.plan(limitOf(fitted), (*passes).next)
	return made, p.ahead, err
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
	out, found, pools := &plan.Plan{}, p.presences(), p.leavingPools()
	var complete bool
	for {
		b, pass, err := next(p)
		if err != nil {
			return nil, err
		}
		out.Blocked, out.Notes = b.blocked, b.notes
		p.decide(b.decides)
		if complete = len(pass.Sections) == 0; complete {
			p.fates(b, out)
			break
		}
		out.Passes = append(out.Passes, pass)
		if p.opt.OnePass {
			break
		}
		if len(out.Passes) == limit {
			s := &pass.Sections[0]
			op := s.Stages[0][0].Op
			return nil, &plan.Fault{Key: s.Key(), Err: fmt.Errorf("it does not come to rest after %d passes and goes on with: %s: %s", limit, op.On(), op.Words())}
		}
	}
	for _, v := range p.order {
		if place, ok := p.places[v.Name]; ok {
			out.Places = append(out.Places, place)
		}
	}
	out.Notes = append(out.Notes, p.warnings...)
	if n, why := p.cfg.IdleAddresses(); why != "" {
		out.Notes = append(out.Notes, plan.Finding{About: "node " + string(n.Name), Pos: n.Pos, Text: why, Hint: schema.AddressesUsed})
	}
	p.tellDrained(found, out, complete)
	p.tellReplacedPools(pools, out, complete)
	out.Complete(p.cfg)
	return out, nil
}
