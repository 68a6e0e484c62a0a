package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// picked is the incarnation of a volume that is in use. The others are left
// behind: a node was away while the volume was deleted and made again.
type picked struct {
	id     lineage.Volume // without a name when there is none
	others []lineage.Volume
	byWord bool // it took the operator's word to tell them apart
}

// rival is an incarnation that may be the one in use.
type rival struct {
	*state.Incarnation
	runs  bool // an engine serves it, whether that one is believed or not
	major bool // most of the replicas the volume is to have are of it
	stale bool // all of its heads are fenced
}

// pick finds the incarnation of a volume that is in use. The operator's word
// counts where that is not clear. Where it is, no word changes it: one that was
// meant for another must not take away what hosts use.
func (b *builder) pick(v *schema.Volume) (p picked, why, hint string) {
	if f := b.forerunner(v); f != nil {
		return b.pickAhead(v, f)
	}
	rivals, layers := b.rivals(v)
	if a := b.astray(v, rivals); a != nil {
		hint := fmt.Sprintf("have its lvstore in a pool, with lvstore: %q or renamedFrom, or take its disk away", a.Where)
		if of := b.pool(a.Node, a.Lvol.Lvstore); of != nil && of.hint != "" {
			hint = of.hint // it is in one
		}
		return p, fmt.Sprintf("%s may be the one in use, and cannot be used: %s", a, a.Why), cmp.Or(a.Way, hint+"; if it is not needed, say "+plan.IncarnationGrant(a.Name.Volume).Flag())
	}
	r := b.clear(rivals)
	if r == nil && len(rivals) > 0 {
		p.byWord = true
		if r, why = b.operatorsChoice(v, rivals); r == nil {
			return p, why, b.exits(v, rivals)
		}
	}
	if r != nil {
		p.id = r.Volume
	} else if i := slices.IndexFunc(layers, func(id lineage.Volume) bool { return !b.releases(v, id) && !slices.Contains(b.begun(v), id) }); i >= 0 {
		return p, fmt.Sprintf("of %s only layers are left, and no head", layers[i]), "if nothing of it is needed, release it with " + plan.IncarnationGrant(layers[i]).Flag()
	}
	for _, o := range rivals {
		if o.Volume != p.id {
			p.others = append(p.others, o.Volume)
		}
	}
	if r == nil {
		goes := b.begun(v) // before it is made
		layers = slices.DeleteFunc(layers, func(id lineage.Volume) bool { return slices.Contains(goes, id) })
	}
	p.others = append(p.others, layers...)
	return p, "", ""
}

// rivals are the incarnations with a head or an engine, and layers those of
// which only layers or staging are left.
func (b *builder) rivals(v *schema.Volume) (rivals []rival, layers []lineage.Volume) {
	ids := b.w.Incarnations(v.Name)
	alone := len(ids) == 1 && len(b.w.Apart(v.Name)) == 0
	for _, id := range ids {
		inc := b.w.Incarnation(id)
		if alone && len(inc.Heads) > 0 {
			return []rival{{Incarnation: inc}}, nil // there is nothing to hold it against
		}
		verdict := b.w.Judge(inc, state.Question{Cluster: b.cfg.Cluster, Replicas: v.Replicas.Count})
		switch {
		case len(inc.Heads) > 0 || verdict.Engine != "":
			rivals = append(rivals, rival{
				Incarnation: inc,
				runs:        verdict.Engine != "" || verdict.Unknown != "" && inc.Running(),
				major:       2*len(nodesOf(inc)) > v.Replicas.Count,
				stale:       len(inc.Heads) > 0 && !slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Name.Mark != lineage.Fenced }),
			})
		case len(inc.Others) > 0:
			layers = append(layers, id)
		}
	}
	return rivals, layers
}

