package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// repair has a replica made anew, from the oldest layer on that is damaged there, by one that
// is well. What is younger goes with it: a target copies what hosts write around from the layer
// below. Ladder:
//
//	noted     the name that says when layers were compared says which one is damaged: a scrub
//	          has found it, or a person says so; a clone on such a layer is damaged with it
//	elsewhere the engine, if it is the one with that replica (engine.go)
//	let go    the next epoch is minted without it, and its head fenced: it is none any more
//	dropped   in the rebuild, as what is not like the volume's (stray.go): the damaged layer,
//	          and all that are as old or younger; then the name says that this was done
//	anew      they are copied as any that a replica lacks (rebuild.go)
//	well      it is current, it stands on a layer that is as young, the head that was there is
//	          gone, and the name says nothing more
//
// A crash leaves the finding, or what says that a rebuild is under way. The old head
// stays until there are as many replicas as configured, as any that is stale. Should a person have to
// name it as the authority, it says again that it is damaged.
func (s *subject) repair() result {
	if s.b.opt.Scrub[s.v.Name] > 0 {
		return idle // who has layers compared has nothing changed
	}
	before := s.tally()
	for _, leg := range slices.Clone(s.Legs) {
		if leg.Head != nil && s.judgeCopy(leg) == acted {
			return acted
		}
	}
	for _, leg := range s.Legs {
		if leg.Head == nil || s.hurt(leg.Place()) == 0 || s.minted || !s.wanted(leg) {
			continue // one that is wanted elsewhere goes there
		}
		why, hint := s.irreparable(leg)
		if own := s.own(); why == "" && own != nil && own.UUID == leg.UUID {
			why = "its engine is there, and has to move first"
		}
		if why != "" {
			s.b.block("volume "+s.v.Name, s.v.At("replicas"), hint, "%s, and stays as it is: %s", s.harm(leg.Place()), why)
			continue
		}
		src, _ := s.source(placeOf(leg))
		s.b.countCopy(src.Node, leg.Node)
		s.letLegsGo([]state.CurrentLeg{leg}, because(s.v.At("replicas"), "%s: it is copied there again from %s", s.harm(leg.Place()), src.Node), func(reason, state.CurrentLeg, []state.CurrentLeg) {})
		s.fence(s.Top, s.Legs)
		s.reread()
		s.copiesOver(placeOf(leg), src)
		return acted
	}
	return s.since(before)
}

// copiesOver keeps the link over which a rebuild is about to copy.
func (s *subject) copiesOver(d plan.Choice, src state.CurrentLeg) {
	if in := s.b.cfg.Link(d.Node, src.Node); in.From != in.To && s.b.connected(in) == "" {
		s.b.links.need(in)
	}
}

// hurt is the epoch from which on what the volume has in a place is damaged; 0 for none.
func (s *subject) hurt(at lineage.Place) lineage.Epoch { return s.inc.ScrubbedAt(at).Hurt() }

// otherWell reports whether a replica in another place was read and is not damaged.
func (s *subject) otherWell(at lineage.Place) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil && !l.In(at) && s.hurt(l.Place()) == 0 })
}

// harm says what is damaged in a place.
func (s *subject) harm(at lineage.Place) string {
	return fmt.Sprintf("the copy of %s on %s is damaged", s.inc.Damaged(at), at.Node)
}

// placeOf is where a leg is, as a destination.
func placeOf(l state.CurrentLeg) plan.Choice {
	return plan.Choice{Node: l.Node, Lvstore: l.Place().Lvstore}
}

// judgeCopy has the name beside a current replica say whether it is damaged, where it does not.
func (s *subject) judgeCopy(leg state.CurrentLeg) result {
	at := leg.Place()
	is := s.inc.ScrubbedAt(at)
	said := is
	var why reason
	switch {
	case is.Anew && !s.standsSince(leg, is.Damaged):
		said.Anew = false
		why = because(s.v.At("replicas"), "this replica is the one that was damaged, and not its copy")
	case is.Anew && !slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return h.Place() == at && h.Lvol.UUID != leg.UUID }):
		said = lineage.Scrubbed{Volume: s.id} // nobody has read the copies
		why = because(s.v.At("replicas"), "what was damaged on %s has been copied again", leg.Node)
	case is.Damaged != 0:
		return idle
	default:
		if said.Damaged, why = s.condemned(leg); said.Damaged == 0 {
			return idle
		}
		said.Differs = false
	}
	s.notes(why, at, said)
	return acted
}

// notes has the name beside a replica say something else of its layers.
func (s *subject) notes(why reason, at lineage.Place, said lineage.Scrubbed) {
	s.sec.then(why, plan.RiskCreate, s.unnotedAt(at)...)
	s.reread()
	from := s.inc.ScrubbedAt(at)
	s.sec.then(why, plan.RiskCreate, plan.LvolRename{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, From: from.Lvol(), To: said.Lvol()})
	s.reread()
}

