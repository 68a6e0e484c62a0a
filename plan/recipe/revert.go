package recipe

import (
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// revert makes the head stand on a configured layer again. Ladder:
//
//	clones    on every leg an lvol cloned from the layer, of the volume's size,
//	          shown to the engine beforehand
//	sealed    listener and namespace away, so nothing can be written; the clones
//	          sealed in the next epoch, the old heads fenced
//	serving   start, as after any seal; the old heads go when it serves
func (s *subject) revert() result {
	if s.v.Head == "" || s.standsOn() == s.v.Head {
		return idle
	}
	target := s.find(s.layered, s.v.Head)
	about := "volume " + s.v.Name
	switch {
	case target == nil:
		return idle // it is to be taken first
	case !target.everywhere():
		s.b.block(about, s.v.At("head"), "", "it cannot be reverted: snapshot %s is missing on a replica", s.v.Head)
		return blocked
	case s.v.Protect:
		s.b.block(about, s.v.At("head"), "remove protect first", "the head stands on %s and is to stand on %s, but the volume is protected", orNothing(s.standsOn()), s.v.Head)
		return blocked
	case !s.b.opt.AllowDestroy.Head(s.v.Name):
		s.b.block(about, s.v.At("head"), plan.HeadGrant(s.v.Name).Flag(), "the head is to stand on %s; what was written since is lost, and that is to be allowed by name. Hosts must drop their caches", s.v.Head)
		return blocked
	case s.kernelExport():
		s.b.block(about, s.v.At("head"), "", "it cannot be reverted while a kernel device shows it: remove the export first")
		return blocked
	case s.Engine != "" && s.prepare(s.engine, "head") == blocked:
		return blocked
	}
	why := because(s.v.At("head"), "the head is to stand on %s", s.v.Head)
	clones, ok := s.cloneHeads(why, target)
	if !ok {
		return blocked
	}
	s.swapHeads(why, clones)
	return acted
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
func (s *subject) cloneHeads(cause reason, target *layer) ([]state.Placed, bool) {
	name := lineage.Staging{Volume: s.id, Epoch: s.nextCut()}.Lvol()
	s.dropOldStaging(cause)
	var makes, grows []plan.Op
	for i, l := range s.Legs {
		makes = append(makes, plan.LvolClone{At: plan.At{Node: l.Node}, Lvstore: target.on[i].Lvstore, Layer: target.on[i].Name, Name: name})
		if target.on[i].Size < l.Head.Lvol.Size {
			grows = append(grows, plan.LvolResize{At: plan.At{Node: l.Node}, Lvstore: target.on[i].Lvstore, Name: name, From: target.on[i].Size, To: l.Head.Lvol.Size})
		}
	}
	s.sec.then(cause, plan.RiskCreate, makes...)
	s.sec.then(cause, plan.RiskCreate, grows...)
	var clones []state.Placed
	for i, l := range s.Legs {
		c := state.Placed{Node: l.Node, Lvol: s.b.w.Nodes[l.Node].Lvols[target.on[i].Lvstore+"/"+string(name)]}
		clones = append(clones, c)
		if l.Node == s.engine {
			continue
		}
		link := s.b.cfg.Link(l.Node, s.engine)
		if why := s.b.bring(s.sec, cause, link, c.Lvol.UUID, s.key(l.Node)+" "+string(name)); why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("head"), "", "the new head on %s cannot be brought to the engine: %s", l.Node, why)
			return nil, false
		}
	}
	return clones, true
}

// dropOldStaging deletes what an earlier try left on the legs' nodes.
func (s *subject) dropOldStaging(why reason) {
	var ops []plan.Op
	for _, o := range s.inc.Others {
		if staged(o.Lvol) {
			s.b.withdraw(s.sec, why, o.Node, o.Lvol.UUID, "")
			ops = append(ops, plan.LvolDelete{At: plan.At{Node: o.Node}, Lvstore: o.Lvol.Lvstore, Name: o.Lvol.Name})
		}
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	s.reread()
}

// swapHeads seals the clones in place of the legs and starts the volume again.
func (s *subject) swapHeads(why reason, clones []state.Placed) {
	epoch := s.nextCut()
	sealed := lineage.Head{Volume: s.id, Epoch: epoch, Legs: len(clones), Cut: s.cut(), Mark: lineage.Sealed, Check: s.check()}.Lvol()
	s.goDown(why, atLegs)
	var news, olds []plan.Op
	for _, c := range clones {
		news = append(news, plan.LvolRename{At: plan.At{Node: c.Node}, Lvstore: c.Lvol.Lvstore, From: c.Lvol.Name, To: sealed})
	}
	for _, l := range s.Legs {
		fenced := lineage.Head{Volume: s.id, Epoch: epoch, Cut: l.Head.Name.Cut, Mark: lineage.Fenced, Check: l.Head.Name.Check}
		olds = append(olds, plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: fenced.Lvol()})
	}
	s.sec.then(why, plan.RiskPause, news...)
	s.sec.then(why, plan.RiskDestroy, olds...)
	s.was = s.Engine
	if s.judge() {
		s.start()
	}
}
