package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// copyLayer copies one layer onto staging in the destination and mints it.
// Staging is named by the epoch of the layer it receives, so that a copy that
// was interrupted is repeated onto what it has, which does no harm.
func (s *subject) copyLayer(d plan.Choice, src state.CurrentLeg, l *state.Lvol) {
	b := s.b
	goesOn := slices.ContainsFunc(s.stagings(d), func(st *state.Lvol) bool { return b.copiesTo(src.Node, d.Node, st.UUID) })
	if why := s.full(src.Node, d.Node); why != "" && !goesOn {
		for _, st := range s.stagings(d) { // what a run that is over has copied there is known as long as it is shown
			if slices.ContainsFunc(b.shownBy(d.Node, st.UUID), func(x shown) bool { return x.link.To == src.Node }) {
				s.keep[st.UUID] = src.Node
			}
		}
		s.stuckAlone(d, "", why) // until they copy less
		if b.choice(s.v) {
			b.at.weighed = s.weighed // or another place is better
		}
		return
	}
	staging, why := s.stage(d, src, l)
	if why != "" {
		s.lag(d, why)
		return
	}
	name := l.Parsed.(lineage.Layer)
	bytes := l.Allocated * clusterSize(b.w.Nodes[src.Node], l.Lvstore)
	lacks := because(s.v.At("replicas"), "%s lacks layer %s of %s", s.at(d), name.Lvol(), s.v.Name)
	if b.copiesTo(src.Node, d.Node, staging.UUID) {
		lacks = because(s.v.At("replicas"), "%s lacks layer %s of %s, and %s copies it there already", s.at(d), name.Lvol(), s.v.Name, src.Node)
	}
	if l.Allocated > 0 {
		if why := s.reach(lacks, d, src, staging.UUID); why != "" {
			s.lag(d, why)
			return
		}
		limit := b.cfg.Node(d.Node).Rebuild.Bandwidth
		if limit > 0 {
			s.sec.then(lacks, plan.RiskCreate, plan.WriteLimit{At: plan.At{Node: d.Node}, Bdev: staging.UUID, BytesPerSec: limit})
		}
		if !goesOn { // else it is counted
			b.countCopy(src.Node, d.Node)
		}
		s.sec.then(lacks, plan.RiskCopy, plan.ShallowCopy{At: plan.At{Node: src.Node}, Dest: d.Node, Lvstore: l.Lvstore, Layer: l.Name, To: staging.UUID, Bytes: bytes})
	}
	s.sec.then(lacks, plan.RiskCreate, plan.LvolSnapshot{At: plan.At{Node: d.Node}, Lvstore: staging.Lvstore, Lvol: staging.Name, Layer: l.Name})
	s.reread()
}

// reach lets the source write to staging in the destination, over a link where that is on
// another node, or says why it cannot.
func (s *subject) reach(why reason, d plan.Choice, src state.CurrentLeg, staging lineage.UUID) string {
	if src.Node == d.Node {
		itself := because(s.v.At("replicas"), "%s copies to it itself", d.Node)
		s.b.withdraw(s.sec, itself, d.Node, staging, "")
		return ""
	}
	s.keep[staging] = src.Node
	return s.b.bring(s.sec, why, s.b.cfg.Link(d.Node, src.Node), staging, s.key(d.Node)+" staging")
}

// at is where a replica is made, as far as it has to be said: beside another on its node
// it is the pool.
func (s *subject) at(d plan.Choice) string {
	if !s.legOn(d.Node) {
		return string(d.Node)
	}
	return s.b.poolAt(d.Place())
}

func clusterSize(n *state.Node, lvstore string) int64 {
	if lvs := n.Lvstores[lvstore]; lvs != nil {
		return lvs.ClusterSize
	}
	return 0
}

// full says that a node has as many copies in hand as it may; "" when it has not.
func (s *subject) full(nodes ...lineage.Node) string {
	for _, n := range nodes {
		if limit := s.b.cfg.Node(n).Rebuild; limit.Parallel > 0 && s.b.copiesAt(n) >= limit.Parallel {
			return fmt.Sprintf("%s copies %s at a time already", n, amount.Of(limit.Parallel, "layer"))
		}
	}
	return ""
}

