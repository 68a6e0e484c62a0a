package recipe

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// cut is a layer that is due on a volume.
type cut struct {
	s        *subject
	snapshot string
	own      bool // strata's, not the user's
	why      reason
}

// takeLayer finds the next layer that is due: a configured snapshot the volume
// does not have, or one on schedule. It is cut at the end of the pass, with
// the volumes of its group.
func (s *subject) takeLayer() result {
	if s.detaching() {
		return idle
	}
	all, before, cuts := s.layered, s.tally(), len(s.b.cuts)
	if !s.groupMay() || !s.takeSnapshot(all) {
		if name, why := s.nextMark(all); name != "" {
			s.due(cut{s, name, true, because(s.v.At("resync"), "%s", why)})
		}
	}
	if len(s.b.cuts) > cuts {
		return acted
	}
	return s.since(before)
}

// takeSnapshot finds the next of the user's snapshots, or of those on schedule, that is
// due. It reports whether there is one, or why there is none.
func (s *subject) takeSnapshot(all []*layer) bool {
	if name, why := s.nextSnapshot(all); why != "" {
		s.b.block("volume "+s.v.Name, s.v.At("snapshots"), "", "%s", why)
	} else if name != "" {
		s.due(cut{s, name, false, because(s.v.At("snapshots"), "snapshot %s is configured", name)})
	} else if name, why := s.scheduled(all); name != "" {
		s.due(cut{s, name, false, because(s.v.At("every"), "%s", why)})
	} else {
		return false
	}
	return true
}

// due has a layer cut, unless it could not be equal on all replicas: they are
// cut one after the other, and a kernel device cannot be held meanwhile; or not
// all of them have grown yet, or are written with one key. What is called the same must be the same, for a
// replica that has a layer is not sent it again, and reverting to it puts a head
// on each.
func (s *subject) due(c cut) {
	if why := s.uneven(); why != "" {
		s.late = true
		s.b.block("volume "+s.v.Name, c.why.pos, "", "layer %s is not cut until all replicas have grown, for its copies would differ in size: %s", c.snapshot, why)
		return
	}
	if s.mixed() {
		s.late = true
		s.b.block("volume "+s.v.Name, c.why.pos, "", "layer %s is not cut until all replicas are written with one key, for its copies would differ", c.snapshot)
		return
	}
	if len(s.Legs) > 1 && s.kernelExport() {
		s.b.block("volume "+s.v.Name, c.why.pos, "export it through nvmf, or have one replica",
			"layer %s is not cut: hosts use the volume through a kernel device, which cannot be held, and its copies on %s would differ", c.snapshot, amount.Of(len(s.Legs), "replica"))
		return
	}
	if pauses, _ := s.barrier(); len(pauses) == 0 && s.serves() {
		c.why.text += "; hosts are not held, so of what they write at that moment some may be in it and some not"
	}
	s.b.cuts = append(s.b.cuts, c)
}

// uneven says that the replicas differ in size; "" when they do not.
func (s *subject) uneven() string {
	first := s.Legs[0]
	for _, l := range s.Legs {
		if l.Head != nil && first.Head != nil && l.Head.Lvol.Size != first.Head.Lvol.Size {
			return fmt.Sprintf("the one on %s has %s, the one on %s has %s", first.Node, amount.Bytes(first.Head.Lvol.Size), l.Node, amount.Bytes(l.Head.Lvol.Size))
		}
	}
	return ""
}

// nextSnapshot is the first configured snapshot that is missing, or why it
// cannot be taken: a snapshot that is younger than a missing one is there, the
// replicas differ, or the head is to stand on another.
func (s *subject) nextSnapshot(all []*layer) (name, why string) {
	for _, want := range s.v.Snapshots {
		l := s.find(all, want)
		switch {
		case l == nil && name == "":
			name = want
		case l != nil && !l.everywhere():
			return "", fmt.Sprintf("the replicas differ: snapshot %s is missing on %s", want, strings.Join(s.without(l), ", "))
		case l != nil && name != "":
			return "", fmt.Sprintf("snapshot %s cannot be taken before %s, which is there already; add it at the end", name, want)
		}
	}
	if name != "" && s.v.Head != "" {
		return "", fmt.Sprintf("snapshot %s waits: head: %q holds the volume to that layer; remove it first", name, s.v.Head)
	}
	return name, ""
}

// without names the nodes of the legs that lack a layer.
func (s *subject) without(l *layer) []string {
	var nodes []string
	for i, on := range l.on {
		if on == nil {
			nodes = append(nodes, string(s.Legs[i].Node))
		}
	}
	return nodes
}

