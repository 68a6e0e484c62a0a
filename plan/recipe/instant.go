package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
	"strata/schema"
	"strata/state"
)

// A volume that is restored at once is in use before what it is made of is written. Ladder:
//
//	served    strata serves the image of the record to a node, and an lvol there, the
//	          forerunner, reads through it what nobody has written to it yet; hosts are let
//	          in to that. What they write is in the forerunner, and nowhere else
//	written   beside it, as with what follows, the record and the snapshots that come with
//	          it are written to staging, which becomes layers under the epochs that they have
//	standing  while hosts are held the forerunner is put on the layer of its record, which
//	          shows the same: it is complete
//	named     it becomes the head, open, the only one: from here on it is a volume as any other,
//	          which gets its other replicas by rebuild
//
// A forerunner has no head's name, so nothing takes it for a replica, and nothing but the
// operator's word has it deleted. Its name says what it reads through, and how large it is, so
// whoever comes after a crash serves that again: for a node that kept its connection where
// it looks for it. What the node is attached to goes when nothing reads through it
// (endImages); before, that would end the target.

// forerunner is an lvol that hosts use in place of a head.
type forerunner struct {
	follower
	name lineage.Staging
	lvol *state.Lvol
}

// forerunner is that of a volume; nil for none.
func (b *builder) forerunner(v *schema.Volume) *forerunner {
	for _, id := range b.w.Incarnations(v.Name) {
		if !b.releases(v, id) {
			if f := b.forerunnerOf(b.w.Incarnation(id)); f != nil {
				return f
			}
		}
	}
	return nil
}

// forerunnerOf is that of an incarnation; nil for none.
func (b *builder) forerunnerOf(inc *state.Incarnation) *forerunner {
	o := inc.Forerunner()
	if o == nil || len(inc.Heads) > 0 {
		return nil
	}
	st := o.Lvol.Parsed.(lineage.Staging)
	f := &forerunner{*b.followerAt(inc, *o, st.From), st, o.Lvol}
	f.size = st.Size()
	return f
}

// pickAhead finds that no incarnation with a head is in use, for hosts use a forerunner: that is
// made only where nobody can have any other. What turns up later is older.
func (b *builder) pickAhead(v *schema.Volume, f *forerunner) (p picked, why, hint string) {
	for _, id := range b.w.Incarnations(v.Name) {
		inc := b.w.Incarnation(id)
		if id == f.id || len(inc.Heads)+len(inc.Others)+len(pieces(inc)) == 0 {
			continue
		}
		if !b.releases(v, id) && (inc.Running() || b.forerunnerOf(inc) != nil) {
			return p, "there are two incarnations of it, " + id.String() + " and " + f.id.String() + ", and hosts may use either",
				"release one: " + plan.IncarnationGrant(id).Flag() + " or " + plan.IncarnationGrant(f.id).Flag()
		}
		p.others = append(p.others, id)
	}
	return p, "", ""
}

// runAhead begins it: what the volume is made of is served, and hosts are let in.
func (s *subject) runAhead(of origin, at plan.Choice) result {
	b, p := s.b, s.b.pool(at.Node, at.Lvstore)
	size := roundUp(b.size(s.v, []plan.Choice{at}), 1<<20)
	if p.cluster == 0 || size%p.cluster != 0 {
		b.block("volume "+s.v.Name, s.v.At("from"), "take instant out", "it cannot be restored at once: %s is no whole number of clusters of %s", amount.Bytes(size), amount.Bytes(p.cluster))
		return blocked
	}
	s.id = lineage.Volume{Name: s.v.Name, ID: b.newID(s.v.Name)}
	for _, left := range b.unfinished(s.v) {
		s.drop(left)
	}
	s.sec.after(plan.NodeKey(at.Node)).after(p.known...)
	p.taken += 2 * size // until the forerunner stands on what is written
	b.initiator(b.section(plan.NodeKey(at.Node)), b.w.Nodes[at.Node])
	rec := of.rec.Of()
	name := lineage.Staging{Volume: s.id, From: rec.Volume.ID, Epoch: rec.Epoch, MiB: size >> 20}
	s.serveImage(of.why, lineage.Place{Node: at.Node, Lvstore: at.Lvstore}, name, of.rec)
	s.sec.then(of.why, plan.RiskCreate, plan.LvolCloneBdev{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, Bdev: b.cfg.Cluster.ImageUUID(name), Name: name.Lvol()})
	s.letIn(b.forerunnerOf(b.w.Incarnation(s.id)))
	s.id = lineage.Volume{} // there is no such volume yet, and nothing else is done to it
	return acted
}