// stage returns an lvol in the destination that can receive layer l: on top of
// the same layer as l is, and of its size.
func (s *subject) stage(d plan.Choice, src state.CurrentLeg, l *state.Lvol) (*state.Lvol, string) {
	name := lineage.Staging{Volume: s.id, Epoch: l.Parsed.(lineage.Layer).Epoch}.Lvol()
	parent := l.Parent
	if parent != "" && s.b.w.Nodes[d.Node].Lvols[d.Lvstore+"/"+string(parent)] == nil {
		return nil, fmt.Sprintf("layer %s, which %s stands on, is not on %s", parent, l.Name, d.Node)
	}
	if s.b.brings(d.Node, parent, s.id) {
		return nil, fmt.Sprintf("layer %s, which %s stands on, is being copied to %s", parent, l.Name, d.Node)
	}
	why := because(s.v.At("replicas"), "layer %s is to be copied to %s", l.Name, s.at(d))
	if i := slices.IndexFunc(s.stagings(d), func(st *state.Lvol) bool { return st.Name != name && s.b.filled(d.Node, st) }); i >= 0 {
		return nil, fmt.Sprintf("another layer is still copied to %s there", s.stagings(d)[i].Name)
	}
	old := s.takeOver(why, d, name, parent, l.Size)
	at := func() *state.Lvol { return s.b.w.Nodes[d.Node].Lvols[d.Lvstore+"/"+string(name)] }
	if old == nil {
		s.sec.after(plan.NodeKey(d.Node))
		s.b.promise(d, l.Size)
		if parent == "" {
			s.sec.then(why, plan.RiskCreate, plan.LvolCreate{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Name: name, Size: l.Size})
		} else {
			s.sec.then(why, plan.RiskCreate, plan.LvolClone{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Layer: parent, Name: name})
		}
	}
	if at() == nil {
		return nil, "it cannot be made" // the projection has said why
	}
	if at().Size < l.Size {
		s.sec.then(why, plan.RiskCreate, plan.LvolResize{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Name: name, From: at().Size, To: l.Size})
	}
	s.reread()
	return at(), ""
}

// brings reports whether this pass copies a layer of another volume to a node: until
// that has ended nothing can stand on it there.
func (b *builder) brings(n lineage.Node, layer lineage.LvolName, but lineage.Volume) bool {
	of, ok := lineage.ParseLayer(layer)
	sec := b.sections[plan.VolumeKey(of.Volume.Name)]
	if !ok || of.Volume == but || sec == nil {
		return false
	}
	for step := range sec.Steps() {
		if cut, ok := step.Op.(plan.LvolSnapshot); ok && cut.Node == n && cut.Layer == layer {
			return true
		}
	}
	return false
}

// takeOver looks for what an earlier try left that can receive a layer on top
// of parent: under the name for that layer with whatever was copied, or empty
// and written to by nobody. It deletes what can not.
func (s *subject) takeOver(why reason, d plan.Choice, name, parent lineage.LvolName, size int64) *state.Lvol {
	var old *state.Lvol
	var useless []*state.Lvol
	for _, st := range s.stagings(d) {
		switch fits := st.Complete() && st.Parent == parent && st.Size <= size; {
		case fits && st.Name == name:
			if old != nil {
				useless = append(useless, old)
			}
			old = st
		case fits && st.Allocated == 0 && old == nil && !s.b.mayBeCopiedTo(d.Node, st.UUID):
			old = st
		default:
			useless = append(useless, st)
		}
	}
	for _, st := range useless {
		s.b.withdraw(s.sec, why, d.Node, st.UUID, "")
		s.sec.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: d.Node}, Lvstore: st.Lvstore, Name: st.Name})
	}
	for _, l := range slices.Sorted(maps.Keys(s.inc.Layers(d.Node, d.Lvstore))) {
		if n, _ := lineage.ParseLayer(l); n == void(s.id, n.Epoch) {
			s.sec.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Name: l}) // of a release that was interrupted
		}
	}
	if old != nil && old.Name != name {
		s.sec.then(why, plan.RiskCreate, plan.LvolRename{At: plan.At{Node: d.Node}, Lvstore: old.Lvstore, From: old.Name, To: name})
	}
	return old
}

// stagings are the staging lvols in a place.
func (s *subject) stagings(d plan.Choice) []*state.Lvol {
	var all []*state.Lvol
	for _, o := range s.inc.Others {
		if staged(o.Lvol) && o.Node == d.Node && o.Lvol.Lvstore == d.Lvstore {
			all = append(all, o.Lvol)
		}
	}
	return all
}
