package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// sourcesFirst orders volumes so that one comes after the volume it is cloned
// from, otherwise by name.
func sourcesFirst(cfg *schema.Config) []*schema.Volume {
	depth := func(v *schema.Volume) int {
		n := 0
		for v != nil && v.From != nil && n <= len(cfg.Volumes) {
			v = cfg.Volume(v.From.Volume)
			n++
		}
		return n
	}
	ordered := slices.Clone(cfg.Volumes)
	if slices.ContainsFunc(ordered, func(v *schema.Volume) bool { return v.From != nil }) {
		slices.SortStableFunc(ordered, func(a, b *schema.Volume) int { return cmp.Compare(depth(a), depth(b)) })
	}
	return ordered
}

// createClone makes the heads of a new volume on a layer of another, beside
// that one's replicas: linked to it, in no time. Like empty heads they are
// equal, so they are made sealed.
func (s *subject) createClone() result {
	if s.v.From == nil {
		return idle
	}
	b, v, about := s.b, s.v, "volume "+s.v.Name
	source := b.subjects[v.From.Volume]
	if source == nil {
		b.block(about, v.At("from"), "", "it waits for volume %s, which it is cloned from", v.From.Volume)
		return blocked
	}
	l := source.find(source.layersOf(), v.From.Snapshot)
	if l == nil || !l.everywhere() {
		b.block(about, v.At("from"), "", "it waits for snapshot %s of volume %s", v.From.Snapshot, v.From.Volume)
		return blocked
	}
	places := s.besideSource(source, l)
	if e := v.Engine; e != "" && source.lagsOn(e) && !slices.ContainsFunc(places, func(c plan.Choice) bool { return c.Node == e }) && v.KeptOff(b.cfg.Node(e)) == "" {
		b.block(about, v.At("from"), "", "it waits for the replica of volume %s on %s, which is to be its engine", v.From.Volume, e)
		return blocked
	}
	if len(places) < v.Replicas.Count {
		b.block(about, v.At("from"), "", "it is to have %s, and the snapshot it is cloned from is on %s where it may be", amount.Of(v.Replicas.Count, "replica"), amount.Of(len(places), "node"))
		return blocked
	}
	s.id = lineage.Volume{Name: v.Name, ID: b.newID(v.Name)}
	cloned := because(v.At("from"), "volume %s is cloned from %s@%s", v.Name, v.From.Volume, v.From.Snapshot)
	b.decided(b.placedBeside(v, places))
	s.cloneOnto(cloned, places[:v.Replicas.Count], l.Lvol(), 1, v.Replicas.Count)
	return acted
}

// lagsOn reports whether a node is to have a current replica and has none.
func (s *subject) lagsOn(n lineage.Node) bool { return s.chosen(n) && !s.legOn(n) }

// besideSource are the places of a layer that the clone may use too.
func (s *subject) besideSource(source *subject, l *layer) []plan.Choice {
	var places []plan.Choice
	for i, leg := range source.Legs {
		n := s.b.cfg.Node(leg.Node)
		if n != nil && l.on[i] != nil && s.v.KeptOff(n) == "" && !source.movesOn(leg) {
			places = append(places, plan.Choice{Node: leg.Node, Lvstore: l.on[i].Lvstore, Why: "has the snapshot it is cloned from"})
		}
	}
	slices.SortStableFunc(places, func(a, c plan.Choice) int {
		return cmp.Compare(boolToInt(a.Node != s.v.Engine), boolToInt(c.Node != s.v.Engine))
	})
	return places
}