// serveImage has the image of a record served to a node.
func (s *subject) serveImage(why reason, at lineage.Place, name lineage.Staging, rec *catalog.Record) {
	s.sec.then(why, plan.RiskCreate, plan.ImageAttach{At: plan.At{Node: at.Node}, Archive: s.v.Restore.Archive, Cluster: rec.Cluster, Image: rec.Layer, Lvstore: at.Lvstore, Name: name.Lvol(), Proven: s.b.proven(at.Node)})
}

// letIn lets hosts in to a forerunner, as configured.
func (s *subject) letIn(f *forerunner) {
	s.engine, s.inc = f.at.Node, s.b.w.Incarnation(f.id)
	s.Verdict = &state.Verdict{Engine: s.engine, Device: string(f.lvol.UUID), Legs: []state.CurrentLeg{{Node: s.engine, UUID: f.lvol.UUID}}}
	s.comeUp(atExport)
}

// runsAhead goes on with a volume that has a forerunner.
func (s *subject) runsAhead() result {
	b, f := s.b, s.b.forerunner(s.v)
	if f == nil {
		return idle
	}
	defer func() { s.id = lineage.Volume{} }() // what is not named yet is no volume
	s.id = f.id
	if b.opt.ResumeOnly != nil {
		s.inc = b.w.Incarnation(f.id)
		s.sec.then(because(s.v.Pos, "hosts of %s were left waiting", s.v.Name), plan.RiskCreate, s.paused()...)
		return acted
	}
	if why, hint := s.cannotRunAhead(); why != "" {
		b.blockAlone("volume "+s.v.Name, s.v.Pos, hint, "it is being restored while hosts use it: %s", why)
		return blocked
	}
	before := s.tally()
	rec, in, why := s.lender(f)
	if !s.serveAgain(f, rec, why) {
		return blocked
	}
	s.letIn(f)
	if came := s.since(before); came != idle {
		return came
	}
	return s.comesUp(f, rec, in, why)
}

// cannotRunAhead says why nothing is done to a volume that has a forerunner; "" when all may be.
func (s *subject) cannotRunAhead() (why, hint string) {
	switch {
	case s.b.restoring(s.v) != "":
		return "the run that has " + string(s.b.restoring(s.v)) + " locked is writing it", ""
	case s.v.Encryption != nil:
		return "what hosts have written is not encrypted", "take encryption out; to have it encrypted, have a host copy it into a new volume"
	case s.v.Export.Kind != schema.ExportNVMf && s.v.Export.Kind != schema.ExportNone:
		return "hosts that use a device of the kernel cannot be held", "export it by nvmf until it is restored"
	}
	return "", ""
}

// lender is the record that a forerunner reads; nil where that is not found, and why.
func (s *subject) lender(f *forerunner) (*catalog.Record, *catalog.Archive, string) {
	from := s.v.Restore
	if from == nil {
		return nil, nil, "from is gone, which says in which archive that is; write it again as it was"
	}
	in := s.b.backups.found[from.Archive]
	if why := in.Doubt(); why != "" {
		return nil, in, "archive " + from.Archive + " could not be read: " + why
	}
	if r := in.AsOf(from.From(s.b.cfg.Cluster), lineage.Volume{Name: from.Volume, ID: f.of}, f.name.Epoch); r != nil {
		return r, in, ""
	}
	return nil, in, "archive " + from.Archive + " has no record of it that is " + from.Volume + "." + string(f.of) + " as of epoch " + fmt.Sprint(f.name.Epoch) + "; write from as it was"
}

// serveAgain has what a forerunner reads served to a node that nobody serves it to. It reports
// whether hosts can be let in; if not, it has said why.
func (s *subject) serveAgain(f *forerunner, rec *catalog.Record, why string) bool {
	b, about := s.b, "volume "+s.v.Name
	ctrl := f.on.Controllers[b.cfg.Cluster.ImageController(f.id)]
	switch {
	case f.lvol.Reads(ctrl):
		return true
	case ctrl != nil && ctrl.GivenUp():
		b.note(about, s.v.At("from"), "", "hosts get errors for what is not written yet: controller %s on %s is %s, and comes back only when nothing reads through it", ctrl.Name, f.at.Node, ctrl.State)
		return !f.lvol.Degraded
	case rec == nil:
		b.blockAlone(about, s.v.At("from"), "", "its hosts wait for what is not written yet, and get errors: %s", why)
		return false
	}
	s.sec.after(plan.NodeKey(f.at.Node))
	b.initiator(b.section(plan.NodeKey(f.at.Node)), f.on)
	s.serveImage(because(s.v.At("from"), "hosts use %s, and read %s, which is not written yet", s.v.Name, rec.Layer), f.at, f.name, rec)
	return true
}

