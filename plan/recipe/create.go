package recipe

import (
	"cmp"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// seen makes sure that a volume is called new only when every place it may be in
// was read.
func (s *subject) seen() result {
	b, v := s.b, s.v
	hidden, pending, why := b.hidden()
	if pending {
		return acted
	}
	if parts := b.partsOf(v.Name); v.Part == nil && len(parts) > 0 {
		b.block("volume "+v.Name, v.Pos, "write layout as it was, or give the new volume another name",
			"it is there laid out over parts (%s), and is configured without layout", strings.Join(parts, ", "))
		return blocked
	}
	if hidden > 0 && b.onlySuspended() {
		b.awaitMaybe(v)
		return blocked
	}
	if hidden > 0 {
		hint := "make them readable; a node that is gone for good is to leave the configuration, and what it had to be retired"
		if !b.mayServeAny() {
			hint = `strata apply attaches their disks, and so does a watch with auto: ["serve"]; if that is not it, ` + hint
		}
		b.block("volume "+v.Name, v.Pos, hint,
			"no replica of it was found, but %s that may have one could not be read (%s), so it is not known to be new", amount.Of(hidden, "node"), why)
		return blocked
	}
	return idle
}

// create makes the heads of a volume that nobody has. New heads are sealed:
// empty lvols are equal, whichever of them a crash leaves behind.
func (s *subject) create() result {
	b, v := s.b, s.v
	var shortage string
	s.places, shortage = b.place(v, nil, 0, "")
	b.decided(s.places)
	if shortage != "" {
		b.block("volume "+v.Name, v.At("replicas"), "", "%s", shortage)
		return blocked
	}
	if b.unheard(s.places.Chosen) {
		return acted
	}
	if s.id = (lineage.Volume{Name: v.Name}); s.whole() != nil {
		s.id = s.whole().newPart(v.Name)
	} else {
		s.id.ID = b.newID(v.Name)
	}
	isNew := because(v.Pos, "volume %s is new%s", v.Name, b.tight(v, s.places.Chosen))
	s.makeHeads(isNew, s.places.Chosen, 1, v.Replicas.Count, lineage.Sealed)
	return acted
}

// unheard reports whether any of these places is in a pool that no other node
// will know of before the next pass.
func (b *builder) unheard(places []plan.Choice) bool {
	return slices.ContainsFunc(places, func(c plan.Choice) bool { return b.pool(c.Node, c.Lvstore).unknown })
}

// newID is an ID that no incarnation of the volume has, nor any of which there are records:
// those would be taken for its own.
func (b *builder) newID(volume string) lineage.ID {
	if len(b.opt.Nonce) == 0 {
		return lineage.Pending
	}
	return lineage.NewID(b.opt.Nonce, volume, func(id lineage.ID) bool {
		for _, have := range b.w.Incarnations(volume) {
			if have.ID == id {
				return true
			}
		}
		return b.backups.knows(lineage.Volume{Name: volume, ID: id})
	})
}

// joining is what an empty head is called that joins others before an engine
// is started: sealed where the authority is, else not to be believed until the
// next epoch is minted.
func (s *subject) joining(epoch lineage.Epoch, legs int, authority lineage.Mark) lineage.Head {
	if authority == lineage.Sealed {
		return lineage.Head{Volume: s.id, Epoch: epoch, Legs: legs, Mark: lineage.Sealed, Layout: s.layout(), Check: s.check()}
	}
	return lineage.Head{Volume: s.id, Epoch: epoch, Mark: lineage.Fenced, Layout: s.layout(), Check: s.check()}
}

// makeHeads creates empty heads at the given epoch.
func (s *subject) makeHeads(why reason, places []plan.Choice, epoch lineage.Epoch, legs int, authority lineage.Mark) {
	name := s.joining(epoch, legs, authority).Lvol()
	size := s.b.size(s.v, places)
	var ops []plan.Op
	for _, c := range places {
		s.sec.after(plan.NodeKey(c.Node))
		p := s.b.pool(c.Node, c.Lvstore)
		s.b.promise(c, size)
		s.sec.after(p.known...)
		ops = append(ops, plan.LvolCreate{At: plan.At{Node: c.Node}, Lvstore: c.Lvstore, Name: name, Size: size})
	}
	s.sec.then(why, plan.RiskCreate, ops...)
}

// size is what the replicas of a volume in these places are to have: the
// configured size in whole clusters of each of them.
func (b *builder) size(v *schema.Volume, places []plan.Choice) int64 {
	cluster := int64(0)
	for _, c := range places {
		if p := b.pool(c.Node, c.Lvstore); p != nil {
			cluster = max(cluster, p.cluster)
		}
	}
	return roundUp(v.Size, cluster)
}

// roundUp gives the size an lvol really gets.
func roundUp(size, cluster int64) int64 {
	if cluster <= 0 {
		return size
	}
	return (size + cluster - 1) / cluster * cluster
}

// makeMissing completes a volume before it is started, and has it started where the
// engine is to be as soon as there is a replica.
func (s *subject) makeMissing() result {
	before, wanted := s.tally(), cmp.Or(s.awaited, s.engine)
	s.complete()
	if s.legOn(wanted) {
		s.engine = wanted
	}
	return s.since(before)
}

// complete completes a volume that no engine serves and nothing was ever written
// to: other empty replicas of it are equal to its authority, and missing ones
// are made.
func (s *subject) complete() {
	if s.was != "" {
		return // what was served until just now may have been written to since it was read
	}
	if s.witness != "" {
		return // the others are told that one takes over before any of them is with it
	}
	if s.v.From != nil {
		s.makeMissingClones()
		return
	}
	if !s.empty() || state.Spread(s.Legs) >= s.v.Replicas.Count || s.hidden > 0 {
		return
	}
	if s.Legs[0].Head.Name.Quorum || slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return h.Name.Pledged }) {
		return // the others have to be found as they are named until the authority has gone on
	}
	size := s.Legs[0].Head.Lvol.Size
	if size < s.v.Size && !s.may(schema.DutyChange) {
		return // new ones have the size that is configured
	}
	joins := s.joining(s.Top, s.Legs[0].Head.Name.Legs, s.Legs[0].Head.Name.Mark)
	var missing []plan.Choice
	var ops []plan.Op
	for _, c := range s.places.Chosen {
		if s.legOn(c.Node) {
			continue
		}
		if h := s.emptyHead(c.Node, size); h != nil {
			if h.Name != joins && (h.Name.Mark != lineage.Fenced || joins.Mark != lineage.Fenced) {
				if s.b.w.Nodes[c.Node].Lvols[h.Lvol.Lvstore+"/"+string(joins.Lvol())] != nil {
					continue // another stale head has that name
				}
				ops = append(ops, plan.LvolRename{At: plan.At{Node: c.Node}, Lvstore: h.Lvol.Lvstore, From: h.Lvol.Name, To: joins.Lvol()})
			}
			s.Legs = append(s.Legs, state.CurrentLeg{Node: c.Node, UUID: h.Lvol.UUID, Head: h})
		} else if !nodesOf(s.inc)[c.Node] {
			missing = append(missing, c)
		}
	}
	equal := because(s.v.At("replicas"), "nothing was written to %s yet, so another empty replica is equal to the others", s.v.Name)
	s.sec.then(equal, plan.RiskCreate, ops...)
	s.reread()
	if len(missing) == 0 {
		return
	}
	s.makeHeads(equal, missing, s.Top, s.Legs[0].Head.Name.Legs, s.Legs[0].Head.Name.Mark)
	s.inc = s.b.w.Incarnation(s.id)
	for _, c := range missing {
		if h := s.emptyHead(c.Node, 0); h != nil {
			s.Legs = append(s.Legs, state.CurrentLeg{Node: c.Node, UUID: h.Lvol.UUID, Head: h})
		}
	}
	s.reread()
}

// legAt reports whether a current replica is in a place, or may be.
func (s *subject) legAt(at lineage.Place) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.In(at) })
}

func (s *subject) legOn(n lineage.Node) bool {
	for _, l := range s.Legs {
		if l.Node == n {
			return true
		}
	}
	return false
}

// emptyHead returns a head on n that nothing was ever written to, or nil; with
// a size, only one of that size.
func (s *subject) emptyHead(n lineage.Node, size int64) *state.Head {
	for i := range s.inc.Heads {
		h := &s.inc.Heads[i]
		if h.Node == n && h.Lvol.Empty() && !s.isLeg(h.Lvol.UUID) && (size == 0 || h.Lvol.Size == size) {
			return h
		}
	}
	return nil
}