// astray is a head of an incarnation that may be the one in use, and counts for
// nothing where it is; nil for none. One that is fenced is not in use, nor is any
// other than the one that an engine serves, or one that has fewer replicas than it
// takes beside one that has most of them: as among those that can be used.
func (b *builder) astray(v *schema.Volume, rivals []rival) *state.Apart {
	if slices.ContainsFunc(rivals, func(r rival) bool { return r.runs }) {
		return nil
	}
	apart := b.w.Apart(v.Name)
	major := slices.ContainsFunc(rivals, func(r rival) bool { return r.major && !r.stale })
	on := map[lineage.Volume]map[lineage.Node]bool{}
	for _, a := range apart {
		if on[a.Name.Volume] == nil {
			on[a.Name.Volume] = map[lineage.Node]bool{}
		}
		on[a.Name.Volume][a.Node] = true
	}
	for i := range apart {
		a := &apart[i]
		if major && 2*len(on[a.Name.Volume]) <= v.Replicas.Count {
			continue
		}
		known := slices.ContainsFunc(rivals, func(r rival) bool { return r.Volume == a.Name.Volume })
		if a.Ours && !known && a.Name.Mark != lineage.Fenced && !b.releases(v, a.Name.Volume) {
			return a
		}
	}
	return nil
}

// clear is the rival that is known to be the one in use; nil when none is.
func (b *builder) clear(rivals []rival) *rival {
	if len(rivals) == 1 {
		return &rivals[0]
	}
	is := func(what func(rival) bool) []rival {
		return slices.DeleteFunc(slices.Clone(rivals), func(r rival) bool { return !what(r) })
	}
	running := is(func(r rival) bool { return r.runs })
	// Stale heads alone are all there is of one only if nobody hides others.
	if hidden, _, _ := b.hidden(); len(running) == 0 && hidden == 0 {
		if live := is(func(r rival) bool { return !r.stale }); len(live) > 0 {
			rivals = live
		}
	}
	major := is(func(r rival) bool { return r.major })
	switch {
	case len(rivals) == 1:
		return &rivals[0]
	case len(running) == 1:
		return &running[0]
	case len(running) == 0 && len(major) == 1:
		return &major[0]
	}
	return nil
}

// operatorsChoice is the rival that the operator's word leaves: those that he has released
// are not in use, and of the others the one is of which the node that he has
// named has a head. Else it says why it is nil.
func (b *builder) operatorsChoice(v *schema.Volume, rivals []rival) (*rival, string) {
	why := fmt.Sprintf("there are %d incarnations of it (%s), and it is not known which is in use", len(rivals), join(volumesOf(rivals)))
	left := slices.DeleteFunc(slices.Clone(rivals), func(r rival) bool { return b.releases(v, r.Volume) })
	if len(left) == 0 {
		return nil, why + "; all of them were released, and it is configured"
	}
	if r := b.clear(left); r != nil {
		return r, ""
	}
	node := b.opt.Authority[v.Name]
	on := slices.DeleteFunc(left, func(r rival) bool { return !nodesOf(r.Incarnation)[node] })
	switch {
	case node == "":
		return nil, why
	case len(on) == 1:
		return &on[0], ""
	}
	return nil, fmt.Sprintf("%s; %s, which was named, has replicas of %d of them", why, node, len(on))
}

// releases reports whether the operator lets an incarnation go that may be the
// one in use. Of a protected volume nothing goes that may be what it protects.
func (b *builder) releases(v *schema.Volume, id lineage.Volume) bool {
	return b.opt.AllowDestroy.Incarnation(id) && !v.Protect
}

// exits says how the operator tells the rivals apart.
func (b *builder) exits(v *schema.Volume, rivals []rival) string {
	on := map[lineage.Node]int{}
	for _, r := range rivals {
		for n := range nodesOf(r.Incarnation) {
			on[n]++
		}
	}
	var name, release []string
	for _, r := range rivals {
		for _, n := range slices.Sorted(maps.Keys(nodesOf(r.Incarnation))) {
			if on[n] == 1 {
				name = append(name, fmt.Sprintf("--authority %s=%s (%s)", v.Name, n, r.Volume))
				break
			}
		}
		release = append(release, plan.IncarnationGrant(r.Volume).Flag())
	}
	hint := "say which is to go: " + strings.Join(release, " or ")
	if v.Protect {
		hint = "remove protect and " + hint
	}
	if len(name) > 0 {
		hint = "say which is in use: " + strings.Join(name, " or ") + "; or " + hint
	}
	if hidden, _, why := b.hidden(); hidden > 0 {
		hint = "make it readable (" + why + "), or " + hint
	}
	return hint
}

