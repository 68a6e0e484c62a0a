package recipe

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// rebuild gives a volume a replica it lacks, while hosts go on writing. One rung a pass; each is told by what is in the destination:
//
//	history   for each layer of the source, the oldest first: its clusters copied
//	          onto staging, staging snapshotted under the layer's name. Layers
//	          never change, so nothing is held, and one that the destination has
//	          is not copied again; one that the volume does not have (any more), or
//	          has in another size or from another cut, goes
//	join      (join.go) all layers are there: under one pause a layer is cut that
//	          ends the history, and a head on top of the source's is mirrored
//	joint     that layer is copied as the others were
//	reparent  (join.go) the head is put on the copy: from then on it is complete
//	          and current, and the next epoch says so
//
// What is left then, staging, namespaces, the joint layer, goes by the ordinary
// ways. A crash leaves one of these rungs, and the next plan goes on from it;
// a head that was joining when its engine ended is given up, for the layer it
// stood on has gone on without it.
func (s *subject) rebuild() result {
	if s.minted || state.Spread(s.Legs) >= s.v.Replicas.Count && (!s.may(schema.DutyChange, schema.DutyMove) || len(s.b.suspended) > 0) {
		return idle
	}
	before := s.tally()
	s.rung()
	return s.since(before)
}

// rung does what is next for a replica that the volume lacks.
func (s *subject) rung() {
	d, ok := s.destination()
	if !ok {
		return
	}
	if s.mixed() { // layers of one name would not be equal
		s.lag(d, "not all other replicas are written with one key yet")
		return
	}
	src, why := s.source(d)
	if why != "" {
		s.lag(d, why)
		return
	}
	if out := s.b.cfg.Link(src.Node, d.Node); out.From != out.To && s.b.connected(out) == "" {
		s.b.links.need(out) // the join will use it
	}
	if s.giveUpHalf(d) != idle {
		return
	}
	if why := s.baseless(d, src); why != "" {
		s.stuck(d, s.basis(), why)
		return
	}
	head := s.joiningHead(d.Place())
	if why := s.cutOff(head); why != "" {
		s.lag(d, why)
		return
	}
	unlike := s.dropUnlike(d, src)
	if s.dropped(d, src) == acted || unlike != idle {
		s.copiesOver(d, src)
		return
	}
	s.inherits(d, src)
	lacking := s.missing(d, src, 0)
	next := s.nextLayer(src, lacking)
	if next != nil || head == nil {
		if why, hint := s.misfit(d, src, lacking); why != "" {
			s.stuck(d, hint, why)
			return
		}
		if why := s.room(d, src, lacking); why != "" {
			s.lag(d, why)
			return
		}
	}
	switch {
	case next != nil:
		s.copyLayer(d, src, next)
	case s.dropStrays(d) != idle:
	case head != nil:
		s.reparent(d, head)
	default:
		s.join(d, src)
	}
}

// lag says why the rebuild on d does not go on.
func (s *subject) lag(d plan.Choice, why string) { s.stuck(d, "", why) }

// stuck says why the rebuild on d does not go on, and what would help.
func (s *subject) stuck(d plan.Choice, hint, why string) {
	s.b.block("volume "+s.v.Name, s.v.At("replicas"), hint, rebuildWaits, s.at(d), why)
}

// stuckAlone is stuck for what no other volume's steps can change.
func (s *subject) stuckAlone(d plan.Choice, hint, why string) {
	s.b.blockAlone("volume "+s.v.Name, s.v.At("replicas"), hint, rebuildWaits, s.at(d), why)
}

// rebuildWaits says of a node why the rebuild there does not go on.
const rebuildWaits = "the rebuild of the replica on %s waits: %s"

// joiningHead is the head in a place that the RAID writes to but that still reads
// through another; nil when there is none.
func (s *subject) joiningHead(at lineage.Place) *state.Head {
	for i := range s.inc.Heads {
		h := &s.inc.Heads[i]
		if h.Place() == at && !h.Lvol.Complete() && s.inRaid(h.Lvol.UUID) {
			return h
		}
	}
	return nil
}

