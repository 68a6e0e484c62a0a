package recipe

import (
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// cipherTier is what encrypts a volume. It stands above the mirror, so that legs have what
// is encrypted, and so do layers, rebuilds, links and archives. A volume that is not
// encrypted has none. Whether it is, and with which key, the names of its heads say: a key
// that does not fit them is refused before hosts are shown anything.
//
// A new volume has Unkeyed in its names. Its first start comes in two passes:
//
//	checked   the key is read, and its check noted on the engine (KeyCheck). Nothing is
//	          written yet: the note is lost with the target, and made again
//	named     names mints the next epoch with that check; then the cipher is made, and
//	          hosts are let in
//
// From then on the check in the names is what the key has to have.
type cipherTier struct{}

func (cipherTier) found(inc *state.Incarnation) (all []piece) {
	for _, c := range inc.Ciphers {
		all = append(all, cipherPiece{c, inc.Volume})
	}
	return all
}

// raise encrypts what is written to a bdev. Nothing is given to the tier above until the
// heads say with which key.
func (cipherTier) raise(s *subject, below string) string {
	check := s.check()
	if check == "" || s.v.Part != nil {
		return below
	}
	s.inc = s.b.w.Incarnation(s.id)
	s.forgetKeys()
	if at := s.b.w.Nodes[s.engine]; s.mixed() || at.Beneath(at.Raids[below]) {
		return below // every leg has its own
	}
	why := because(s.v.At("encryption"), "%s is encrypted", s.v.Name)
	if s.v.Export.Kind == schema.ExportNone {
		return s.unshown(below)
	}
	if text, hint := takeover.Keyless(s.b.cfg.Node(s.engine), s.b.w.Nodes[s.engine]); text != "" {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), hint, "it is not shown to hosts: %s", text)
		return ""
	}
	if check == lineage.Unkeyed {
		if op, ok := s.firstKey(); ok {
			s.sec.then(because(s.v.At("encryption"), "%s was never written to with any key", s.v.Name), plan.RiskCreate, op)
		}
		return ""
	}
	for _, l := range s.Legs {
		if h := s.inc.Find(l.UUID); h != nil && h.Name.Check != check {
			return "" // they are to say it first
		}
	}
	cipher := s.b.cfg.Cluster.Cipher(s.id, s.b.w.Nodes[s.engine].Raids[below] != nil)
	for _, c := range s.inc.Ciphers {
		switch at := s.b.w.Nodes[c.Node]; {
		case c.Node != s.engine: // goes with what is below
		case c.Name == cipher && same(at, c.Base, below):
			return cipher
		default:
			s.goDown(because(s.v.At("encryption"), "%s encrypts something else than %s now has", c.Name, s.v.Name), atParts)
		}
	}
	s.sec.then(why, plan.RiskCreate, plan.CipherCreate{At: plan.At{Node: s.engine}, Volume: s.id, Cipher: cipher, Base: below, Check: check})
	s.inc = s.b.w.Incarnation(s.id)
	return cipher
}

// unshown is the stack of a volume that hosts are not shown: it needs no cipher, and none stays
// once nothing shows it.
func (s *subject) unshown(below string) string {
	if slices.ContainsFunc(s.inc.Exports, func(e state.Exported) bool { return e.Device != "" }) {
		return below // its export goes first
	}
	for _, p := range (cipherTier{}).found(s.inc) {
		if s.mirrors() || s.inc.Running() {
			s.sec.then(because(s.v.At("export"), "%s is not shown to hosts", s.v.Name), plan.RiskReduce, p.ending())
		}
	}
	return below
}

// check is what the heads are to say of the key; "" for a volume that is not encrypted.
func (s *subject) check() lineage.Check {
	if s.inc == nil || len(s.inc.Heads) == 0 {
		if s.v != nil && s.v.Encrypted() {
			return lineage.Unkeyed
		}
		return ""
	}
	found, noted := s.foundCheck(), lineage.Check("")
	for _, k := range s.inc.Keyed {
		if k.Node == s.engine {
			noted = k.Check
		}
	}
	if found == lineage.Unkeyed && noted != "" {
		return noted
	}
	return found
}

// foundCheck is what the legs say, or one of them where they differ: of what is being written anew
// beside them it is another. Legs of which none has a key yet may have it by other heads.
func (s *subject) foundCheck() (found lineage.Check) {
	legs := false
	for _, l := range s.Legs {
		if l.Head == nil {
			continue
		}
		legs = true
		if c := l.Head.Name.Check; found == "" || found == lineage.Unkeyed && c != "" {
			found = c
		}
	}
	if !legs || found == lineage.Unkeyed {
		return s.inc.Check()
	}
	return found
}

