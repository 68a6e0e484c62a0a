package recipe

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// layer is a snapshot of the volume on all its legs.
type layer struct {
	lineage.Layer
	name lineage.LvolName
	on   []*state.Lvol // by leg; nil where it is missing
}

// Lvol is what it is called.
func (l *layer) Lvol() lineage.LvolName { return l.name }

// everywhere reports whether all legs have the layer.
func (l *layer) everywhere() bool { return !slices.Contains(l.on, nil) }

// layersOf collects the layers on the nodes of the legs, oldest epoch first.
func (s *subject) layersOf() []*layer {
	var all []*layer
	byName := map[lineage.LvolName]*layer{}
	for i, leg := range s.Legs {
		if leg.Head == nil {
			continue
		}
		on := s.inc.Layers(leg.Node, leg.Head.Lvol.Lvstore)
		for _, name := range slices.Sorted(maps.Keys(on)) {
			l := byName[name]
			if l == nil {
				l = &layer{on[name].Parsed.(lineage.Layer), name, make([]*state.Lvol, len(s.Legs))}
				byName[name] = l
				all = append(all, l)
			}
			l.on[i] = on[name]
		}
	}
	slices.SortFunc(all, func(a, b *layer) int {
		if a.Epoch != b.Epoch {
			return int(a.Epoch) - int(b.Epoch)
		}
		return strings.Compare(a.Snapshot, b.Snapshot)
	})
	return all
}

// committed reports whether the layer was cut on all legs at once.
func (s *subject) committed(l *layer) bool { return l.Epoch <= s.cut() }

// leftovers reports whether there is a layer that does not count. The next cut
// would make it count, so it has to go first.
func (s *subject) leftovers() bool {
	return slices.ContainsFunc(s.layersOf(), func(l *layer) bool { return !s.committed(l) })
}

// layers brings the volume's snapshots to what is configured, one recipe a pass.
func (s *subject) layers() {
	if s.steady() {
		s.layered = s.layersOf()
		s.through(layering)
	}
}

// steady reports whether the layers of the volume may be worked on: an engine
// serves it, or it is to have none and one replica; all its legs can be reached,
// and none is just joining.
func (s *subject) steady() bool {
	for _, l := range s.Legs {
		if l.Head == nil {
			return false
		}
	}
	if s.Engine == "" {
		return s.v.Export.Kind == schema.ExportNone && len(s.Legs) == 1
	}
	return !s.halfJoined()
}

// mergeLeftovers deletes what an interrupted cut left, and layers of strata's
// own that nothing needs: their clusters go to the layer or head above.
func (s *subject) mergeLeftovers() result {
	done := false
	for _, l := range s.layered {
		if s.committed(l) && (!l.Own || s.needed(s.layered, l)) {
			continue
		}
		if l.Own && s.committed(l) && (s.inUse(l) != "" || s.madeAnew()) {
			continue // until what stands on it is gone, and it tells nothing any more
		}
		if why := s.undecided(l); why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("snapshots"), "make it readable; a node that is gone for good is to leave the configuration, and what it had to be retired", "layer %s is left as it is: %s", l.Snapshot, why)
			continue
		}
		why := because(s.v.At("snapshots"), "an interrupted cut left it: its copies need not be equal")
		if s.committed(l) {
			why = because(s.v.At("snapshots"), "nothing needs it any more")
		}
		if s.liftAll(why, l) || s.mergeLayer(why, l, plan.RiskCreate) {
			done = true
		}
	}
	s.reread()
	switch {
	case done:
		return acted
	case s.leftovers():
		return blocked
	}
	return idle
}

// liftAll makes stale heads independent of a layer that is to go from under
// them. It reports whether there were any to be lifted.
func (s *subject) liftAll(why reason, l *layer) bool {
	lifted := false
	for i, on := range l.on {
		if on != nil && len(on.Children) > 1 && s.stoodOn(s.Legs[i].Node, on) == "" {
			lifted = s.lift(why, s.Legs[i].Node, on) || lifted
		}
	}
	return lifted
}

