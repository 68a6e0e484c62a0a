package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// rekey has the replicas of a volume written anew with another key, or with none, or with one
// for the first time, one after the other, while hosts go on. The volume has all its replicas
// all the while, and one more while one is written. Ladder:
//
//	new       a fenced head beside a replica, whose name has the check of the new key: that
//	          was read, and is another
//	apart     (apart.go) under one hold the mirror is made again with the legs each through
//	          a cipher of its own, and with room for one more; where it is not yet
//	filled    the target writes all of the volume to the new head, too, and from its beginning
//	          on whatever hosts write: when that is over it is a leg as any other
//	named     (names.go) the next epoch, with one leg more, says so
//	dropped   the replica beside it goes, fenced, as one that is too many
//	together  when none is left with the former key: under one hold the mirror is made again
//	          as it was, and the cipher stands above it
//
// Names say of every leg, also after a restart of everything, whether it is current and with
// which key it was written. A crash while one is filled leaves a fenced head, which is filled from
// its beginning. Blocks are equal above and below the mirror, so the last rung writes nothing.
func (s *subject) rekey() result {
	if s.Engine == "" || s.v.Part != nil || s.minted {
		return idle
	}
	before := s.tally()
	if s.apartNoMore() {
		s.restart("the replicas of %s are all written with one key again")
		return s.since(before)
	}
	old := s.outdated()
	if s.sec.steps() > 0 {
		return idle
	}
	if len(old) == 0 {
		s.noteMixed()
		return idle
	}
	if why, hint := s.keepsKey(); why != "" {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), hint, "its key stays as it is: %s", why)
		return blocked
	}
	s.rekeyRung(old)
	return s.since(before)
}

// noteMixed says of replicas that are not all written with one key that nothing says which of them
// are to be written anew.
func (s *subject) noteMixed() {
	if s.mixed() {
		var checks []string
		for _, c := range s.checks() {
			checks = append(checks, string(c))
		}
		s.b.block("volume "+s.v.Name, s.v.At("encryption"), "write former with the check and the key that it is to have no more",
			"its replicas stay as they are: they are written with keys of checks %s, and former names none of them", strings.Join(checks, " and "))
	}
}

func (s *subject) rekeyRung(old []state.CurrentLeg) {
	for _, l := range old {
		if s.replaced(l) {
			s.letLegsGo([]state.CurrentLeg{l}, because(s.v.At("encryption"), "%s is written with the former key, and another with %s is current beside it", l.Head.Lvol.Name, s.newKey()), s.dropLeg)
			return
		}
	}
	l := old[len(old)-1]
	for _, o := range old { // the one that was begun
		if s.successor(o.Place()) != nil {
			l = o
		}
	}
	h := s.successor(l.Place())
	if h == nil {
		s.makeSuccessor(l)
		return
	}
	if l.Node != s.engine {
		why := because(s.v.At("encryption"), "%s is to be written with another key", l.Head.Lvol.Name)
		if in := s.b.bring(s.sec, why, s.b.cfg.Link(l.Node, s.engine), h.Lvol.UUID, s.key(l.Node)+" "+string(h.Lvol.Name)); in != "" {
			s.b.block("volume "+s.v.Name, s.v.At("encryption"), "", "what is to have the new key on %s cannot be brought to the engine: %s", l.Node, in)
			return
		}
	}
	if !s.takesLeg(h.Lvol.UUID) {
		s.restart("the replicas of %s are to be written with another key")
		return
	}
	s.fillSuccessor(l, h)
}

// outdated are the legs that are written with the former key.
func (s *subject) outdated() (legs []state.CurrentLeg) {
	e := s.v.Encryption
	if e == nil || e.Former == nil {
		return nil
	}
	for _, l := range s.Legs {
		if l.Head != nil && l.Head.Name.Check == e.Former.Check {
			legs = append(legs, l)
		}
	}
	return legs
}

// rekeysOnStart reports whether a volume that is started is to have its legs apart, so that it need
// not be taken down for that at once.
func (s *subject) rekeysOnStart() bool {
	why, _ := s.keepsKey()
	return why == "" && len(s.outdated()) > 0 && s.tries(rekeying.duty) && s.toBeShown() && s.v.Part == nil && !s.forces() && s.witness == "" &&
		!slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head.Name.Check == lineage.Unkeyed })
}

