package plan

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/state"
)

// dropStrays deletes the layers in the destination of a rebuild that no leg
// has: they were removed while the replica was away, or an interrupted cut left
// them. It is done before the replica is current, for then they would count.
// What a layer holds goes to what stands on it. It reports whether there was
// anything to do or to wait for.
func (s *subject) dropStrays(d Choice) bool {
	strays := s.strays(d)
	for _, l := range strays {
		name := l.Name
		if why := cmp.Or(s.stoodOn(d.Node, l), s.read(d.Node, l)); why != "" {
			s.lag(d, fmt.Sprintf("the volume has no layer %s, and the one there stays: %s", name, why))
			return true
		}
		s.sec.because(s.v.At("replicas"), "%s has no layer %s any more", s.v.Name, name)
		if len(l.Children) > 1 {
			if !s.lift(d.Node, l) {
				s.lag(d, fmt.Sprintf("the volume has no layer %s, and the one there has several branches: %s", name, joinNames(l.Children)))
			}
			return true
		}
		s.sec.then(RiskReduce, LvolDelete{At{d.Node}, d.Lvstore, name})
		s.reread()
	}
	return len(strays) > 0
}

// strays are the layers in a place that no leg has, the youngest first.
func (s *subject) strays(d Choice) []*state.Lvol {
	have := map[lineage.LvolName]bool{}
	for _, l := range s.layersOf() {
		have[l.Lvol()] = true
	}
	at, on := s.b.w.Nodes[d.Node], s.inc.Layers(d.Node, d.Lvstore)
	var strays []*state.Lvol
	for _, name := range sortedKeys(on) {
		if !have[name] {
			strays = append(strays, on[name])
		}
	}
	slices.SortStableFunc(strays, func(a, b *state.Lvol) int {
		return cmp.Compare(len(at.Below(b)), len(at.Below(a)))
	})
	return strays
}

// lift makes stale heads that stand on a layer independent of it, so that one
// child is left: a target deletes no layer that has several. The heads stay as
// long as they are not known to be replaced. It reports whether that can be done.
func (s *subject) lift(n lineage.Node, on *state.Lvol) bool {
	at := s.b.w.Nodes[n]
	var ops []Op
	for _, child := range on.Children {
		c := at.Lvols[on.Lvstore+"/"+string(child)]
		if _, head := c.Parsed.(lineage.Head); head && !s.isLeg(c.UUID) {
			ops = append(ops, LvolDecouple{At{n}, on.Lvstore, child, on.Allocated * clusterSize(at, on.Lvstore)})
		}
	}
	if len(ops) < len(on.Children)-1 {
		return false
	}
	s.sec.then(RiskCopy, ops[:len(on.Children)-1]...)
	s.reread()
	return true
}
