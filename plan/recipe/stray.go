package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// stray is a layer in the destination of a rebuild that is to go.
type stray struct {
	name lineage.LvolName
	why  string
}

// dropStrays deletes the layers in the destination of a rebuild that no leg
// has: they were removed while the replica was away, or an interrupted cut left
// them. It is done before the replica is current, for then they would count.
func (s *subject) dropStrays(d plan.Choice) result { return s.dropLayers(d, s.strays(d)) }

// dropUnlike deletes the layers in the destination of a rebuild that the volume
// has, but not as they are there, so that they are copied anew; before that, what
// an earlier try has staged on them.
func (s *subject) dropUnlike(d plan.Choice, src state.CurrentLeg) result {
	unlike := s.unlike(d, src)
	for _, st := range s.stagings(d) {
		i := slices.IndexFunc(unlike, func(l stray) bool { return s.standsOver(d, st, l.name) })
		if i < 0 {
			continue
		}
		why := because(s.v.At("replicas"), "%s", unlike[i].why)
		s.b.withdraw(s.sec, why, d.Node, st.UUID, "")
		s.sec.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: d.Node}, Lvstore: st.Lvstore, Name: st.Name})
		s.reread()
	}
	return s.dropLayers(d, unlike)
}

// standsOver reports whether an lvol in a place stands on a layer, or on what does.
func (s *subject) standsOver(d plan.Choice, l *state.Lvol, on lineage.LvolName) bool {
	return slices.ContainsFunc(s.b.w.Nodes[d.Node].Below(l), func(b *state.Lvol) bool { return b.Name == on })
}

// dropLayers deletes layers in the destination of a rebuild, one after the
// other. What a layer holds goes to what stands on it.
func (s *subject) dropLayers(d plan.Choice, strays []stray) result {
	for _, st := range strays {
		l := s.b.w.Nodes[d.Node].Lvols[d.Lvstore+"/"+string(st.name)]
		if why := cmp.Or(s.stoodOn(d.Node, l), s.read(d.Node, l)); why != "" {
			s.stuck(d, s.freeing(d.Node, l), fmt.Sprintf("%s, and %s there stays: %s", st.why, st.name, why))
			return blocked
		}
		why := because(s.v.At("replicas"), "%s", st.why)
		if len(l.Children) > 1 {
			if !s.lift(why, d.Node, l) {
				s.lag(d, fmt.Sprintf("%s, and %s there has several branches: %s", st.why, st.name, joinNames(l.Children)))
				return blocked
			}
			return acted
		}
		s.sec.then(why, plan.RiskReduce, plan.LvolDelete{At: plan.At{Node: d.Node}, Lvstore: d.Lvstore, Name: l.Name})
		s.reread()
	}
	if len(strays) > 0 {
		return acted
	}
	return idle
}

// strays are the layers in a place that no leg has, the youngest first.
func (s *subject) strays(d plan.Choice) []stray {
	have := map[lineage.LvolName]bool{}
	for _, l := range s.layersOf() {
		have[l.Lvol()] = true
	}
	return s.those(d, func(l *state.Lvol) string {
		if have[l.Name] {
			return ""
		}
		return fmt.Sprintf("%s has no layer %s any more", s.v.Name, l.Name)
	})
}