// firstKey has the key looked at with which a volume is written for the first time. What it
// stands on, layers of its source and what was restored, was written with another's, so it
// has to be the same.
func (s *subject) firstKey() (op plan.KeyCheck, ok bool) {
	op = plan.KeyCheck{At: plan.At{Node: s.engine}, Volume: s.id}
	if s.v.Restore != nil {
		return op, s.recordedKey(&op, s.v)
	}
	refuse := func(hint, format string, args ...any) (plan.KeyCheck, bool) {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), hint, "it is not shown to hosts: "+format, args...)
		return op, false
	}
	for _, l := range s.stack() {
		if l.Parsed == nil {
			continue
		}
		of := l.Parsed.Of()
		source := s.b.w.Incarnation(of)
		if on := s.cloned(); of == s.id && l.Allocated > 0 && on != nil { // it was detached from that
			source, of = on, on.Volume
		}
		from := s.b.cfg.Volume(of.Name)
		switch check := source.Check(); {
		case of == s.id && l.Allocated == 0: // nothing was written to it
		case of == s.id:
			return refuse("write from again, and its key is compared", "something was written to %s before any key of it was known, as when a record is restored, and its key has to be that", l.Name)
		case len(source.Heads) == 0:
			return refuse("", "no head of %s, from which it is cloned, can be read, and its key has to be that", source.Volume)
		case check == "":
			return refuse("take encryption out, or make a new volume and copy what is in it", "%s, from which it is cloned, is not encrypted", source.Volume)
		case check != lineage.Unkeyed:
			op.Source, op.Cluster, op.Expect = source.Volume, s.b.cfg.Cluster, check
			return op, true
		case l.Allocated == 0: // nothing was written to that either
		case from != nil && from.Restore != nil:
			return op, s.recordedKey(&op, from)
		default:
			return refuse("have "+of.Name+" shown to hosts first", "nothing says yet which key %s has, from which it is cloned, and its key has to be that", source.Volume)
		}
	}
	return op, true
}

// cloned is the volume of which it is a clone, by the configuration; nil for none.
func (s *subject) cloned() *state.Incarnation {
	if s.v.From == nil || s.b.subjects[s.v.From.Volume] == nil {
		return nil
	}
	return s.b.w.Incarnation(s.b.subjects[s.v.From.Volume].id)
}

// stack is a head of the volume, and what that stands on, youngest first.
func (s *subject) stack() []*state.Lvol {
	for _, l := range s.Legs {
		if l.Head != nil {
			return append([]*state.Lvol{l.Head.Lvol}, s.b.w.Nodes[l.Node].Below(l.Head.Lvol)...)
		}
	}
	return nil
}

// recordedKey has the key be that of the record of which a volume was made. It returns false,
// and has said why, when nothing says which that is.
func (s *subject) recordedKey(op *plan.KeyCheck, made *schema.Volume) bool {
	from := made.Restore
	rec := s.b.restored(from, s.b.backups.found[from.Archive])
	if rec == nil || rec.Check == "" {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), "", "it is not shown to hosts: the record of %s in archive %s, of which %s was made, cannot be found, and its key has to be that", from, from.Archive, made.Name)
		return false
	}
	if rec.Check != lineage.Unkeyed {
		op.Source, op.Cluster, op.Expect = rec.Of().Volume, rec.Cluster, rec.Check
	}
	return true
}

// expectKey makes sure that the keys are there by which hosts are to be let in again, before
// they have to wait.
func (s *subject) expectKey(why reason, inc *state.Incarnation, to height) {
	served := inc.Ciphers
	if to >= atMirror { // else they were looked at on the way
		served = slices.Concat(served, inc.Beneath)
	}
	if len(served) == 0 || !s.toBeShown() {
		return
	}
	for _, check := range s.checks() {
		s.sec.then(why, plan.RiskCreate, plan.KeyExpect{At: plan.At{Node: served[0].Node}, Volume: s.id, Check: check})
	}
}

// forgetKeys has the key destroyed on nodes that the volume has left.
func (s *subject) forgetKeys() {
	s.b.forgetKeys(s.sec, because(s.v.At("encryption"), "%s is not encrypted here", s.v.Name), s.inc, s.engine)
}

// forgetKeys has the key of an incarnation destroyed on all nodes but one, where nothing uses
// it.
func (b *builder) forgetKeys(sec *section, why reason, inc *state.Incarnation, but lineage.Node) {
	var ops []plan.Op
	for _, k := range inc.Keyed {
		used := slices.ContainsFunc(slices.Concat(inc.Ciphers, inc.Beneath), func(c state.Ciphered) bool { return c.Node == k.Node })
		if !used && k.Node != but {
			ops = append(ops, plan.KeyForget{At: plan.At{Node: k.Node}, Volume: inc.Volume})
		}
	}
	sec.then(why, plan.RiskCreate, ops...)
}

// ciphered leaves a volume as it is that is encrypted and not to be, or the other way round,
// unless it is on its way from one to the other.
func (s *subject) ciphered() result {
	e := s.v.Encryption
	for _, l := range s.Legs {
		if l.Head == nil || s.v.Part != nil {
			continue
		}
		has := l.Head.Name.Check
		switch {
		case e != nil && e.Former != nil && e.Former.Check == has, (has != "") == s.v.Encrypted():
			continue
		case e == nil:
			s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "write encryption with its key; to have it encrypted no more, write key: \"none\", and its key as former",
				"it is left as it is: it is encrypted, and the configuration says nothing of a key")
		case e.None:
			s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), "name that as former",
				"it is left as it is: the key that %s was written with has check %s, and that is not the one of former", l.Head.Lvol.Name, has)
		default:
			s.b.blockAlone("volume "+s.v.Name, s.v.At("encryption"), "take encryption out; to have what is in it encrypted, write former: \"none\" beside key",
				"it is left as it is: it was made without encryption, and what is in it is not encrypted")
		}
		return blocked
	}
	return idle
}

// cipherPiece is what encrypts a volume on a node.
type cipherPiece struct {
	state.Ciphered
	of lineage.Volume
}

func (c cipherPiece) on() lineage.Node { return c.Node }
func (c cipherPiece) bears() bool      { return true }
func (c cipherPiece) stray(s *subject) reason {
	return because(s.v.Pos, "no engine of %s uses it", s.v.Name)
}
func (c cipherPiece) lower(s *subject, why reason) { s.sec.then(why, plan.RiskPause, c.ending()) }
func (c cipherPiece) ending() plan.Op {
	return plan.CipherDelete{At: plan.At{Node: c.Node}, Volume: c.of, Cipher: c.Name}
}