// mergeLayer deletes a layer from every leg that has it, unless something
// other than the next layer or head stands on it or reads it.
func (s *subject) mergeLayer(why reason, l *layer, risk plan.Risk) bool {
	if why := s.inUse(l); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("snapshots"), "", "layer %s stays: %s", l.Snapshot, why)
		return false
	}
	var ops []plan.Op
	for i, on := range l.on {
		if on != nil {
			ops = append(ops, plan.LvolDelete{At: plan.At{Node: s.Legs[i].Node}, Lvstore: on.Lvstore, Name: on.Name})
		}
	}
	s.sec.then(why, risk, ops...)
	return len(ops) > 0
}

// inUse says why a layer cannot be merged away; "" when it can.
func (s *subject) inUse(l *layer) string {
	for i, on := range l.on {
		if on == nil {
			continue
		}
		if why := s.stoodOn(s.Legs[i].Node, on); why != "" {
			return why
		}
		if len(on.Children) > 1 {
			return "it has several branches: " + joinNames(on.Children)
		}
		if why := s.read(s.Legs[i].Node, on); why != "" {
			return why
		}
	}
	return ""
}

// stoodOn says that something that is not the volume's stands on a layer; ""
// when it does not.
func (s *subject) stoodOn(n lineage.Node, on *state.Lvol) string {
	for _, child := range on.Children {
		c := s.b.w.Nodes[n].Lvols[on.Lvstore+"/"+string(child)]
		if c == nil || c.Parsed == nil {
			return "an lvol that is not strata's, " + string(child) + ", stands on it on " + string(n)
		}
		if c.Parsed.Of() != s.id {
			return "volume " + c.Parsed.Of().Name + " was cloned from it"
		}
	}
	return ""
}

// read says that a layer is, or may be, read from another node, or by strata; "" when
// it is not.
func (s *subject) read(n lineage.Node, on *state.Lvol) string {
	if why := cmp.Or(s.b.sending(n, s.id), s.b.sends(n, on)); why != "" {
		return why
	}
	if s.b.visible(n, on.UUID) || s.readThrough(on.UUID) {
		return "it is being read from another node"
	}
	if l, ok := on.Parsed.(lineage.Layer); ok && l.Joint() && s.hidden > 0 {
		return "a head on a node that could not be read may read through it"
	}
	return ""
}

// readThrough reports whether a head on another node stands on the lvol.
func (s *subject) readThrough(u lineage.UUID) bool {
	return slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return h.Lvol.External == string(u) })
}

func joinNames(names []lineage.LvolName) string {
	var parts []string
	for _, n := range names {
		parts = append(parts, string(n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// find returns the committed layer that has a user's snapshot, the youngest
// when a name was used again.
func (s *subject) find(all []*layer, snapshot string) *layer {
	for _, l := range slices.Backward(all) {
		if !l.Own && l.Snapshot == snapshot && s.committed(l) {
			return l
		}
	}
	return nil
}

// removeLayers merges away the layers that are not configured any more.
func (s *subject) removeLayers() result {
	before, all := s.tally(), s.layered
	pruned := s.pruned(all)
	for _, l := range all {
		if l.Own || !s.committed(l) || slices.Contains(s.v.Snapshots, l.Snapshot) && s.find(all, l.Snapshot) == l {
			continue
		}
		about := "volume " + s.v.Name
		gone, auto := pruned[l.Snapshot]
		why := because(s.v.At("snapshots"), "snapshot %s is not configured any more", l.Snapshot)
		switch {
		case strings.HasPrefix(l.Snapshot, schema.AutoPrefix):
			if !auto {
				continue
			}
			why = because(s.v.At("keep"), "%s", gone)
		case s.v.Protect:
			s.b.block(about, s.v.At("snapshots"), "remove protect first", "snapshot %s is not configured any more, but the volume is protected", l.Snapshot)
			continue
		case !s.b.opt.AllowDestroy.Layer(s.v.Name, l.Snapshot):
			s.b.block(about, s.v.At("snapshots"), "put it back, or release it with "+plan.LayerGrant(s.v.Name, l.Snapshot).Flag(), "snapshot %s is not configured any more; it is kept", l.Snapshot)
			continue
		}
		s.mergeLayer(why, l, plan.RiskDestroy)
	}
	s.reread()
	return s.since(before)
}
