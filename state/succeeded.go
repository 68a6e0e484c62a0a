package state

import (
	"slices"

	"strata/lineage"
)

// succeeded reports whether another node has taken over from an engine without a leg of
// its own, or whose own is fenced, so that its names do not say what it knows of. What is
// named as local to the engine where it is, or is sealed, no engine has in use: names say
// otherwise before it shows anything, and it shows nothing any more before they say so.
// And one that was fenced off a link, and has a leg that is stale, is not coming back.
func (s *Snapshot) succeeded(c lineage.Cluster, e Verdict) bool {
	if e.local() != nil {
		return false
	}
	shows, own, stale, elsewhere, sealed := s.shows(e), false, false, false, false
	for _, l := range e.Legs {
		if l.Head == nil {
			continue
		}
		h := l.Head.Name
		own = own || l.Node == e.Engine
		stale = stale || h.Mark == lineage.Fenced && !h.Pledged
		elsewhere = elsewhere || h.Mark == lineage.Primary && l.Node != e.Engine
		sealed = sealed || h.Mark == lineage.Sealed && !l.Head.announced()
	}
	return elsewhere && (shows || own) || sealed && shows || stale && s.shutOut(c, e)
}

// shutOut reports whether an engine was fenced off a link by which it reaches a leg.
func (s *Snapshot) shutOut(c lineage.Cluster, e Verdict) bool {
	at := s.Nodes[e.Engine]
	return slices.ContainsFunc(e.Legs, func(l CurrentLeg) bool {
		r := at.Remotes[l.UUID]
		if r == nil || at.Controllers[r.Controller] == nil {
			return false
		}
		link, ok := c.ParseLink(at.Controllers[r.Controller].NQN)
		return ok && s.ShutOut(c, link)
	})
}
