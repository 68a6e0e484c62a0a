package recipe

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// apartTier is what encrypts the legs one by one, below the mirror, while they are not all written
// with one key (rekey.go): a name says which a leg has. The mirror then has what hosts
// write in clear, and every leg has it with its own key, block for block what it would have if
// the cipher stood above the mirror. Else there is none of it.
type apartTier struct{}

func (apartTier) found(inc *state.Incarnation) (all []piece) {
	for _, c := range inc.Beneath {
		all = append(all, cipherPiece{c, inc.Volume})
	}
	return all
}

// raise takes away what no mirror uses; a mirror that is made makes what it needs (assembleApart).
func (apartTier) raise(s *subject, below string) string {
	var ops []plan.Op
	for _, c := range s.b.w.Incarnation(s.id).Beneath {
		if u := s.b.w.Nodes[c.Node].Backing(c.Base); c.Node == s.engine && !s.inRaid(u) && !s.filling(u) {
			ops = append(ops, cipherPiece{c, s.id}.ending())
		}
	}
	s.sec.then(because(s.v.Pos, "no mirror of %s has a leg through it", s.v.Name), plan.RiskCreate, ops...)
	return cmp.Or(below, "legs")
}

// isApart reports whether a mirror is to have its legs apart: they have not all one key, or one of
// them is to be written anew.
func (s *subject) isApart() bool { return s.mixed() || s.Engine == "" && s.rekeysOnStart() }

// mixed reports whether the legs are not all written with one key.
func (s *subject) mixed() bool {
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return s.checkOf(l.Head) != s.checkOf(s.Legs[0].Head) })
}

// checkOf is what the name of a leg is to say of its key: what it says; but for one of a volume
// that was written with no key yet, and for one that cannot be read, what others say.
func (s *subject) checkOf(h *state.Head) lineage.Check {
	if h == nil || h.Name.Check == lineage.Unkeyed {
		return s.check()
	}
	return h.Name.Check
}

// legBdev is the bdev by which a mirror that has its legs apart has one of them.
func (s *subject) legBdev(h *state.Head) string {
	if s.checkOf(h) != "" {
		return s.b.cfg.Cluster.LegCipher(s.id, h.Lvol.UUID)
	}
	return string(h.Lvol.UUID)
}

// assembleApart makes the mirror of legs each with its own key, with room for another.
func (s *subject) assembleApart(raid string) {
	why := because(s.v.At("encryption"), "the replicas of %s are not all written with one key", s.v.Name)
	if !s.mixed() {
		why = because(s.v.At("encryption"), "the replicas of %s are to be written with another key", s.v.Name)
	}
	if s.check() != "" {
		if text, hint := takeover.Keyless(s.b.cfg.Node(s.engine), s.b.w.Nodes[s.engine]); text != "" {
			s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), hint, "it is not served: %s", text)
			return
		}
	}
	op := plan.MirrorApart{At: plan.At{Node: s.engine}, Raid: raid, UUID: s.b.cfg.Cluster.ExportUUID(s.id)}
	for _, l := range s.Legs {
		if l.Head == nil {
			return // a mirror that has it is not made anew
		}
		s.encryptLeg(why, l.Head)
		op.Legs, op.Bases = append(op.Legs, l.UUID), append(op.Bases, s.legBdev(l.Head))
	}
	s.sec.then(why, plan.RiskCreate, op)
	s.Device = raid
}

// encryptLeg makes the cipher by which a mirror has a leg, if it is encrypted.
func (s *subject) encryptLeg(why reason, h *state.Head) {
	name := s.legBdev(h)
	if _, there := s.b.w.Nodes[s.engine].Ciphers[name]; !there && name != string(h.Lvol.UUID) {
		s.sec.then(why, plan.RiskCreate, plan.CipherCreate{At: plan.At{Node: s.engine}, Volume: s.id, Cipher: name, Base: string(h.Lvol.UUID), Check: s.checkOf(h)})
	}
}

// checks are those of all keys that the engine needs, sorted.
func (s *subject) checks() (all []lineage.Check) {
	for _, l := range s.Legs {
		if c := s.checkOf(l.Head); c != "" && c != lineage.Unkeyed && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	slices.Sort(all)
	return all
}

// toBeShown reports whether hosts are to be shown the volume.
func (s *subject) toBeShown() bool { return s.v.Export.Kind != schema.ExportNone }

// decipherLeg takes away the cipher of a leg that is in no mirror any more.
func (s *subject) decipherLeg(why reason, u lineage.UUID) {
	for _, c := range s.b.w.Incarnation(s.id).Beneath {
		if s.b.w.Nodes[c.Node].Backing(c.Base) == u {
			s.sec.then(why, plan.RiskReduce, cipherPiece{c, s.id}.ending())
		}
	}
}
