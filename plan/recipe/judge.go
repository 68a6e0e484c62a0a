package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// judge judges the volume anew, after steps that changed what it rests on.
func (s *subject) judge() bool {
	b := s.b
	s.inc = b.w.Incarnation(s.id)
	s.hidden, _, _ = b.hidden()
	verdict := b.w.Judge(s.inc, s.question())
	s.Verdict = &verdict
	if verdict.Unknown != "" {
		if hidden, pending, why := b.hidden(); b.onlySuspended() {
			b.awaitSuspended(s.v)
		} else if !pending {
			b.blockAlone("volume "+s.v.Name, s.v.Pos, s.unblock(hidden, why), "%s", verdict.Unknown)
		}
		return false
	}
	if verdict.Engine == "" && s.was == "" && len(b.opt.Authority) == 0 {
		if _, pending, _ := b.hidden(); pending {
			return false // a disk that is attached in this pass may hold another replica
		}
	}
	s.sec.after(b.links.stalled[verdict.Engine]...)
	s.awaited = ""
	engine, why := s.seat()
	s.engine = engine
	held := map[lineage.Place]stick{}
	for _, h := range s.inc.Heads {
		held[h.Place()] = stickStale
	}
	for _, o := range s.inc.Others {
		held[o.Place()] = stickStale // a rebuild has begun there
	}
	if s.Engine != "" && s.v.Engine == "" && !on(held, s.Engine) {
		held[lineage.Place{Node: s.Engine}] = stickServed // in whichever pool there
	}
	for at := range held {
		switch s.progress(at) {
		case 3:
			held[at] = stickJoined
		case 2:
			held[at] = stickBegun
		}
	}
	for _, l := range s.Legs {
		held[l.Place()] = stickCurrent
		if l.Node == s.engine {
			held[l.Place()] = stickEngine
		}
		if len(s.Legs) > s.v.Replicas.Count && (b.opt.AllowDestroy.Replica(s.v.Name, l.Node) || l.Head != nil && s.hurt(l.Place()) != 0) {
			held[l.Place()] = stickReleased
		}
	}
	s.weighed = &weighed{s.v, held, s.blockSize(), s.baseName(), s.need(), nil}
	s.places, _ = b.weigh(s.weighed)
	if n := s.wasAhead(); n != "" {
		s.engine, why = n, "it was served there, and a replica is to be there"
	}
	if verdict.Engine == "" && s.to == "" && s.lacksLeg(s.engine) && (s.awaitsCopy(s.engine) != "" || !s.b.reachable(s.engine)) {
		s.awaited, s.engine = s.engine, s.Legs[0].Node
		why = fmt.Sprintf("%s is to be the engine, and has no current replica yet", s.awaited)
	}
	if why != "" {
		s.sits(s.engine, "%s", why)
	}
	return true
}

// need is how much a replica takes at most: the head, written whole, and the
// layers under it.
func (s *subject) need() int64 {
	need := s.v.Size
	for _, l := range s.Legs {
		if l.Head == nil {
			continue
		}
		sum := max(s.v.Size, l.Head.Lvol.Size)
		for _, o := range s.inc.Others {
			if o.Node == l.Node && o.Lvol.Lvstore == l.Head.Lvol.Lvstore && o.Lvol.Snapshot {
				sum += o.Lvol.Allocated * clusterSize(s.b.w.Nodes[o.Node], o.Lvol.Lvstore)
			}
		}
		need = max(need, sum)
	}
	return need
}

// lacksLeg reports whether a node is to have a replica and has no current one.
// No engine is started there before it has: of an epoch whose engine has no leg
// of its own, nobody is the authority should that engine go. A part is started where the
// others are.
func (s *subject) lacksLeg(n lineage.Node) bool { return s.v.Part == nil && s.toHave(n) }

// toHave reports whether a node is to have a replica and has no current one: no engine that
// runs goes there before it has.
func (s *subject) toHave(n lineage.Node) bool {
	if s.legOn(n) {
		return false
	}
	return s.chosen(n) || s.unread(n) && len(s.places.Chosen) < s.v.Replicas.Count
}

// unread reports whether a pool of a node was not read.
func (s *subject) unread(n lineage.Node) bool {
	return slices.ContainsFunc(s.b.ground.pools[n], func(p *pool) bool { return p.state == poolHidden || p.state == poolPending })
}

// question is that of the builder. Where an engine runs, or did until this pass took it
// down, what nodes have that are waited for no longer does not outvote it.
func (s *subject) question() state.Question {
	q := s.b.question(s.v)
	if s.was != "" || s.Verdict != nil && s.Engine != "" {
		q.Hidden = s.hiding()
	}
	if by := cmp.Or(s.witness, s.vouched); by != "" && s.was == "" {
		q.Authority = by
	}
	return q
}

// question is what the configuration and the operator say beside what was seen.
func (b *builder) question(v *schema.Volume) state.Question {
	hidden, _, _ := b.hidden()
	return state.Question{Cluster: b.cfg.Cluster, Replicas: v.Replicas.Count, Hidden: hidden, Authority: b.opt.Authority[v.Name]}
}

func (s *subject) unblock(hidden int, why string) string {
	var nodes []string
	for _, h := range s.inc.Heads {
		nodes = append(nodes, string(h.Node)+" has "+string(h.Lvol.Name))
	}
	hint := "if you know which replica is current, say so: --authority " + s.v.Name + "=NODE"
	if hidden > 0 && why != "" {
		hint = "make it readable (" + why + "), or " + hint
	}
	if len(nodes) > 0 {
		hint += " (" + strings.Join(slices.Compact(nodes), ", ") + ")"
	}
	return hint
}