// standsSince reports whether a leg stands on a layer of the volume of that epoch, or of a younger one.
func (s *subject) standsSince(leg state.CurrentLeg, epoch lineage.Epoch) bool {
	return slices.ContainsFunc(s.b.w.Nodes[leg.Node].Below(leg.Head.Lvol), func(below *state.Lvol) bool {
		of, is := below.Parsed.(lineage.Layer)
		return is && of.Volume == s.id && of.Epoch >= epoch
	})
}

// madeAnew reports whether a replica is current that was damaged, and its name does not say yet
// that it is another: that is told by the layers on which it stands.
func (s *subject) madeAnew() bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil && s.inc.ScrubbedAt(l.Place()).Anew })
}

// condemned is the epoch from which on a copy is taken to be damaged of which nothing says so
// yet: a person says so of one that differs, or it stands on a damaged layer of another volume.
func (s *subject) condemned(leg state.CurrentLeg) (from lineage.Epoch, why reason) {
	if base := s.base(leg); base != nil {
		of, is := base.Parsed.(lineage.Layer)
		if is && s.b.hurtBase(leg.Place(), of) {
			return 1, because(s.v.At("from"), "%s stands on %s there, which is damaged", s.v.Name, base.Name)
		}
	}
	if !s.inc.ScrubbedAt(leg.Place()).Differs || !s.otherWell(leg.Place()) {
		return 0, why
	}
	for _, l := range s.layersOf() {
		grant := plan.CopyGrant(s.v.Name, l.Snapshot, leg.Node)
		if !l.Own && s.b.opt.AllowDestroy[grant] && s.find(s.layersOf(), l.Snapshot).name == l.name {
			return l.Epoch, because(schema.Pos{}, "%s says that the copy of %s on %s is not the one to keep", grant.Flag(), l.name, leg.Node)
		}
	}
	return 0, why
}

// hurtBase reports whether a layer is damaged in a place.
func (b *builder) hurtBase(at lineage.Place, l lineage.Layer) bool {
	from := b.w.Incarnation(l.Volume).ScrubbedAt(at).Hurt()
	return from != 0 && l.Epoch >= from
}

// irreparable says why a replica that is damaged is not let go, and what would help; "" when
// it is.
func (s *subject) irreparable(leg state.CurrentLeg) (why, hint string) {
	at, from := leg.Place(), s.hurt(leg.Place())
	d := placeOf(leg)
	switch {
	case !s.otherWell(at):
		return s.noneWell(), s.elsewise()
	case !s.may(schema.DutyMove):
		return "to let it go until it is copied again is left to a person", byMoving
	}
	if i := slices.IndexFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head == nil }); i >= 0 {
		return "none goes while the one " + s.b.away(s.Legs[i].Node), ""
	}
	if have := state.Spread(s.Legs); have < s.v.Replicas.Count {
		return fmt.Sprintf("%d of %s are current, and the others come first", have, amount.Of(s.v.Replicas.Count, "replica")), ""
	}
	if why, hint = s.ownStays(leg); why != "" {
		return why, hint
	}
	if why, hint = s.heldLayers(leg, from); why != "" {
		return why, hint
	}
	src, why := s.source(d)
	if why != "" {
		return why, ""
	}
	again := s.missing(d, src, from)
	why = cmp.Or(s.cutOffLeg(), s.baseless(d, src), s.uneven(), s.full(src.Node, d.Node), s.mending(d), s.room(d, src, again))
	if why == "" {
		why, hint = s.misfit(d, src, again)
	}
	switch {
	case why != "":
	case s.halfJoined():
		why = "another is just joining"
	case s.leftovers():
		why = "an interrupted cut has left a layer"
	case s.readFrom(leg):
		why = "one that is being rebuilt reads through it"
	}
	return why, hint
}

// noneWell says that there is no replica that the damaged one could be copied from.
func (s *subject) noneWell() string {
	if len(s.Legs) == 1 {
		return "it has no other replica to copy it from"
	}
	var harms []string
	for _, l := range s.Legs {
		if l.Head != nil && s.hurt(l.Place()) != 0 {
			harms = append(harms, fmt.Sprintf("%s has %s", l.Node, s.inc.Damaged(l.Place())))
		}
	}
	return "no other replica that was read is without damage (" + strings.Join(harms, ", ") + ")"
}

// elsewise is what a person can do who has no replica to copy from.
func (s *subject) elsewise() string {
	if s.v.Backup != nil {
		return fmt.Sprintf("restore a record of archive %s into a volume of another name (from: archive), and compare: strata backup list %s has them", s.v.Backup.To, s.v.Backup.To)
	}
	return "have hosts check what they have in it, and copy what is whole to another volume"
}