// leftBehind says which incarnations of a volume are not in use, and destroys
// those that the operator has released. Their sections come before the volume's
// own: what is done to them rests on what serves it when the pass begins.
func (b *builder) leftBehind(v *schema.Volume, p picked) {
	for _, id := range p.others {
		b.section(plan.IncarnationKey(id))
		inc := b.w.Incarnation(id)
		if b.opt.AllowDestroy.Incarnation(id) {
			b.destroy(inc, plan.IncarnationGrant(id))
			continue
		}
		b.note("volume "+v.Name, v.Pos, "release it with "+plan.IncarnationGrant(id).Flag(),
			"another incarnation of it, %s, is on %s; it is kept", id, placesOf(inc))
	}
	if p.id.Name != "" && b.opt.AllowDestroy.Incarnation(p.id) {
		b.note("volume "+v.Name, v.Pos, "to destroy it, take "+v.Name+" out of the configuration",
			"%s was released and stays: it is the incarnation in use", p.id)
	}
}

// supersede sees to it that no incarnation that is left behind is taken for the
// one in use when a restart has ended that one and it cannot be read. Ladder:
//
//	ended   where the operator told them apart, the other's engine is gone
//	fenced  every place with a head of it has one that is fenced, at an epoch
//	        that no other head of it reaches
//
// It is done only while the one in use is served: that is what an engine that
// runs says, and names alone may be as old as those they are to overcome. Nothing
// is deleted. Once the one in use is gone, the operator can have the other by
// --authority.
func (s *subject) supersede(p picked) {
	read := slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil })
	if s.Engine == "" || !read || s.overtaken() != "" {
		return
	}
	for _, id := range p.others {
		if s.b.left(plan.IncarnationKey(id)) {
			continue
		}
		o := &subject{Verdict: &state.Verdict{}, b: s.b, v: s.v, id: id, sec: s.b.section(plan.IncarnationKey(id))}
		o.reread()
		if p.byWord {
			o.endOthers()
		}
		if !o.inc.Running() {
			o.yield(s.id)
		}
	}
}

// yield fences the heads of an incarnation that no engine serves, and takes
// them off the links.
func (s *subject) yield(to lineage.Volume) {
	other := because(s.v.Pos, "%s is in use, and while it cannot be read %s must not be served in its place", to, s.id)
	s.sec.then(other, plan.RiskCreate, s.fences(s.over(), nil)...)
	unused := because(s.v.Pos, "no engine of %s uses it", s.id)
	for _, h := range s.inc.Heads {
		if s.b.shownToUnread(h.Node, h.Lvol.UUID) == "" {
			s.b.withdraw(s.sec, unused, h.Node, h.Lvol.UUID, "")
		}
	}
}

// over is the epoch that fences every head of an incarnation: the highest that
// is named if only fenced heads name it, else the next. So what an interruption
// has left, and what comes back later, is fenced at the same one.
func (s *subject) over() lineage.Epoch {
	if slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return h.Name.Epoch == s.Top && h.Name.Mark != lineage.Fenced }) {
		return s.Top + 1
	}
	return s.Top
}

func volumesOf(rivals []rival) (ids []lineage.Volume) {
	for _, r := range rivals {
		ids = append(ids, r.Volume)
	}
	return ids
}

func nodesOf(inc *state.Incarnation) map[lineage.Node]bool {
	nodes := map[lineage.Node]bool{}
	for _, h := range inc.Heads {
		nodes[h.Node] = true
	}
	return nodes
}

func join[T fmt.Stringer](items []T) string {
	var parts []string
	for _, i := range items {
		parts = append(parts, i.String())
	}
	return strings.Join(parts, ", ")
}