// keepsKey says why the replicas are not written anew, and what to do; "" when they may be. Once
// they have not all one key only what makes it impossible counts.
func (s *subject) keepsKey() (why, hint string) {
	for _, l := range s.Legs {
		if l.Head == nil {
			return fmt.Sprintf("the replica on %s %s", l.Node, s.b.away(l.Node)), ""
		}
	}
	if s.mixed() {
		return "", ""
	}
	keeps := "snapshots keep what was written with the former key, and replicas are made of both"
	switch {
	case s.kernelOnly() || s.kernelExport():
		return "a kernel device shows the volume, and its I/O cannot be held", "export it over nvmf"
	case !s.toBeShown():
		return "nobody is shown the volume, and no engine writes to it", "give it an export"
	case s.v.Backup != nil:
		return "it is backed up, and records are built on those before, which have the former key", "take backup out meanwhile; records that there are keep the key that they have"
	case len(s.v.Snapshots) > 0 || s.v.Every > 0 || s.v.ResyncSec > 0 || s.v.Head != "":
		return keeps, "take snapshots, every, keep and resync out, and have its snapshots removed (--allow-destroy), or copy into a new volume"
	case s.v.From != nil && s.hasLayers():
		return "it is a clone, and stands on what its source has written with the same key", "set detach: true, or copy into a new volume"
	case s.hasLayers():
		return keeps, "have its snapshots removed (--allow-destroy), or copy into a new volume"
	case state.Spread(s.Legs) != s.v.Replicas.Count || len(s.Legs) != s.v.Replicas.Count || s.lacks():
		return "not all its replicas are current where they are to be", ""
	}
	for _, l := range s.Legs {
		if why := s.narrow(l); why != "" {
			return why, "make room there; a replica is written whole, whatever hosts have used of it"
		}
	}
	return "", ""
}

// hasLayers reports whether anything below the heads, or beside them, was written with the former key.
func (s *subject) hasLayers() bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Head.Lvol.Parent != "" || l.Head.Lvol.External != "" || len(s.inc.Layers(l.Node, l.Head.Lvol.Lvstore)) > 0
	})
}

// narrow says that a whole replica more does not fit beside a leg; "" when it does.
func (s *subject) narrow(l state.CurrentLeg) string {
	lvs := s.b.w.Nodes[l.Node].Lvstores[l.Head.Lvol.Lvstore]
	if lvs == nil || lvs.TotalClusters == 0 {
		return ""
	}
	free := lvs.TotalClusters*lvs.ClusterSize - s.b.w.Space(l.Node, lvs.Name).Used
	if h := s.successor(l.Place()); h != nil {
		free += h.Lvol.Allocated * lvs.ClusterSize
	}
	if size := l.Head.Lvol.Size; size > free {
		return fmt.Sprintf("pool %s on %s has %s free, and %s are to be written beside what is there", s.b.poolAt(l.Place()), l.Node, amount.Bytes(free), amount.Bytes(size))
	}
	return ""
}

// replaced reports whether a leg with the new key is beside a leg with the former.
func (s *subject) replaced(old state.CurrentLeg) bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.UUID != old.UUID && l.Head != nil && l.Place() == old.Place() && l.Head.Name.Check != old.Head.Name.Check
	})
}

// successor is the head beside a leg with the former key that is to be written with the new one;
// nil where there is none.
func (s *subject) successor(at lineage.Place) *state.Head {
	e := s.v.Encryption
	if e == nil || e.Former == nil {
		return nil
	}
	size := int64(0)
	for _, l := range s.outdated() {
		if l.Place() == at {
			size = l.Head.Lvol.Size
		}
	}
	for i := range s.inc.Heads {
		h := &s.inc.Heads[i]
		is := h.Place() == at && h.Name.Mark == lineage.Fenced && h.Name.Check != e.Former.Check && (h.Name.Check == "") == e.None && h.Name.Check != lineage.Unkeyed
		if is && !s.isLeg(h.Lvol.UUID) && h.Lvol.Size == size && h.Lvol.Parent == "" && h.Lvol.External == "" && len(h.Lvol.Children) == 0 && !h.Lvol.Degraded {
			return h
		}
	}
	return nil
}

// filling reports whether an lvol is a head that is being written with another key, or is to be.
func (s *subject) filling(u lineage.UUID) bool {
	h := s.inc.Find(u)
	if h == nil || s.v.Encryption == nil || s.v.Encryption.Former == nil {
		return false
	}
	if why, _ := s.keepsKey(); why != "" {
		return false
	}
	next := s.successor(h.Place())
	return next != nil && next.Lvol.UUID == u
}

// keepSuccessors keeps what is written with another key shown to the engine.
func (s *subject) keepSuccessors() {
	for _, h := range s.inc.Heads {
		if h.Node != s.engine && s.filling(h.Lvol.UUID) {
			s.keep[h.Lvol.UUID] = s.engine
		}
	}
}

