package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// destination is the place to rebuild: the engine's own where that has to come first; one
// whose rebuild has begun; else on the engine's node, for an engine without a replica leaves
// nobody who knows what is current, else the first that lacks a replica. While a node cannot
// be read that may have a replica, and is waited for, no new place is begun elsewhere.
func (s *subject) destination() (plan.Choice, bool) {
	var open []plan.Choice
	for _, c := range s.places.Chosen {
		if !s.legAt(c.Place()) {
			open = append(open, c)
		}
	}
	rank := func(c plan.Choice) []int {
		p := s.progress(c.Place())
		return []int{boolToInt(s.ownFirst(c)), max(p, 1), boolToInt(c.Node == s.engine), p}
	}
	slices.SortStableFunc(open, func(a, b plan.Choice) int { return slices.Compare(rank(b), rank(a)) })
	if len(open) == 0 {
		return plan.Choice{}, false
	}
	if s.hiding() > 0 && s.progress(open[0].Place()) == 0 {
		why, hint := s.waits()
		s.stuckAlone(open[0], hint, why)
		return plan.Choice{}, false
	}
	return open[0], true
}

// ownFirst reports whether a place is the engine's own, and no other replica may become
// current before the one there. An engine that has none may serve the only one that is
// current, for nothing was acknowledged without that. Once there are two over links
// that drop what they lose, each may have gone on without the other: should the engine end
// then, nobody could tell which one did.
func (s *subject) ownFirst(c plan.Choice) bool {
	return c.Node == s.engine && !s.legOn(s.engine) && !s.b.cfg.Links.Wait()
}

// lacks reports whether a place that the configuration wants has no current
// replica: there may be enough of them elsewhere.
func (s *subject) lacks() bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return !s.legAt(c.Place()) })
}

// progress ranks how far the rebuild in a place is: joined, begun, or something of
// an older replica there.
func (s *subject) progress(at lineage.Place) int {
	if s.joiningHead(at) != nil {
		return 3
	}
	rank := 0
	for _, o := range s.inc.Others {
		if o.Place() == at {
			if staged(o.Lvol) {
				return 2
			}
			rank = 1
		}
	}
	if slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return h.Place() == at }) {
		rank = 1
	}
	return rank
}

// source chooses the current replica to copy from: the one that a joined head
// reads through, else one that is not damaged, else one that copies there already by order of a run that is
// over, else the nearest, on the node of the destination or in its failure domain, and
// of those the one whose node copies least. A node that copies as many layers as
// it may comes last.
func (s *subject) source(d plan.Choice) (state.CurrentLeg, string) {
	var best *state.CurrentLeg
	for i := range s.Legs {
		l := &s.Legs[i]
		if l.Head == nil || l.In(d.Place()) {
			continue
		}
		if best == nil || slices.Compare(s.rank(l, d), s.rank(best, d)) < 0 {
			best = l
		}
	}
	if best == nil {
		return state.CurrentLeg{}, "no node with a current replica can be read"
	}
	return *best, ""
}

// rank says how a replica serves as source, what counts most first: less is better.
func (s *subject) rank(l *state.CurrentLeg, d plan.Choice) []int {
	h := s.joiningHead(d.Place())
	far := false
	if from, to := s.b.cfg.Node(l.Node), s.b.cfg.Node(d.Node); from != nil && to != nil {
		key := s.v.Replicas.Spread
		far = key != "" && from.Labels[key] != to.Labels[key]
	}
	begun := slices.ContainsFunc(s.stagings(d), func(st *state.Lvol) bool { return s.b.copiesTo(l.Node, d.Node, st.UUID) })
	return []int{boolToInt(h != nil && !s.readsFrom(h, l.Place())), boolToInt(s.hurt(l.Place()) != 0), boolToInt(!begun), boolToInt(s.full(l.Node) != ""), boolToInt(l.Node != d.Node), boolToInt(far), s.b.copiesAt(l.Node)}
}

// readsFrom reports whether a joined head reads through a layer in a place.
func (s *subject) readsFrom(h *state.Head, at lineage.Place) bool {
	l := s.b.w.Nodes[at.Node].LvolByUUID(lineage.UUID(h.Lvol.External))
	return l != nil && l.Lvstore == at.Lvstore
}