// giveUpHalf deletes a head that was joining when its engine ended: what was
// written since is not in it. It never was current. So goes one that the RAID
// writes to, but for which no layer is left that it could be completed with, or that
// would be current before the engine's own, where that has to come first.
func (s *subject) giveUpHalf(d plan.Choice) result {
	for _, h := range s.inc.Heads {
		joined, early := s.inRaid(h.Lvol.UUID), h.Node != d.Node && s.ownFirst(d)
		if h.Lvol.Complete() || joined && !early && (h.Place() != d.Place() || s.completable(&h)) {
			continue
		}
		anew := because(s.v.At("replicas"), "its engine ended before it was complete; the rebuild joins anew")
		switch {
		case joined && early:
			anew = because(s.v.At("replicas"), "the engine is to have a replica of its own first: until then nobody could tell which of several is current, should it end; the rebuild joins anew")
		case joined:
			anew = because(s.v.At("replicas"), "the layer that it is to stand on cannot be copied there; the rebuild joins anew")
		}
		if joined {
			s.removeLeg(anew, h.Lvol.UUID)
		}
		s.b.withdraw(s.sec, anew, h.Node, h.Lvol.UUID, "")
		s.sec.then(anew, plan.RiskReduce, plan.LvolDelete{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, Name: h.Lvol.Name})
		s.reread()
		return acted
	}
	return idle
}

// shaken reports whether a head that is not complete, or what was one, is on a node that
// lets go of a peer in this pass. What it reads through may be going: until the nodes
// are read again, it is neither completed nor deleted, nor is anything taken
// from under it.
func (s *subject) shaken() bool {
	return slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool {
		return !h.Lvol.Complete() && s.b.links.dropped[h.Node]
	}) || slices.ContainsFunc(s.inc.Others, func(o state.Placed) bool {
		return !o.Lvol.Complete() && s.b.links.dropped[o.Node]
	})
}

// cutOff says that the peer is given up which a joined head reads through: the
// link is about to be let go, and the head leaves the RAID with it.
func (s *subject) cutOff(head *state.Head) string {
	if head == nil {
		return ""
	}
	at := s.b.w.Nodes[head.Node]
	if r := at.Remotes[lineage.UUID(head.Lvol.External)]; r != nil {
		if ctrl := at.Controllers[r.Controller]; ctrl != nil && ctrl.GivenUp() {
			return fmt.Sprintf("controller %s on %s is %s", ctrl.Name, head.Node, ctrl.State)
		}
	}
	return ""
}

// completable reports whether the layer that a joined head is to stand on is on
// its own node, or on one it can be copied from, onto what that stands on.
func (s *subject) completable(h *state.Head) bool {
	joint := s.joint(h.Name.Epoch)
	if s.inc.Layers(h.Node, h.Lvol.Lvstore)[joint] != nil {
		return true
	}
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Head == nil || s.inc.Layers(l.Node, l.Head.Lvol.Lvstore)[joint] != nil && s.baseless(plan.Choice{Node: h.Node, Lvstore: h.Lvol.Lvstore}, l) == ""
	})
}

// nextLayer is the oldest layer of the source that the destination lacks; nil
// when it has them all. A layer comes after the one it stands on.
func (s *subject) nextLayer(src state.CurrentLeg, lacking []*state.Lvol) *state.Lvol {
	if len(lacking) == 0 {
		return nil
	}
	lacks := map[lineage.LvolName]bool{}
	for _, l := range lacking {
		lacks[l.Name] = true
	}
	// It stands on none that is lacking; of several such, on the fewest.
	open := slices.DeleteFunc(slices.Clone(lacking), func(l *state.Lvol) bool { return lacks[l.Parent] })
	if len(open) == 0 {
		return lacking[0] // they are said to stand on each other
	}
	return slices.MinFunc(open, func(a, b *state.Lvol) int {
		return cmp.Compare(len(s.b.w.Nodes[src.Node].Below(a)), len(s.b.w.Nodes[src.Node].Below(b)))
	})
}