// makeSuccessor makes the head that a leg is written anew to.
func (s *subject) makeSuccessor(l state.CurrentLeg) {
	why := because(s.v.At("encryption"), "%s is to be written with another key", l.Head.Lvol.Name)
	at, size := plan.At{Node: l.Node}, l.Head.Lvol.Size
	s.b.promise(plan.Choice{Node: l.Node, Lvstore: l.Head.Lvol.Lvstore}, size)
	name := lineage.Head{Volume: s.id, Epoch: s.Top, Mark: lineage.Fenced}
	name.Check = s.nextCheck()
	if name.Check == lineage.PendingCheck {
		s.sec.then(why, plan.RiskCreate, plan.KeyedCreate{At: at, Lvstore: l.Head.Lvol.Lvstore, Name: name.Lvol(), Size: size})
	} else {
		if name.Check != "" {
			s.sec.then(why, plan.RiskCreate, plan.KeyExpect{At: at, Volume: s.id, Check: name.Check})
		}
		s.sec.then(why, plan.RiskCreate, plan.LvolCreate{At: at, Lvstore: l.Head.Lvol.Lvstore, Name: name.Lvol(), Size: size})
	}
	s.reread()
}

// filled reports whether a leg is to be named current that was written with another key.
func (s *subject) filled() bool {
	return s.Engine != "" && s.mixed() && slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Head != nil && l.Head.Name.Mark == lineage.Fenced })
}

// fills reports whether a mirror of the volume is writing all to a leg: it grows when that is over.
func (s *subject) fills() bool {
	return slices.ContainsFunc(s.inc.Raids, func(m state.Mirror) bool { return m.Raid.Rebuilding != "" })
}

// nextCheck is what the name of a replica is to say that is written anew: what others say that were,
// so that a key which is changed meanwhile is told; where none was, it has to be read.
func (s *subject) nextCheck() lineage.Check {
	if s.v.Encryption.None {
		return ""
	}
	for _, check := range s.checks() {
		if check != s.v.Encryption.Former.Check {
			return check
		}
	}
	return lineage.PendingCheck
}

// takesLeg reports whether the mirror in use can be given the leg: it has its legs apart, and room,
// or has that one already.
func (s *subject) takesLeg(u lineage.UUID) bool {
	r := s.b.w.Nodes[s.engine].Raids[s.Device]
	if r == nil || !s.mirrors() || r.State != "online" {
		return false
	}
	room := r.Has(u)
	for _, l := range r.Legs {
		room = room || !l.Configured
		if h := s.inc.Find(l.UUID); l.Configured && h != nil && s.legBdev(h) != l.Base && s.checkOf(h) != "" {
			return false // a cipher stands above
		}
	}
	return room
}

// fillSuccessor has the mirror take the head as a leg, and write all to it.
func (s *subject) fillSuccessor(l state.CurrentLeg, h *state.Head) {
	why := because(s.v.At("encryption"), "%s is to be written with %s", s.v.Name, s.newKey())
	s.encryptLeg(why, h)
	s.sec.then(why, plan.RiskCopy, plan.LegFill{At: plan.At{Node: s.engine}, Raid: s.Device, Leg: h.Lvol.UUID, Base: s.legBdev(h), Owner: l.Node, Bytes: h.Lvol.Size})
}

func (s *subject) newKey() string {
	if s.v.Encryption.None {
		return "no key"
	}
	return "the new key"
}

// apartNoMore reports whether the mirror has its legs apart although all have one key and none is to
// be written anew, or may be.
func (s *subject) apartNoMore() bool {
	at := s.b.w.Nodes[s.engine]
	if !s.mirrors() || !at.Beneath(at.Raids[s.Device]) || s.mixed() || s.halfJoined() || s.sec.steps() > 0 {
		return false
	}
	kept, _ := s.keepsKey()
	return len(s.outdated()) == 0 || kept != ""
}

// restart takes the volume down and starts it again, with the mirror that its legs now need. It has
// to be one that hosts can be held for.
func (s *subject) restart(why string) {
	if s.kernelOnly() || s.kernelExport() {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), "export it over nvmf", "its mirror stays as it is: a kernel device shows the volume, and its I/O cannot be held")
		return
	}
	if s.prepare(s.engine, "encryption") == blocked {
		return
	}
	if s.takeDown(nil, because(s.v.At("encryption"), why, s.v.Name)) {
		s.start()
	}
}