// unlike are the layers in a place that legs have, but none like that, and the
// layers that stand on them, for a copy cannot be put below those: the youngest
// first. Where one is damaged there, and not in the source, none from that on is taken to be like.
func (s *subject) unlike(d plan.Choice, src state.CurrentLeg) []stray {
	hurt := s.hurt(d.Place())
	if s.hurt(src.Place()) != 0 {
		hurt = 0
	}
	sizes := map[lineage.LvolName][]int64{}
	for _, l := range s.layersOf() {
		for _, on := range l.on {
			if on != nil {
				sizes[l.Lvol()] = append(sizes[l.Lvol()], on.Size)
			}
		}
	}
	at := s.b.w.Nodes[d.Node]
	itself := func(l *state.Lvol) string {
		has := sizes[l.Name]
		switch epoch := l.Parsed.(lineage.Layer).Epoch; {
		case hurt != 0 && epoch == hurt:
			return fmt.Sprintf("the copy of %s on %s is damaged", l.Name, d.Node)
		case hurt != 0 && epoch > hurt:
			return fmt.Sprintf("layer %s on %s is younger than %s, which is damaged there, and may have some of it", l.Name, d.Node, s.inc.Damaged(d.Place()))
		case has == nil:
		case !l.Complete():
			return fmt.Sprintf("layer %s on %s is not complete", l.Name, d.Node)
		case s.b.uncounted(d.Node, l):
			return fmt.Sprintf("layer %s on %s is what an interrupted cut left, and need not be the one that %s has under that name", l.Name, d.Node, s.v.Name)
		case !slices.Contains(has, l.Size):
			return fmt.Sprintf("layer %s has %s, and on %s %s", l.Name, amount.Bytes(has[0]), d.Node, amount.Bytes(l.Size))
		}
		return ""
	}
	said := map[*state.Lvol]string{}
	var why func(*state.Lvol) string
	why = func(l *state.Lvol) string { // of the layer, or the first below it
		if text, known := said[l]; known || l == nil {
			return text
		}
		said[l] = "" // should they be said to stand on each other
		said[l] = itself(l)
		if said[l] == "" && l.Parent != "" {
			said[l] = why(at.Lvols[l.Lvstore+"/"+string(l.Parent)])
		}
		return said[l]
	}
	return s.those(d, why)
}

// uncounted reports whether a layer does not count: a head stands on it that was
// current and knows of none so young, so it left while that layer was cut. The
// others may have cut another since that came by the same name (tag). What a
// rebuild has copied stands below no such head. A layer of strata's own never has
// the name of one before, and a head that has just joined stands on one.
func (b *builder) uncounted(n lineage.Node, l *state.Lvol) bool {
	layer, ok := l.Parsed.(lineage.Layer)
	return ok && !layer.Own && slices.ContainsFunc(l.Children, func(child lineage.LvolName) bool {
		c := b.w.Nodes[n].Lvols[l.Lvstore+"/"+string(child)]
		if c == nil || !c.Complete() {
			return false
		}
		h, ok := c.Parsed.(lineage.Head)
		return ok && h.Volume == layer.Volume && h.Cut < layer.Epoch
	})
}

// those are the layers in a place that something is said of, the youngest first.
func (s *subject) those(d plan.Choice, why func(*state.Lvol) string) []stray {
	at, on := s.b.w.Nodes[d.Node], s.inc.Layers(d.Node, d.Lvstore)
	var strays []stray
	for _, name := range slices.Sorted(maps.Keys(on)) {
		if w := why(on[name]); w != "" {
			strays = append(strays, stray{name, w})
		}
	}
	slices.SortStableFunc(strays, func(a, b stray) int {
		return cmp.Compare(len(at.Below(on[b.name])), len(at.Below(on[a.name])))
	})
	return strays
}

// freeing is how what stands on a layer, and is not the volume's, is made to
// stand without it; "" when nothing does.
func (s *subject) freeing(n lineage.Node, on *state.Lvol) string {
	for _, child := range on.Children {
		if p, ok := lineage.Parse(child); !ok {
			return fmt.Sprintf("delete it, or run on %s: rpc.py bdev_lvol_decouple_parent %s/%s", n, on.Lvstore, child)
		} else if p.Of() != s.id {
			return "destroy " + p.Of().Name + " first, or set detach: true on it"
		}
	}
	return ""
}

// lift makes stale heads that stand on a layer independent of it, so that one
// child is left: a target deletes no layer that has several. The heads stay as
// long as they are not known to be replaced. It reports whether that can be done.
func (s *subject) lift(why reason, n lineage.Node, on *state.Lvol) bool {
	at := s.b.w.Nodes[n]
	var ops []plan.Op
	for _, child := range on.Children {
		c := at.Lvols[on.Lvstore+"/"+string(child)]
		if _, head := c.Parsed.(lineage.Head); head && !s.isLeg(c.UUID) {
			ops = append(ops, plan.LvolDecouple{At: plan.At{Node: n}, Lvstore: on.Lvstore, Name: child, Bytes: on.Allocated * clusterSize(at, on.Lvstore)})
		}
	}
	if len(ops) < len(on.Children)-1 {
		return false
	}
	s.sec.then(why, plan.RiskCopy, ops[:len(on.Children)-1]...)
	s.reread()
	return true
}
