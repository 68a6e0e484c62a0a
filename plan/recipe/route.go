package recipe

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// destination is the place to rebuild: one whose rebuild has begun, else the
// first that lacks a replica. While a node cannot be read that may have a
// replica, and is waited for, no new place is begun elsewhere.
func (s *subject) destination() (plan.Choice, bool) {
	var open []plan.Choice
	for _, c := range s.places.Chosen {
		if !s.legOn(c.Node) {
			open = append(open, c)
		}
	}
	slices.SortStableFunc(open, func(a, b plan.Choice) int {
		return cmp.Compare(s.progress(b.Node), s.progress(a.Node))
	})
	if len(open) == 0 {
		return plan.Choice{}, false
	}
	if s.hiding() > 0 && s.progress(open[0].Node) == 0 {
		why, hint := s.waits()
		s.stuckAlone(open[0], hint, why)
		return plan.Choice{}, false
	}
	return s.home(open[0]), true
}

// home is the place on a node in which a rebuild has begun, or has something
// to go on from, rather than the one that has most room now.
func (s *subject) home(c plan.Choice) plan.Choice {
	if h := s.joiningHead(c.Node); h != nil {
		c.Lvstore = h.Lvol.Lvstore
		return c
	}
	best, base := 0, s.baseName()
	for _, o := range s.inc.Others {
		rank := 1
		if _, ok := o.Lvol.Parsed.(lineage.Staging); ok {
			rank = 2
		}
		if o.Node == c.Node && rank > best && s.mayUse(o.Node, o.Lvol.Lvstore) && (base == "" || s.b.has(o.Node, o.Lvol.Lvstore, base)) {
			c.Lvstore, best = o.Lvol.Lvstore, rank
		}
	}
	return c
}

// mayUse reports whether the configuration lets the volume be in a pool.
func (s *subject) mayUse(n lineage.Node, lvstore string) bool {
	p := s.b.pool(n, lvstore)
	return p != nil && p.state == poolReady && (s.v.Replicas.Pool == "" || p.conf.Name == s.v.Replicas.Pool)
}

// lacks reports whether a place that the configuration wants has no current
// replica: there may be enough of them elsewhere.
func (s *subject) lacks() bool {
	return slices.ContainsFunc(s.places.Chosen, func(c plan.Choice) bool { return !s.legOn(c.Node) })
}

// progress ranks how far the rebuild on n is: joined, begun, or something of
// an older replica there.
func (s *subject) progress(n lineage.Node) int {
	if s.joiningHead(n) != nil {
		return 3
	}
	rank := 0
	for _, o := range s.inc.Others {
		if o.Node == n {
			if _, ok := o.Lvol.Parsed.(lineage.Staging); ok {
				return 2
			}
			rank = 1
		}
	}
	if nodesOf(s.inc)[n] {
		rank = 1
	}
	return rank
}

// source chooses the current replica to copy from: the one that a joined head
// reads through, else one that copies there already by order of a run that is
// over, else the nearest, in the failure domain of the destination, and
// of those the one whose node copies least. A node that copies as many layers as
// it may comes last.
func (s *subject) source(d plan.Choice) (state.CurrentLeg, string) {
	var best *state.CurrentLeg
	for i := range s.Legs {
		l := &s.Legs[i]
		if l.Head == nil || l.Node == d.Node {
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
	h := s.joiningHead(d.Node)
	far := false
	if from, to := s.b.cfg.Node(l.Node), s.b.cfg.Node(d.Node); from != nil && to != nil {
		key := s.v.Replicas.Spread
		far = key != "" && from.Labels[key] != to.Labels[key]
	}
	begun := slices.ContainsFunc(s.stagings(d), func(st *state.Lvol) bool { return s.b.copiesTo(l.Node, d.Node, st.UUID) })
	return []int{boolToInt(h != nil && !s.readsFrom(h, l.Node)), boolToInt(!begun), boolToInt(s.full(l.Node) != ""), boolToInt(far), s.b.copiesAt(l.Node)}
}

// readsFrom reports whether a joined head reads through a layer on n.
func (s *subject) readsFrom(h *state.Head, n lineage.Node) bool {
	return s.b.w.Nodes[n].LvolByUUID(lineage.UUID(h.Lvol.External)) != nil
}