// missing are the source's layers that the destination lacks, or will if those of an epoch
// and all younger ones go; 0 for none.
func (s *subject) missing(d plan.Choice, src state.CurrentLeg, from lineage.Epoch) []*state.Lvol {
	have := s.inc.Layers(d.Node, d.Lvstore)
	on := s.inc.Layers(src.Node, src.Head.Lvol.Lvstore)
	var lacking []*state.Lvol
	cut := s.cut()
	for _, name := range slices.Sorted(maps.Keys(on)) {
		l := on[name]
		p := l.Parsed.(lineage.Layer)
		if p.Epoch > cut {
			continue
		}
		if have[name] == nil || from != 0 && p.Epoch >= from {
			lacking = append(lacking, l)
		}
	}
	return lacking
}

// misfit says that the destination's clusters are too large for what is to be
// there, and what would help: an lvol has whole clusters, and a copy is to have
// the size of what it is a copy of.
func (s *subject) misfit(d plan.Choice, src state.CurrentLeg, lacking []*state.Lvol) (why, hint string) {
	cluster := clusterSize(s.b.w.Nodes[d.Node], d.Lvstore)
	for _, l := range append(slices.Clone(lacking), src.Head.Lvol) {
		if cluster <= 0 || l.Size%cluster == 0 {
			continue
		}
		if hint = "let it have another pool there"; l == src.Head.Lvol {
			hint = "set size to " + amount.Bytes(roundUp(l.Size, cluster))
		}
		return fmt.Sprintf("%s has %s, which is not a multiple of %s, the cluster size of %s there", l.Name, amount.Bytes(l.Size), amount.Bytes(cluster), d.Lvstore), hint
	}
	return "", ""
}

// room says that what is to be copied does not fit into the destination; ""
// when it does, as far as can be told: hosts go on writing.
func (s *subject) room(d plan.Choice, src state.CurrentLeg, lacking []*state.Lvol) string {
	from, to := s.b.w.Nodes[src.Node], s.b.w.Nodes[d.Node]
	lvs := to.Lvstores[d.Lvstore]
	if lvs == nil || lvs.TotalClusters == 0 {
		return ""
	}
	free := lvs.TotalClusters*lvs.ClusterSize - s.b.w.Space(d.Node, d.Lvstore).Used
	for _, st := range s.stagings(d) {
		free += st.Allocated * lvs.ClusterSize // a copy that is repeated writes to what it has
	}
	need := int64(0)
	if s.joiningHead(d.Place()) == nil {
		need = src.Head.Lvol.Allocated * clusterSize(from, src.Head.Lvol.Lvstore)
	}
	for _, l := range lacking {
		need += l.Allocated * clusterSize(from, l.Lvstore)
	}
	if need > free {
		return fmt.Sprintf("pool %s there has %s free, and %s are to be copied", d.Lvstore, amount.Bytes(free), amount.Bytes(need))
	}
	return ""
}

// keepJoined keeps what a head that is not complete needs: the layer it reads
// through shown to its node, for a target does not survive losing that under
// it, and, while the RAID writes to it, itself shown to the engine. A degraded
// head does not tell what it reads through, and comes alive when that is there:
// it may be any layer that its node is shown.
func (s *subject) keepJoined() {
	for _, h := range s.inc.Heads {
		if h.Lvol.Degraded {
			for u := range s.layersShown(h.Node) {
				s.keep[u] = h.Node
			}
		}
		if h.Lvol.External == "" {
			continue
		}
		s.keep[lineage.UUID(h.Lvol.External)] = h.Node
		if h.Node != s.engine && s.inRaid(h.Lvol.UUID) {
			s.keep[h.Lvol.UUID] = s.engine
		}
	}
}

// layersShown are the layers of the volume that a node is shown, and over which links.
func (s *subject) layersShown(to lineage.Node) iter.Seq2[lineage.UUID, lineage.Link] {
	return func(yield func(lineage.UUID, lineage.Link) bool) {
		for _, o := range s.inc.Others {
			for _, x := range s.b.shownBy(o.Node, o.Lvol.UUID) {
				if x.link.To == to && !yield(o.Lvol.UUID, x.link) {
					return
				}
			}
		}
	}
}
