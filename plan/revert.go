package plan

import (
	"strata/lineage"
	"strata/state"
)

// revert makes the head stand on a configured layer again. Ladder:
//
//	clones    on every leg an lvol cloned from the layer, of the volume's size,
//	          shown to the engine beforehand
//	sealed    listener and namespace away, so nothing can be written; the clones
//	          sealed in the next epoch, the old heads fenced
//	serving   start, as after any seal; the old heads go when it serves
//
// It returns true when it had something to do or to say.
func (s *subject) revert(all []*layer) bool {
	if s.v.Head == "" || s.standsOn() == s.v.Head {
		return false
	}
	target := s.find(all, s.v.Head)
	about, grant := "volume "+s.v.Name, s.v.Name+"@head"
	switch {
	case target == nil:
		return false // it is to be taken first
	case !target.everywhere():
		s.b.block(about, s.v.At("head"), "", "it cannot be reverted: snapshot %s is missing on a replica", s.v.Head)
		return true
	case s.v.Protect:
		s.b.block(about, s.v.At("head"), "remove protect first", "the head stands on %s and is to stand on %s, but the volume is protected", orNothing(s.standsOn()), s.v.Head)
		return true
	case !s.b.opt.AllowDestroy[grant]:
		s.b.block(about, s.v.At("head"), "--allow-destroy "+grant, "the head is to stand on %s; what was written since is lost, and that is to be allowed by name. Hosts must drop their caches", s.v.Head)
		return true
	case s.kernelExport():
		s.b.block(about, s.v.At("head"), "", "it cannot be reverted while a kernel device shows it: remove the export first")
		return true
	case s.Engine != "" && !s.canRestart(s.engine, "head"):
		return true
	}
	clones, ok := s.cloneHeads(target)
	if ok {
		s.swapHeads(clones)
	}
	return true
}

// kernelExport reports whether the kernel of a node shows the volume: such a
// device cannot be held.
func (s *subject) kernelExport() bool {
	for _, e := range s.inc.Exports {
		if e.Subsystem == nil {
			return true
		}
	}
	return false
}

// standsOn is the youngest of the user's layers below the head; "" for none.
func (s *subject) standsOn() string {
	leg := s.Legs[0]
	for _, below := range s.b.w.Nodes[leg.Node].Below(leg.Head.Lvol) {
		if l, ok := below.Parsed.(lineage.Layer); ok && !l.Own && l.Volume == s.id {
			return l.Snapshot
		}
	}
	return ""
}

func orNothing(layer string) string {
	if layer == "" {
		return "no snapshot"
	}
	return layer
}

// cloneHeads makes the new heads, as staging, and shows them to the engine.
func (s *subject) cloneHeads(target *layer) ([]state.Placed, bool) {
	s.sec.because(s.v.At("head"), "the head is to stand on %s", s.v.Head)
	name := lineage.Staging{Volume: s.id, Epoch: s.nextCut()}.Lvol()
	s.dropOldStaging()
	var makes, grows []Op
	for i, l := range s.Legs {
		makes = append(makes, LvolClone{At{l.Node}, target.on[i].Lvstore, target.on[i].Name, name})
		if target.on[i].Size < l.Head.Lvol.Size {
			grows = append(grows, LvolResize{At{l.Node}, target.on[i].Lvstore, name, target.on[i].Size, l.Head.Lvol.Size})
		}
	}
	s.sec.then(RiskCreate, makes...)
	s.sec.then(RiskCreate, grows...)
	var clones []state.Placed
	for i, l := range s.Legs {
		c := state.Placed{Node: l.Node, Lvol: s.b.w.Nodes[l.Node].Lvols[target.on[i].Lvstore+"/"+string(name)]}
		clones = append(clones, c)
		if l.Node == s.engine {
			continue
		}
		link := lineage.Link{From: l.Node, To: s.engine}
		if why := s.b.bring(s.sec, link, c.Lvol.UUID, s.key(l.Node)+" "+string(name)); why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("head"), "", "the new head on %s cannot be brought to the engine: %s", l.Node, why)
			return nil, false
		}
	}
	return clones, true
}

// dropOldStaging deletes what an earlier try left on the legs' nodes.
func (s *subject) dropOldStaging() {
	var ops []Op
	for _, o := range s.inc.Others {
		if _, ok := o.Lvol.Parsed.(lineage.Staging); ok {
			s.b.withdraw(s.sec, o.Node, o.Lvol.UUID, "")
			ops = append(ops, LvolDelete{At{o.Node}, o.Lvol.Lvstore, o.Lvol.Name})
		}
	}
	s.sec.then(RiskCreate, ops...)
	s.reread()
}

// swapHeads seals the clones in place of the legs and starts the volume again.
func (s *subject) swapHeads(clones []state.Placed) {
	epoch := s.nextCut()
	sealed := lineage.Head{Volume: s.id, Epoch: epoch, Legs: len(clones), Cut: s.cut(), Mark: lineage.Sealed}.Lvol()
	s.unshow()
	for _, m := range s.inc.Raids {
		s.sec.then(RiskPause, RaidDelete{At{m.Node}, m.Raid.Name})
	}
	var news, olds []Op
	for _, c := range clones {
		news = append(news, LvolRename{At{c.Node}, c.Lvol.Lvstore, c.Lvol.Name, sealed})
	}
	for _, l := range s.Legs {
		fenced := lineage.Head{Volume: s.id, Epoch: epoch, Cut: l.Head.Name.Cut, Mark: lineage.Fenced}
		olds = append(olds, LvolRename{At{l.Node}, l.Head.Lvol.Lvstore, l.Head.Lvol.Name, fenced.Lvol()})
	}
	s.sec.then(RiskPause, news...)
	s.sec.then(RiskDestroy, olds...)
	s.was = s.Engine
	if s.look() {
		s.start()
	}
}
