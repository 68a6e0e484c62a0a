package recipe

import (
	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// scrub has the layers of the volume read on every leg and compared, if that is asked for, or
// due while nobody looks at the plan: a round of it, a layer a pass, the oldest first, in the
// section of its backups, so that no layer goes meanwhile. It waits until nothing else is done
// to the volume. A rung for each layer:
//
//	read      the layer, on one leg after the other
//	compared  beside each leg the name of an lvol says so, and what came of it (lineage.Scrubbed);
//	          of the last layer, that the round has come to its end
//
// Its fact is that name. A crash before all legs have it leaves a layer that is read again.
func (s *subject) scrub() result {
	key := plan.BackupKey(s.v.Name)
	if s.sec.steps() > 0 || s.b.left(key) {
		return idle
	}
	if sec := s.b.sections[key]; sec != nil && sec.steps() > 0 {
		return idle
	}
	round, why := s.round()
	if round == 0 {
		return idle
	}
	if why := s.b.backingUp(s.id); why != "" {
		s.readLater(why)
		return idle
	}
	l, last := s.uncompared(round)
	if l == nil {
		return s.endRound(round)
	}
	for _, leg := range s.Legs {
		if full := s.full(leg.Node); full != "" {
			s.readLater(full)
			return idle
		}
	}
	s.compare(why, l, round, last)
	return acted
}

func (s *subject) readLater(why string) {
	s.b.note("volume "+s.v.Name, s.v.Pos, "", "its layers are read later: %s", why)
}

// round is when the round began that is in hand, or is to begin, and why; 0 for none.
func (s *subject) round() (began int64, why reason) {
	asked, now := s.b.opt.Scrub[s.v.Name], s.b.opt.Now
	is := s.inc.Round(s.scrubPlaces())
	switch {
	case asked > 0 && is.Began < asked:
		return asked, because(schema.Pos{}, "the layers of %s are to be compared", s.v.Name)
	case asked > 0 && is.Open:
		return is.Began, because(schema.Pos{}, "the layers of %s are to be compared", s.v.Name)
	case asked > 0 || s.v.Scrub == nil || !s.b.unattended() || now == 0:
		return 0, why
	case is.Open:
		return is.Began, because(s.v.At("scrub"), "the layers of %s are being compared", s.v.Name)
	case is.Began+s.v.Scrub.Every <= now:
		return now, because(s.v.At("scrub"), "the layers of %s are due to be compared", s.v.Name)
	}
	return 0, why
}

// scrubPlaces are those of the legs.
func (s *subject) scrubPlaces() (all []lineage.Place) {
	for _, leg := range s.Legs {
		all = append(all, leg.Place())
	}
	return all
}

// uncompared is the oldest layer that was not compared in a round, and whether it is the last;
// nil when all were.
func (s *subject) uncompared(round int64) (next *layer, last bool) {
	through := lineage.Epoch(0)
	if is := s.inc.Round(s.scrubPlaces()); is.Open && is.Began == round {
		through = is.Through
	}
	for _, l := range s.layered {
		switch {
		case !s.committed(l) || l.Epoch <= through:
		case next == nil:
			next, last = l, true
		default:
			last = false
		}
	}
	return next, last
}

// compare has one layer read and compared.
func (s *subject) compare(why reason, l *layer, round int64, last bool) {
	sec := s.b.section(plan.BackupKey(s.v.Name))
	var unnoted []plan.Op
	for i, leg := range s.Legs {
		if on := l.on[i]; on != nil {
			bytes := on.Allocated * clusterSize(s.b.w.Nodes[leg.Node], on.Lvstore)
			s.b.copies[leg.Node]++
			sec.then(why, plan.RiskCopy, plan.Scrub{At: plan.At{Node: leg.Node}, Lvstore: on.Lvstore, Layer: on.Name, Bytes: bytes, Proven: s.b.proven(leg.Node)})
		}
	}
	for _, at := range s.scrubPlaces() {
		unnoted = append(unnoted, s.unnotedAt(at)...)
	}
	sec.then(why, plan.RiskCreate, unnoted...)
	s.reread()
	var notes []plan.Op
	for i, leg := range s.Legs {
		at := leg.Place()
		was := s.inc.ScrubbedAt(at)
		is := inRound(was, round)
		if is.Hurt() == l.Epoch && l.on[i] != nil && s.otherWell(at) {
			is.Damaged = 0 // if it is as the copy of one that is well
		}
		switch {
		case was.Whole == round: // its last layer is read again for another's sake
			is = was
		case last:
			is.Whole, is.Began, is.Through = round, 0, 0
		default:
			is.Through = l.Epoch
		}
		switch {
		case is == was:
		case l.on[i] == nil:
			notes = append(notes, plan.LvolRename{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, From: was.Lvol(), To: is.Lvol()})
		default:
			notes = append(notes, plan.Compare{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, Layer: l.name, From: was.Lvol(), To: is.Lvol()})
		}
	}
	sec.then(why, plan.RiskCreate, notes...)
}

// inRound is what is said of a place, as it is in a round: at its beginning nobody knows of
// copies that differ.
func inRound(is lineage.Scrubbed, round int64) lineage.Scrubbed {
	if is.Began != round {
		is.Began, is.Through, is.Differs = round, 0, false
	}
	return is
}

// unnotedAt makes the lvol whose name says when the layers in a place were compared, where there
// is none.
func (s *subject) unnotedAt(at lineage.Place) []plan.Op {
	if s.inc.Scrubbed(at) != nil {
		return nil
	}
	return []plan.Op{plan.LvolCreate{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, Name: lineage.Scrubbed{Volume: s.id}.Lvol(), Size: clusterSize(s.b.w.Nodes[at.Node], at.Lvstore)}}
}

// endRound says of a round in hand that it has come to its end, where no layer is left that
// was not compared: the last one was removed meanwhile, or the run ended between two legs.
func (s *subject) endRound(round int64) result {
	var ops []plan.Op
	for _, at := range s.scrubPlaces() {
		was := s.inc.ScrubbedAt(at)
		is := was
		if is.Whole, is.Began, is.Through = round, 0, 0; was.Began == round {
			ops = append(ops, plan.LvolRename{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, From: was.Lvol(), To: is.Lvol()})
		}
	}
	if len(ops) == 0 {
		return idle
	}
	why := because(s.v.At("scrub"), "all layers of %s have been compared", s.v.Name)
	s.b.section(plan.BackupKey(s.v.Name)).then(why, plan.RiskCreate, ops...)
	s.reread()
	return acted
}