// cutNow cuts layers of one or more volumes at one instant. Ladder:
//
//	layers    hosts of all volumes held and drained, every leg snapshotted, hosts
//	          let go; the layers name an epoch that no head names yet
//	epoch     if no leg was lost until then, heads renamed to that epoch, the
//	          engine's own first: from then on the layers count
//
// Snapshots cannot be renamed, so the epoch in the heads' names is what tells a
// layer cut on all legs at once from what an interrupted cut left.
func (b *builder) cutNow(sec *section, cuts []cut) {
	var pauses, snapshots, resumes, first, rest []plan.Op
	tag, grouped := b.tag(cuts)
	for _, c := range cuts {
		epoch := c.s.nextCut()
		if grouped {
			epoch = tagged(epoch, tag)
		}
		p, r := c.s.barrier()
		pauses, resumes = append(pauses, p...), append(resumes, r...)
		snapshots = append(snapshots, c.s.cutLayer(lineage.Layer{Volume: c.s.id, Epoch: epoch, Snapshot: c.snapshot, Own: c.own}.Lvol())...)
		own, others := c.s.counting(epoch)
		first, rest = append(first, own), append(rest, others...)
	}
	pauses, resumes = once(pauses), once(resumes)
	due, pos := cuts[0].why, cuts[0].why.pos
	sec.then(due, plan.RiskPause, pauses...)
	sec.then(due, riskOf(pauses), snapshots...)
	sec.then(due, plan.RiskPause, resumes...)
	lost := because(pos, "a leg that was lost before the cut has another layer of that name")
	var looks []plan.Op
	for _, c := range cuts {
		looks = append(looks, c.s.expectLegs()...)
	}
	sec.then(lost, plan.RiskCreate, looks...)
	complete := because(pos, "the cut is complete")
	sec.then(complete, plan.RiskCreate, first...)
	sec.then(complete, plan.RiskCreate, rest...)
	for _, c := range cuts {
		c.s.reread()
	}
}

// once are ops of which none is there twice: parts of a whole hold the same hosts.
func once(ops []plan.Op) (all []plan.Op) {
	for _, op := range ops {
		if !slices.ContainsFunc(all, func(o plan.Op) bool { return reflect.DeepEqual(o, op) }) {
			all = append(all, op)
		}
	}
	return all
}

// cutLayer cuts a layer on every leg.
func (s *subject) cutLayer(name lineage.LvolName) (ops []plan.Op) {
	for _, l := range s.Legs {
		ops = append(ops, plan.LvolSnapshot{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, Lvol: l.Head.Lvol.Name, Layer: name})
	}
	return ops
}

// counting renames the heads so that the layer that was cut at an epoch counts: that
// of the engine, and then the others.
func (s *subject) counting(epoch lineage.Epoch) (first plan.Op, rest []plan.Op) {
	return s.entering(epoch, epoch)
}

// entering renames the heads to an epoch, in which the layers up to a cut count: that of
// the engine, and then the others.
func (s *subject) entering(epoch, cut lineage.Epoch) (first plan.Op, rest []plan.Op) {
	for i, l := range s.Legs {
		head := s.headName(epoch, s.Legs, l.UUID)
		head.Cut = cut
		op := plan.LvolRename{At: plan.At{Node: l.Node}, Lvstore: l.Head.Lvol.Lvstore, From: l.Head.Lvol.Name, To: head.Lvol()}
		if i == 0 {
			first = op
		} else {
			rest = append(rest, op)
		}
	}
	return first, rest
}

func riskOf(pauses []plan.Op) plan.Risk {
	if len(pauses) > 0 {
		return plan.RiskPause
	}
	return plan.RiskCreate
}

// nextCut is an epoch that neither a head nor a layer of the volume names.
func (s *subject) nextCut() lineage.Epoch {
	epoch := s.Top
	for _, o := range s.inc.Others {
		if l, ok := o.Lvol.Parsed.(lineage.Layer); ok {
			epoch = max(epoch, l.Epoch)
		}
	}
	return epoch + 1
}

// barrier returns what holds the volume's hosts, and what lets them go. There
// is nothing to hold where nobody writes through strata, or where the user
// has given up consistency and there is one replica: the copies of several would
// not be equal.
func (s *subject) barrier() (pauses, resumes []plan.Op) {
	if s.v.Consistency == schema.ConsistencyNone && len(s.Legs) == 1 {
		return nil, nil
	}
	return s.pauses()
}