// comesUp has what a forerunner reads written, and makes a volume of it when it is.
func (s *subject) comesUp(f *forerunner, rec *catalog.Record, in *catalog.Archive, why string) result {
	newest := f.newest()
	stands := f.lvol.Complete()
	switch {
	case !s.may(schema.DutyChange):
		s.b.note("volume "+s.v.Name, s.v.At("from"), `strata apply does, and so does a watch with auto: ["change"]`, "what it is restored of is not written")
		return blocked
	case stands || epochOf(newest) == f.name.Epoch && newest.Complete() && newest.Snapshot && newest.Size == f.size:
		s.put(f, newest)
		return acted
	case rec == nil:
		s.b.blockAlone("volume "+s.v.Name, s.v.At("from"), "", "what it is restored of is not written: %s", why)
		return blocked
	case s.b.pruning(s.v.Restore.Archive) != "" || s.full(f.at.Node) != "":
		s.b.note("volume "+s.v.Name, s.v.At("from"), "", "what it is restored of is written later: %s", s.b.pruning(s.v.Restore.Archive)+s.full(f.at.Node))
		return blocked
	}
	s.bring(&f.follower, s.restored(f, rec, in), in)
	return acted
}

// restored are the records that are written for a forerunner, and that it lacks: those that come
// with its own, which is the last. As a layer that is strata's own if the volume is not to have it.
func (s *subject) restored(f *forerunner, rec *catalog.Record, in *catalog.Archive) (made []brought) {
	all := s.withIt(rec, in)
	wanted := len(all) > 0 && all[len(all)-1].Layer == rec.Layer
	if !wanted {
		all = append(all, *rec)
	}
	for _, r := range all {
		of := r.Of()
		if of.Epoch <= epochOf(f.newest()) {
			continue
		}
		layer := lineage.Layer{Volume: f.id, Epoch: of.Epoch, Snapshot: of.Snapshot, Own: r.Layer == rec.Layer && !wanted}
		why := because(s.v.At("from"), "hosts use %s already, which is made of %s, recorded %s", s.v.Name, r.Layer, retention.Clock(r.Time))
		if r.Layer != rec.Layer {
			why = because(s.v.At("from"), "snapshot %s is restored with it: %s, recorded %s", of.Snapshot, r.Layer, retention.Clock(r.Time))
		}
		made = append(made, brought{r, layer.Lvol(), why})
	}
	return made
}

// put puts a forerunner on the layer of what it reads through, while nothing is written, and
// makes it the head.
func (s *subject) put(f *forerunner, layer *state.Lvol) {
	n := plan.At{Node: f.at.Node}
	if !f.lvol.Complete() {
		whole := because(s.v.At("from"), "all that %s is made of is written", s.v.Name)
		pauses, resumes := s.pauses()
		s.sec.then(whole, plan.RiskPause, pauses...)
		s.sec.then(whole, plan.RiskPause, plan.LvolSetParent{At: n, Lvstore: f.at.Lvstore, Name: f.lvol.Name, Layer: layer.Name})
		s.sec.then(whole, plan.RiskPause, resumes...)
	}
	done := because(s.v.At("from"), "%s needs archives no more, and is a volume as any other", s.v.Name)
	s.sec.then(done, plan.RiskCreate, plan.LvolRename{
		At: n, Lvstore: f.at.Lvstore, From: f.name.Lvol(),
		To: lineage.Head{Volume: f.id, Epoch: f.name.Epoch + 1, Legs: 1, Cut: f.name.Epoch, Mark: lineage.Primary}.Lvol(),
	})
	if c := s.b.w.Nodes[f.at.Node].Controllers[s.b.cfg.Cluster.ImageController(f.id)]; c != nil && c.State != "deleting" {
		s.sec.then(done, plan.RiskCreate, plan.ImageDetach{At: n, Volume: f.id})
	}
}

// endImages takes away what nodes are attached to that no forerunner reads any more. It comes after
// the volumes.
func (b *builder) endImages() {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			c := at.Controllers[name]
			v, ok := b.cfg.Cluster.ParseImage(c.NQN)
			key := plan.BackupKey(v.Name)
			if !ok || c.State == "deleting" || !b.may(v.Name, schema.DutyServe, schema.DutyChange) || b.left(key) || b.touched(plan.VolumeKey(v.Name)) ||
				b.forerunnerOf(b.w.Incarnation(v)) != nil {
				continue
			}
			why := because(schema.Pos{}, "nothing of %s is read through it any more", v)
			b.section(key).then(why, plan.RiskCreate, plan.ImageDetach{At: plan.At{Node: n.Name}, Volume: v})
		}
	}
}

// touched reports whether this pass does something to an object.
func (b *builder) touched(key plan.Key) bool {
	return b.sections[key] != nil && b.sections[key].steps() > 0
}
