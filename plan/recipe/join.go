package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// join makes a new head part of the mirror. Ladder, under one pause:
//
//	sealed    listener and namespace away, legs sealed, RAID deleted: nothing
//	          can be written
//	layer     the joint layer cut on every leg
//	head      the source's joint layer shown to the destination, a head on top of
//	          it there, fenced, for it is not complete; shown to the engine
//	serving   RAID with it, next epoch on the legs, which makes the joint layer
//	          count, export
//
// A crash on the way leaves sealed heads, which are equal, and a joint layer
// that does not count; the next plan serves the volume and joins anew.
func (s *subject) join(d plan.Choice, src state.CurrentLeg) {
	b := s.b
	if s.kernelOnly() || s.kernelExport() {
		s.lag(d, "a kernel device shows the volume, and its I/O cannot be held")
		return
	}
	if why := s.uneven(); why != "" {
		s.lag(d, "not all current replicas have grown: "+why)
		return
	}
	if s.leftovers() || !s.grows() && s.prepare(s.engine, "replicas") == blocked {
		return
	}
	for _, l := range []lineage.Link{s.b.cfg.Link(src.Node, d.Node), s.b.cfg.Link(d.Node, s.engine)} {
		if l.From == l.To {
			continue
		}
		why := b.link(l)
		if why == "" {
			s.sec.after(plan.LinkKey(l))
			why = b.connected(l)
		}
		if why != "" {
			s.lag(d, why)
			return
		}
	}
	if s.grows() {
		if i := slices.IndexFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head == nil }); i >= 0 {
			s.lag(d, "no layer can be cut: the replica "+s.b.away(s.Legs[i].Node))
			return
		}
		s.grow(d, src)
		return
	}
	epoch := s.nextCut()
	joins := because(s.v.At("replicas"), "the replica on %s joins", s.at(d))
	if !s.takeDown(nil, joins) {
		return
	}
	s.sec.then(joins, plan.RiskPause, s.cutLayer(s.joint(epoch))...)
	s.reread()
	head, why := s.joinHead(joins, d, src, epoch)
	if why != "" {
		s.lag(d, why)
	} else {
		s.joins, s.cutAt = []lineage.UUID{head}, epoch
	}
	s.start()
	s.joins = nil
}

// joinHead shows the source's joint layer to the destination, makes the head that
// joins on top of it there, and shows that to the engine; or it says why not.
func (s *subject) joinHead(joins reason, d plan.Choice, src state.CurrentLeg, epoch lineage.Epoch) (head lineage.UUID, why string) {
	joint := s.joint(epoch)
	base := s.inc.Layers(src.Node, src.Head.Lvol.Lvstore)[joint].UUID
	if src.Node != d.Node {
		if why := s.b.bring(s.sec, joins, s.b.cfg.Link(src.Node, d.Node), base, s.key(src.Node)+" "+string(joint)); why != "" {
			return "", why
		}
		s.keep[base] = d.Node
	}
	name := lineage.Head{Volume: s.id, Epoch: epoch, Mark: lineage.Fenced, Layout: s.layout(), Check: s.checkOf(src.Head)}.Lvol()
	s.b.promise(d, src.Head.Lvol.Size)
	s.sec.then(joins, plan.RiskPause, plan.LvolCloneBdev{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Bdev: base, Name: name})
	head = s.b.w.Nodes[d.Node].Lvols[d.Lvstore+"/"+string(name)].UUID
	if d.Node != s.engine {
		back := s.b.cfg.Link(d.Node, s.engine)
		if why := s.b.bring(s.sec, joins, back, head, s.key(d.Node)+" "+string(name)); why != "" {
			return "", why
		}
		s.keep[head] = s.engine
	}
	return head, ""
}

// grow is join on a target whose RAID takes a leg while it is in use: hosts keep
// their connection. Ladder, under one pause:
//
//	layer     the joint layer cut on every leg, and, if no leg was lost until
//	          then, counted
//	head      as in join
//	mirrored  the head in the RAID
//
// A crash on the way leaves a layer more, which is merged away, and maybe a head
// that never was current. The guard lets the hosts go on.
func (s *subject) grow(d plan.Choice, src state.CurrentLeg) {
	epoch := s.nextCut()
	joins := because(s.v.At("replicas"), "the replica on %s joins", s.at(d))
	pauses, resumes := s.pauses()
	s.sec.then(joins, plan.RiskPause, pauses...)
	first, rest := s.counting(epoch)
	s.sec.then(joins, plan.RiskPause, s.cutLayer(s.joint(epoch))...)
	s.sec.then(joins, plan.RiskPause, s.expectLegs()...)
	s.sec.then(joins, plan.RiskPause, first)
	s.sec.then(joins, plan.RiskPause, rest...)
	s.reread()
	if head, why := s.joinHead(joins, d, src, epoch); why != "" {
		s.lag(d, why)
	} else {
		s.addLeg(joins, head)
	}
	s.sec.then(joins, plan.RiskPause, resumes...)
	s.judge()
}

// joint names the layer that a join cuts: a head that joins has its epoch until
// it is complete.
func (s *subject) joint(epoch lineage.Epoch) lineage.LvolName {
	return lineage.Layer{Volume: s.id, Epoch: epoch, Snapshot: lineage.Join, Own: true}.Lvol()
}

// reparent puts a joined head on its own node's copy of the joint layer, while
// nothing is written. Both show the same, so only where it reads from changes.
func (s *subject) reparent(d plan.Choice, head *state.Head) {
	joint := s.joint(head.Name.Epoch)
	own := s.inc.Layers(d.Node, d.Lvstore)[joint]
	if own == nil || own.Size != head.Lvol.Size {
		s.lag(d, "it has no copy of "+string(joint)+" of the volume's size")
		return
	}
	if s.kernelExport() {
		s.lag(d, "a kernel device shows the volume, and its I/O cannot be held")
		return
	}
	whole := because(s.v.At("replicas"), "%s has a copy of all layers", s.at(d))
	pauses, resumes := s.pauses()
	s.sec.then(whole, plan.RiskPause, pauses...)
	s.sec.then(whole, plan.RiskPause, plan.LvolSetParent{At: plan.At{Node: d.Node}, Lvstore: head.Lvol.Lvstore, Name: head.Lvol.Name, Layer: own.Name})
	s.sec.then(whole, plan.RiskPause, resumes...)
	if s.judge() {
		s.sec.then(because(s.v.At("replicas"), "if it was lost before, it has missed writes"), plan.RiskCreate, s.expectLegs()...)
		s.names()
	}
}