// ownStays says why the engine cannot leave the node of a leg that is to be let go; "" where
// it need not, or can.
func (s *subject) ownStays(leg state.CurrentLeg) (why, hint string) {
	switch own := s.own(); {
	case s.kernelOnly() || s.kernelExport():
		return "a kernel device shows the volume, and its I/O cannot be held when the copy joins", "export it by nvmf until it is repaired"
	case own == nil || own.UUID != leg.UUID:
		return "", ""
	case s.v.Engine == s.engine:
		return "the engine is there, for engine names it", "name another node as its engine, or none, until it is repaired"
	case s.v.Part != nil:
		return "the engine is there, and that of a volume in parts is not moved for one of them", fmt.Sprintf("name another node as engine of %s until it is repaired", s.v.Part.Whole)
	}
	return "", ""
}

// own is the leg on the engine's node; nil for none, and where one of two there goes.
func (s *subject) own() *state.CurrentLeg {
	for i, l := range s.Legs {
		if l.Node == s.engine && l.Head != nil && !s.movesOn(l) {
			return &s.Legs[i]
		}
	}
	return nil
}

// ails reports whether the engine's own replica is damaged, and is let go once the engine is
// elsewhere.
func (s *subject) ails() bool {
	own := s.own()
	if own == nil || s.hurt(own.Place()) == 0 || !s.wanted(*own) {
		return false
	}
	why, _ := s.irreparable(*own)
	return why == ""
}

// heldLayers says what keeps layers in a place from being deleted, from an epoch on, and what
// would help.
func (s *subject) heldLayers(leg state.CurrentLeg, from lineage.Epoch) (why, hint string) {
	if why := s.b.sending(leg.Node, s.id); why != "" {
		return why, ""
	}
	if base := s.base(leg); base != nil {
		if of, is := base.Parsed.(lineage.Layer); is && s.b.hurtBase(leg.Place(), of) {
			return fmt.Sprintf("it stands on %s, which is damaged there", base.Name), fmt.Sprintf("set detach: true on %s: then both are repaired", s.v.Name)
		}
	}
	on := s.inc.Layers(leg.Node, leg.Place().Lvstore)
	for _, st := range s.those(placeOf(leg), func(l *state.Lvol) string {
		if l.Parsed.(lineage.Layer).Epoch < from {
			return ""
		}
		return cmp.Or(s.stoodOn(leg.Node, l), s.read(leg.Node, l))
	}) {
		return fmt.Sprintf("%s there has to go, and %s", st.name, st.why), s.freeing(leg.Node, on[st.name])
	}
	return "", ""
}

// mending says that as many replicas are being repaired in a place as may be copied there at a
// time; "" when not.
func (s *subject) mending(d plan.Choice) string {
	at, n := s.b.w.Nodes[d.Node], 0
	fenced := map[lineage.Volume]bool{}
	for _, l := range at.Lvols {
		if h, is := l.Parsed.(lineage.Head); is && h.Mark == lineage.Fenced {
			fenced[h.Volume] = true
		}
	}
	for _, l := range at.Lvols {
		if is, ok := l.Parsed.(lineage.Scrubbed); ok && is.Volume != s.id && (is.Anew || is.Damaged != 0 && fenced[is.Volume]) {
			n++
		}
	}
	if limit := s.b.cfg.Node(d.Node).Rebuild.Parallel; limit > 0 && n >= limit {
		return fmt.Sprintf("%s repairs %s already", d.Node, amount.Of(n, "replica"))
	}
	return ""
}

// dropped has the name in the destination of a rebuild say that nothing is left there of what
// was damaged, before anything is copied.
func (s *subject) dropped(d plan.Choice, src state.CurrentLeg) result {
	is := s.inc.ScrubbedAt(d.Place())
	from := is.Hurt()
	if from == 0 || s.hurt(src.Place()) != 0 || len(s.those(d, func(l *state.Lvol) string { return since(l, from) })) > 0 {
		return idle
	}
	is.Anew = true
	s.notes(because(s.v.At("replicas"), "what was damaged on %s is gone, and is copied again", d.Node), d.Place(), is)
	return acted
}

// since is not empty for a layer of that epoch or a younger one.
func since(l *state.Lvol, epoch lineage.Epoch) string {
	if l.Parsed.(lineage.Layer).Epoch < epoch {
		return ""
	}
	return string(l.Name)
}

// inherits has the name in the destination of a rebuild say what that of the source says,
// where nothing better is left to copy from than what is damaged.
func (s *subject) inherits(d plan.Choice, src state.CurrentLeg) {
	from, is := s.hurt(src.Place()), s.inc.ScrubbedAt(d.Place())
	if from == 0 || is.Hurt() != 0 && is.Hurt() <= from {
		return
	}
	if is.Anew {
		from = min(from, is.Damaged) // the head that was there
	}
	is.Damaged, is.Anew = from, false
	s.notes(because(s.v.At("replicas"), "%s, and there is no other to copy from", s.harm(src.Place())), d.Place(), is)
}