// placedBeside says where a new clone goes, of the places that have the layer it
// stands on.
func (b *builder) placedBeside(v *schema.Volume, places []plan.Choice) plan.Placement {
	out := plan.Placement{Volume: v.Name, Chosen: slices.Clone(places[:v.Replicas.Count])}
	for _, n := range b.cfg.Nodes {
		at := slices.IndexFunc(places, func(c plan.Choice) bool { return c.Node == n.Name })
		switch why := v.KeptOff(n); {
		case !b.opt.Explain || at >= 0 && at < v.Replicas.Count:
		case at >= 0:
			out.Others = append(out.Others, plan.Choice{Node: n.Name, Lvstore: places[at].Lvstore, Why: "qualifies, but others are preferred: " + places[at].Why})
		default:
			out.Others = append(out.Others, plan.Choice{Node: n.Name, Lvstore: "", Why: cmp.Or(why, "does not have the snapshot it is cloned from")})
		}
	}
	return out
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// cloneOnto makes sealed heads on top of a layer. All of an epoch name the same
// number of legs, or it looks as if it was minted twice.
func (s *subject) cloneOnto(why reason, places []plan.Choice, on lineage.LvolName, epoch lineage.Epoch, legs int) {
	name := lineage.Head{Volume: s.id, Epoch: epoch, Legs: legs, Mark: lineage.Sealed, Check: s.check()}.Lvol()
	var ops []plan.Op
	for _, c := range places {
		ops = append(ops, plan.LvolClone{At: plan.At{Node: c.Node}, Lvstore: c.Lvstore, Layer: on, Name: name})
	}
	s.sec.then(why, plan.RiskCreate, ops...)
}

// makeMissingClones completes a clone that no engine has served yet: a crash left
// fewer heads than it is to have, and they still show nothing but the layer
// they were cloned from.
func (s *subject) makeMissingClones() {
	on := s.foreignParent()
	for _, l := range s.Legs {
		if l.Head == nil || l.Head.Name.Mark != lineage.Sealed || l.Head.Lvol.Allocated > 0 || on == "" {
			return
		}
	}
	source := s.b.subjects[s.v.From.Volume]
	if source == nil || state.Spread(s.Legs) >= s.v.Replicas.Count {
		return
	}
	l := source.find(source.layersOf(), s.v.From.Snapshot)
	if l == nil || l.Lvol() != on {
		return
	}
	var missing []plan.Choice
	wanted := s.v.Replicas.Count - len(s.Legs)
	if e := s.v.Engine; e != "" && source.lagsOn(e) && s.lagsOn(e) {
		wanted-- // one is to be there
	}
	for _, c := range s.besideSource(source, l) {
		if !nodesOf(s.inc)[c.Node] && len(missing) < wanted {
			missing = append(missing, c)
		}
	}
	equal := because(s.v.At("from"), "nothing was written to %s yet, so a new replica is equal to the others", s.v.Name)
	s.cloneOnto(equal, missing, on, s.Top, s.Legs[0].Head.Name.Legs)
	s.inc = s.b.w.Incarnation(s.id)
	for _, c := range missing {
		for i := range s.inc.Heads {
			if h := &s.inc.Heads[i]; h.Node == c.Node {
				s.Legs = append(s.Legs, state.CurrentLeg{Node: c.Node, UUID: h.Lvol.UUID, Head: h})
			}
		}
	}
	s.reread()
}

// foreignParent is the layer of another volume that the heads stand on
// directly; "" for none.
func (s *subject) foreignParent() lineage.LvolName {
	for _, l := range s.Legs {
		if l.Head == nil || l.Head.Lvol.Parent == "" {
			continue
		}
		if p, ok := lineage.Parse(l.Head.Lvol.Parent); ok && p.Of() != s.id {
			return l.Head.Lvol.Parent
		}
	}
	return ""
}

// base is the layer of another volume that a replica stands on, at whatever
// depth; nil for none.
func (s *subject) base(l state.CurrentLeg) *state.Lvol {
	if l.Head == nil {
		return nil
	}
	for _, below := range s.b.w.Nodes[l.Node].Below(l.Head.Lvol) {
		if below.Parsed == nil || below.Parsed.Of() != s.id {
			return below
		}
	}
	return nil
}

// baseName is what the layer of another volume is called that the replicas
// stand on; "" for none.
func (s *subject) baseName() lineage.LvolName {
	for _, l := range s.Legs {
		if base := s.base(l); base != nil {
			return base.Name
		}
	}
	return ""
}

// baseless says that a place lacks the layer of another volume that a replica
// stands on: a copy of that one could not be complete there.
func (s *subject) baseless(d plan.Choice, l state.CurrentLeg) string {
	base := s.base(l)
	if base == nil {
		return ""
	}
	switch there := s.b.w.Nodes[d.Node].Lvols[d.Lvstore+"/"+string(base.Name)]; {
	case there == nil:
		return fmt.Sprintf("layer %s, which %s stands on, is not on %s", base.Name, s.v.Name, d.Node)
	case there.Size != base.Size || !there.Complete() || s.b.uncounted(d.Node, there):
		return fmt.Sprintf("layer %s, which %s stands on, is another on %s", base.Name, s.v.Name, d.Node)
	}
	return ""
}

// basis is how a replica of a clone comes to be where its source is not.
func (s *subject) basis() string {
	if s.v.From == nil {
		return ""
	}
	hint := fmt.Sprintf("let %s have a replica there", s.v.From.Volume)
	if s.foreignParent() != "" {
		hint += ", or set detach: true on " + s.v.Name
	}
	return hint
}

// detaching reports whether the clone is still to be made independent of its source.
func (s *subject) detaching() bool {
	return s.v.From != nil && s.v.From.Detach && s.foreignParent() != ""
}

// detach copies what a clone shares with its source, on every leg by itself.
func (s *subject) detach() result {
	if !s.detaching() {
		return idle
	}
	before := s.tally()
	var ops []plan.Op
	for _, l := range s.Legs {
		at := s.b.w.Nodes[l.Node]
		parent := at.Lvols[l.Head.Lvol.Lvstore+"/"+string(l.Head.Lvol.Parent)]
		if parent == nil || parent.Parsed == nil || parent.Parsed.Of() == s.id {
			continue
		}
		bytes := parent.Allocated * at.Lvstores[parent.Lvstore].ClusterSize
		ops = append(ops, plan.LvolDecouple{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, Name: l.Head.Lvol.Name, Bytes: bytes})
	}
	alone := because(s.v.At("from"), "%s is to be independent of %s", s.v.Name, s.v.From.Volume)
	s.sec.then(alone, plan.RiskCopy, ops...)
	s.reread()
	return s.since(before)
}
