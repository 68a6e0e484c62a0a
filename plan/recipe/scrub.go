package recipe

import (
	"strata/plan"
	"strata/schema"
)

// scrub reads every layer of the volume on every leg, if that is asked for: one after
// another, in the section of its backups, so that no layer goes meanwhile. What was read
// whoever asks knows, and nobody else: it leaves nothing on a node. It waits until nothing
// else is done to the volume.
func (s *subject) scrub() result {
	read, asked := s.b.opt.Scrub[s.v.Name]
	if !asked || s.sec.steps() > 0 || s.b.left(plan.BackupKey(s.v.Name)) {
		return idle
	}
	if sec := s.b.sections[plan.BackupKey(s.v.Name)]; sec != nil && sec.steps() > 0 {
		return idle
	}
	if why := s.b.backingUp(s.id); why != "" {
		s.b.note("volume "+s.v.Name, s.v.Pos, "", "its layers are read later: %s", why)
		return idle
	}
	why := because(schema.Pos{}, "the layers of %s are to be compared", s.v.Name)
	came := idle
	for i, leg := range s.Legs {
		for _, l := range s.layered {
			on := l.on[i]
			if on == nil || !s.committed(l) {
				continue
			}
			op := plan.Scrub{At: plan.At{Node: leg.Node}, Lvstore: on.Lvstore, Layer: on.Name, Bytes: on.Allocated * clusterSize(s.b.w.Nodes[leg.Node], on.Lvstore)}
			if read[op.Of()] || s.b.backups.read[op.Of()] {
				continue
			}
			if full := s.full(leg.Node); full != "" {
				s.b.note("volume "+s.v.Name, s.v.Pos, "", "its layers on %s are read later: %s", leg.Node, full)
				break
			}
			s.b.section(plan.BackupKey(s.v.Name)).then(why, plan.RiskCopy, op)
			s.b.backups.read[op.Of()] = true
			came = acted
		}
	}
	return came
}
