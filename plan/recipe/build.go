// Package recipe makes plans: what has to be done so that the nodes get from what
// was read to what is configured. The documentation of package plan has the
// algorithm; each recipe is a file.
package recipe

import (
	"fmt"
	"iter"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// Build plans how the nodes get from what snap says to what cfg asks for.
func Build(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) (*plan.Plan, error) {
	p, _, err := checked(cfg, snap, opt, build)
	return p, err
}

// builder makes one pass.
type builder struct {
	*passes
	ground *ground
	links  *links
	// devices has what the pass does to kernel devices.
	devices devices

	sections map[plan.Key]*section
	made     []*section
	assumes  []string
	// renames has the lvstores that get another name on their target in this pass.
	renames map[lineage.Node]map[string]bool

	subjects map[string]*subject // volumes that could be judged
	cuts     []cut
	atFirst
	copies  map[lineage.Node]int // copies of layers that a node takes part in
	engines *takeover.Load       // nil until an engine is to be placed

	at      *outcome // of the volume that is planned just now
	blocked []plan.Finding
	notes   []plan.Finding
	decides map[string]plan.Placement // by volume
	err     error
	doing   string // the recipe that is tried just now
}

// atFirst is what is so when the pass begins.
type atFirst struct {
	mute    map[string]bool               // the exports that hosts cannot reach
	running map[lineage.Node][]copyTarget // what nodes copy to
	lent    map[lineage.ID]bool           // the incarnations of whose records hosts read
}

// devices is what a pass does to the kernel devices of nodes.
type devices struct {
	freed map[string]plan.Key   // the sections that end a device, by device
	ublk  map[lineage.Node]bool // nodes whose ublk target is made
}

// section is a Section while it is made.
type section struct {
	plan.Section
	b *builder
}

func newBuilder(p *passes) *builder {
	return &builder{
		passes:   p,
		devices:  devices{freed: map[string]plan.Key{}, ublk: map[lineage.Node]bool{}},
		sections: map[plan.Key]*section{},
		renames:  map[lineage.Node]map[string]bool{},
		subjects: map[string]*subject{},
		atFirst:  atFirst{mute: map[string]bool{}, running: map[lineage.Node][]copyTarget{}, lent: map[lineage.ID]bool{}},
		copies:   map[lineage.Node]int{},
		decides:  map[string]plan.Placement{},
	}
}

// run looks at what was touched since the last pass, or at everything when that is
// nil.
func (b *builder) run(last *builder) {
	if len(b.cfg.Archives) > 0 {
		b.findLent()
	}
	for _, nodes := range b.opt.Busy {
		for _, n := range nodes {
			b.copies[n]++
		}
	}
	if last == nil {
		b.links = newLinks(b, nil)
		b.survey()
		if b.opt.ResumeOnly == nil {
			b.strayKeys()
		}
		b.letGoStalled()
		b.letGoMoved()
		b.links.strays = b.findStrays()
		b.muteExports()
		b.findCopies()
		b.countCopies()
		b.findWaiting()
	} else {
		b.links, b.ground = newLinks(b, last.links), last.ground
		for _, n := range b.ground.nodes { // their sections come first, in that order
			b.section(plan.NodeKey(n))
		}
		b.findWaiting()
		b.measureAgain()
		b.kin()
	}
	idle, former := b.idleLinks(), b.formerEnds()
	for i, v := range b.order {
		w := b.cfg.WholeOf(v)
		switch {
		case w != nil && v.Part.Index > 0: // it is planned with the first
		case w != nil && (last == nil || b.due(b.outcomes[i])):
			b.muteOf(w.Name)
			b.planWhole(w)
		case w != nil:
		case last == nil:
			b.plan(i)
			b.ahead.take(b, plan.VolumeKey(v.Name))
		case b.due(b.outcomes[i]):
			b.muteOf(v.Name)
			b.plan(i)
		}
	}
	b.cutGroups()
	if b.opt.ResumeOnly == nil {
		if last == nil || len(b.opt.AllowDestroy) > 0 {
			b.orphans()
		}
		b.endBackups()
		b.endImages()
		b.endJobKeys()
		b.endLinkKeys()
		b.refer()
		b.slowTLS()
		b.alternates()
		b.forgetRecords()
		b.letGoLost()
		b.dropUnneeded(idle)
		b.dropFormer(former)
	}
}

// section returns the pass's section for an object, making it when there is none.
func (b *builder) section(key plan.Key) *section {
	if old := b.sections[key]; old != nil {
		return old
	}
	s := &section{Section: plan.Section{Kind: key.Kind, Name: key.Name}, b: b}
	b.sections[key] = s
	b.made = append(b.made, s)
	return s
}

// left reports whether a section is to be left alone.
func (b *builder) left(key plan.Key) bool {
	return b.opt.Skip[key] || b.opt.ResumeOnly != nil && !b.opt.ResumeOnly[key]
}

// after makes the section wait for others of the pass.
func (s *section) after(keys ...plan.Key) *section {
	s.After = append(s.After, keys...)
	return s
}

// then adds a stage of independent steps, and projects them.
func (s *section) then(why reason, risk plan.Risk, ops ...plan.Op) {
	if len(ops) == 0 {
		return
	}
	stage := make([]plan.Step, 0, len(ops))
	for _, op := range ops {
		if del, ok := op.(plan.LvolDelete); ok {
			op = s.safe(why.pos, del)
		}
		stage = append(stage, s.step(why, risk, op))
	}
	s.Stages = append(s.Stages, stage)
}

// together makes one stage of those that f adds: their steps are independent, though
// each is projected on what the ones before it leave.
func (s *section) together(f func()) {
	from := len(s.Stages)
	f()
	if len(s.Stages) > from+1 {
		s.Stages = append(s.Stages[:from], slices.Concat(s.Stages[from:]...))
	}
}

// safe makes sure that a deletion does not end the target.
func (s *section) safe(pos schema.Pos, op plan.LvolDelete) plan.LvolDelete {
	at := s.b.w.Nodes[op.Node]
	if l := at.Lvols[op.Lvstore+"/"+string(op.Name)]; l != nil && (at.Orphaned(l) || at.MayBeOrphaned(l)) {
		op.Name = s.sever(pos, op.Node, l)
	}
	return op
}

// beside adds steps to the stage of that index, making it when it is missing.
func (s *section) beside(index int, why reason, risk plan.Risk, op plan.Op) {
	for len(s.Stages) <= index {
		s.Stages = append(s.Stages, nil)
	}
	s.Stages[index] = append(s.Stages[index], s.step(why, risk, op))
}

func (s *section) step(why reason, risk plan.Risk, op plan.Op) plan.Step {
	op = s.b.w.Label(op)
	if s.b.watch != nil {
		s.b.watch(s.b.doing, op)
	}
	switch op := op.(type) {
	case plan.UblkStop:
		s.b.devices.freed[fmt.Sprint(op.Node, op.ID)] = s.Key()
	case plan.NBDStop:
		s.b.devices.freed[fmt.Sprint(op.Node, op.Path)] = s.Key()
	default: // frees no device
	}
	if err := s.b.w.Project(op); err != nil && s.b.err == nil {
		s.b.err = &plan.Fault{Key: s.Key(), Err: fmt.Errorf("%s: %s: %w", op.On(), op.Words(), err)}
	}
	return plan.Step{Op: op, Risk: risk, Bytes: op.Facts().Copy.Bytes, Reason: why.text, Pos: why.pos, Copies: -1}
}

// finish drops what is empty, and waits for sections the pass does not have.
func (b *builder) finish() plan.Pass {
	pass := plan.Pass{Assumes: b.assumes}
	ranked := [4][]plan.Section{}
	for _, s := range b.made {
		if s.steps() > 0 {
			s.awaitRenames()
			s.tidy()
			ranked[s.rank()] = append(ranked[s.rank()], s.Section)
		}
	}
	for _, sections := range ranked {
		pass.Sections = append(pass.Sections, sections...)
	}
	return pass
}

// readNodes are the nodes of the configuration that were read, with what they have.
func (b *builder) readNodes() iter.Seq2[*schema.Node, *state.Node] {
	return func(yield func(*schema.Node, *state.Node) bool) {
		for _, n := range b.cfg.Nodes {
			if at := b.w.Nodes[n.Name]; at != nil && at.Unknown == "" && !yield(n, at) {
				return
			}
		}
	}
}

// awaitRenames makes the section wait for the nodes it works on whose lvstores
// get another name: steps find lvols by it.
func (s *section) awaitRenames() {
	for step := range s.Steps() {
		if n := step.Op.On(); len(s.b.renames[n]) > 0 {
			s.after(plan.NodeKey(n))
		}
	}
}

// rank is where the section stands in a pass: after those it may wait for.
func (s *section) rank() int {
	switch {
	case s.Kind == plan.KindNode:
		return 0
	case s.Kind == plan.KindVolume:
		return 2
	case slices.ContainsFunc(s.After, func(key plan.Key) bool { return key.Kind == plan.KindVolume }):
		return 3
	}
	return 1
}

func (s *section) steps() int {
	n := 0
	for _, stage := range s.Stages {
		n += len(stage)
	}
	return n
}

// filled are its stages that have steps.
func (s *section) filled() [][]plan.Step {
	return slices.DeleteFunc(slices.Clone(s.Stages), func(stage []plan.Step) bool { return len(stage) == 0 })
}

func (s *section) tidy() {
	s.Stages = s.filled()
	var after []plan.Key
	had := map[plan.Key]bool{s.Key(): true}
	for _, key := range s.After {
		if o := s.b.sections[key]; o != nil && o.steps() > 0 && !had[key] {
			had[key] = true
			after = append(after, key)
		}
	}
	s.After = after
}

// block says what is not done, and why.
func (b *builder) block(about string, pos schema.Pos, hint, format string, args ...any) {
	if b.at != nil {
		b.at.asks = true
	}
	b.blockAlone(about, pos, hint, format, args...)
}

// blockAlone is block for what no other volume's steps can change.
func (b *builder) blockAlone(about string, pos schema.Pos, hint, format string, args ...any) {
	b.blocked = append(b.blocked, plan.Finding{About: about, Text: fmt.Sprintf(format, args...), Hint: hint, Pos: pos})
}

func (b *builder) note(about string, pos schema.Pos, hint, format string, args ...any) {
	b.notes = append(b.notes, plan.Finding{About: about, Text: fmt.Sprintf(format, args...), Hint: hint, Pos: pos})
}
