package recipe

import (
	"cmp"
	"slices"
	"strings"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
	"strata/schema"
	"strata/state"
)

// follow keeps a volume that nobody has as what an archive has of another, by one rung for
// each record:
//
//	marked    an lvol that is never written to says whose records are followed; a volume
//	          that has it and no head is never served
//	layer     what the next record has over the youngest layer is written to staging, which
//	          stands on that layer, and is snapshotted under the name and epoch that the record
//	          has; what an interrupted try has written goes first
//
// When it is to follow no more, the youngest layer gets a head: from then on it is a volume as
// any other. A crash leaves whole layers and staging.
func (s *subject) following() result {
	is := s.b.follower(s.v)
	switch {
	case s.v.Restore != nil && s.v.Restore.Follow:
		return s.keepUp(is)
	case is != nil:
		return s.takeUp(is)
	}
	return idle
}

// follower is what a volume that follows has.
type follower struct {
	id     lineage.Volume
	of     lineage.ID // the incarnation whose records it follows
	at     lineage.Place
	on     *state.Node
	size   int64         // of what is written, in bytes; 0 where it is that of the volume
	layers []*state.Lvol // oldest first
}

// newest is its youngest layer; nil for none.
func (f *follower) newest() *state.Lvol {
	if f == nil || len(f.layers) == 0 {
		return nil
	}
	return f.layers[len(f.layers)-1]
}

// snapshots are the names of its layers.
func (f *follower) snapshots() (names []string) {
	for _, l := range f.layers {
		names = append(names, l.Parsed.(lineage.Layer).Snapshot)
	}
	return names
}

// recorded is the layer whose record one of its own is.
func (f *follower) recorded(volume string, l *state.Lvol) lineage.LvolName {
	own := l.Parsed.(lineage.Layer)
	own.Own = false
	own.Volume = lineage.Volume{Name: volume, ID: f.of}
	return own.Lvol()
}

// follower is the incarnation of a volume that follows records: the one that has come
// furthest; nil for none.
func (b *builder) follower(v *schema.Volume) (found *follower) {
	for _, id := range b.w.Incarnations(v.Name) {
		inc := b.w.Incarnation(id)
		if len(inc.Heads) > 0 || inc.Running() || b.releases(v, id) {
			continue
		}
		for _, o := range inc.Others {
			mark, is := o.Lvol.Parsed.(lineage.Staging)
			if !is || !mark.Follows {
				continue
			}
			f := b.followerAt(inc, o, mark.From)
			if found == nil || epochOf(f.newest()) > epochOf(found.newest()) {
				found = f
			}
		}
	}
	return found
}

// followerAt is what an incarnation has where an lvol of it is.
func (b *builder) followerAt(inc *state.Incarnation, o state.Placed, of lineage.ID) *follower {
	f := &follower{id: inc.Volume, of: of, at: o.Place(), on: b.w.Nodes[o.Node]}
	for _, l := range inc.Layers(o.Node, o.Lvol.Lvstore) {
		f.layers = append(f.layers, l)
	}
	slices.SortFunc(f.layers, func(x, y *state.Lvol) int {
		return cmp.Compare(x.Parsed.(lineage.Layer).Epoch, y.Parsed.(lineage.Layer).Epoch)
	})
	return f
}

func epochOf(l *state.Lvol) lineage.Epoch {
	if l == nil {
		return 0
	}
	return l.Parsed.(lineage.Layer).Epoch
}

// keepUp has the records written that it lacks.
func (s *subject) keepUp(f *follower) result {
	b, from, about := s.b, s.v.Restore, "volume "+s.v.Name
	in := b.backups.found[from.Archive]
	if why := in.Doubt(); why != "" {
		b.blockAlone(about, s.v.At("from"), "", "archive %s, which it follows, could not be read: %s", from.Archive, why)
		return blocked
	}
	if n := b.restoring(s.v); n != "" {
		b.blockAlone(about, s.v.At("from"), "", "the run that has %s locked is writing to it", n)
		return blocked
	}
	rec := b.restored(from, in)
	switch {
	case rec == nil:
		b.blockAlone(about, s.v.At("from"), "", "archive %s has no record of %s, which it is to follow", from.Archive, from.Volume)
		return blocked
	case rec.Check != "":
		b.blockAlone(about, s.v.At("from"), "take follow away, and write encryption with its key, to have the latest record restored", "it is to follow %s, which is encrypted, and that does not work yet", from.Volume)
		return blocked
	case f != nil && rec.Of().Volume.ID != f.of:
		b.blockAlone(about, s.v.At("from"), "take follow away to have what is here served; or release it with "+plan.IncarnationGrant(f.id).Flag()+", and it begins anew",
			"it follows %s.%s no more: the latest record is of %s, another volume of that name", from.Volume, f.of, rec.Of().Volume)
		return blocked
	case rec.Size > s.v.Size:
		b.blockAlone(about, s.v.At("size"), "", "it is to follow %s, which has %s, and is configured with %s", from, schema.SizeText(rec.Size), schema.SizeText(s.v.Size))
		return blocked
	}
	if f == nil {
		return s.beginToFollow(rec, in)
	}
	if why := s.elsewhere(f.at); why != "" {
		b.blockAlone(about, s.v.At("from"), "release it with "+plan.IncarnationGrant(f.id).Flag()+", and it begins anew in another place", "what it has stays on %s: %s", f.at.Node, why)
	}
	s.id = f.id
	if all := s.lacking(f, rec, in); len(all) > 0 {
		if why := s.full(f.at.Node); why != "" {
			b.note(about, s.v.At("from"), "", "%s is written later: %s", all[0].Layer, why)
			s.id = lineage.Volume{}
			return blocked
		}
		s.bring(f, s.followed(f, all), in)
	} else {
		s.thin(f)
	}
	s.id = lineage.Volume{} // there is no such volume, and nothing else is done to it
	return acted
}

// elsewhere says why a volume is to have nothing in a place; "" when it may.
func (s *subject) elsewhere(at lineage.Place) string {
	p := s.b.pool(at.Node, at.Lvstore)
	if p == nil {
		return "that is no pool of the configuration"
	}
	if why := s.v.KeptOff(p.node); why != "" {
		return string(at.Node) + " " + why
	}
	return s.v.Replicas.KeptOut(p.node, p.conf)
}

// beginToFollow makes what the youngest record is written to.
func (s *subject) beginToFollow(rec *catalog.Record, in *catalog.Archive) result {
	if came := s.seen(); came != idle {
		return came
	}
	b := s.b
	var shortage string
	s.places, shortage = b.place(s.v, nil, 0, "")
	b.decided(s.places)
	if shortage != "" {
		b.block("volume "+s.v.Name, s.v.At("replicas"), "", "%s", shortage)
		return blocked
	}
	if b.unheard(s.places.Chosen) {
		return acted
	}
	at := s.seatOf(s.places.Chosen)
	s.sec.after(plan.NodeKey(at.Node))
	p := b.pool(at.Node, at.Lvstore)
	p.taken += b.size(s.v, []plan.Choice{at})
	s.sec.after(p.known...)
	s.id = lineage.Volume{Name: s.v.Name, ID: b.newID(s.v.Name)}
	for _, left := range b.unfinished(s.v) {
		s.drop(left)
	}
	f := &follower{id: s.id, of: rec.Of().Volume.ID, at: at.Place(), on: b.w.Nodes[at.Node]}
	why := because(s.v.At("from"), "volume %s follows %s of archive %s", s.v.Name, s.v.Restore.Volume, s.v.Restore.Archive)
	mark := lineage.Staging{Volume: s.id, From: f.of, Follows: true}.Lvol()
	s.sec.then(why, plan.RiskCreate, plan.LvolCreate{At: plan.At{Node: at.Node}, Lvstore: at.Lvstore, Name: mark, Size: roundUp(1, p.cluster)})
	s.bring(f, s.followed(f, []catalog.Record{*rec}), in)
	s.id = lineage.Volume{}
	return acted
}

// lacking are the records that it has no layer of, the oldest first: of one that has none yet
// the youngest, and those that the policy would have go are left out.
func (s *subject) lacking(f *follower, rec *catalog.Record, in *catalog.Archive) (all []catalog.Record) {
	if f.newest() == nil {
		return []catalog.Record{*rec}
	}
	names := f.snapshots()
	for _, r := range in.Of(rec.Cluster, s.v.Restore.Volume) {
		of := r.Of()
		if of.Volume != rec.Of().Volume || of.Epoch <= epochOf(f.newest()) {
			continue
		}
		names = append(names, of.Snapshot)
		if n := len(all); n > 0 && all[n-1].Layer == r.Layer {
			all[n-1] = r // recorded once more
			continue
		}
		all = append(all, r)
	}
	gone, _ := retention.LetGo(s.v, names, s.b.opt.Now)
	return slices.DeleteFunc(all, func(r catalog.Record) bool { return gone[r.Of().Snapshot] != "" && r.Layer != rec.Layer })
}

// brought is a record that is written, what the layer is called that it becomes, and why.
type brought struct {
	catalog.Record
	layer lineage.LvolName
	why   reason
}

// followed are records that become layers of what follows.
func (s *subject) followed(f *follower, all []catalog.Record) (made []brought) {
	for _, r := range all {
		of := r.Of()
		made = append(made, brought{r, lineage.Layer{Volume: f.id, Epoch: of.Epoch, Snapshot: of.Snapshot}.Lvol(),
			because(s.v.At("from"), "archive %s has %s, recorded %s, and %s follows it", s.v.Restore.Archive, r.Layer, retention.Clock(r.Time), s.v.Name)})
	}
	return made
}

// bring has records written, one after the other.
func (s *subject) bring(f *follower, all []brought, in *catalog.Archive) {
	s.hide(f.id, s.ended())
	n, staging := plan.At{Node: f.at.Node}, lineage.Staging{Volume: f.id, From: f.of}.Lvol()
	size := cmp.Or(f.size, s.b.size(s.v, []plan.Choice{{Node: f.at.Node, Lvstore: f.at.Lvstore}}))
	why := all[0].why
	at := func() *state.Lvol { return s.b.w.Nodes[f.at.Node].Lvols[f.at.Lvstore+"/"+string(staging)] }
	newest := f.newest()
	below := lineage.LvolName("")
	if newest != nil {
		below = newest.Name
	}
	if st := at(); st != nil && (st.Allocated > 0 || st.Parent != below) {
		cut := because(s.v.At("from"), "it was not written whole")
		s.b.withdraw(s.sec, cut, f.at.Node, st.UUID, "")
		s.sec.then(cut, plan.RiskCreate, plan.LvolDelete{At: n, Lvstore: f.at.Lvstore, Name: staging})
	}
	switch {
	case at() != nil:
	case newest == nil:
		s.sec.then(why, plan.RiskCreate, plan.LvolCreate{At: n, Lvstore: f.at.Lvstore, Name: staging, Size: size})
	default:
		s.sec.then(why, plan.RiskCreate, plan.LvolClone{At: n, Lvstore: f.at.Lvstore, Layer: below, Name: staging})
	}
	if st := at(); st != nil && st.Size < size {
		s.sec.then(because(s.v.At("size"), "it is to have %s", schema.SizeText(size)), plan.RiskCreate, plan.LvolResize{At: n, Lvstore: f.at.Lvstore, Name: staging, From: st.Size, To: size})
	}
	write := plan.Fill{At: n, Archive: s.v.Restore.Archive, Lvstore: f.at.Lvstore, Name: staging, Proven: s.b.proven(f.at.Node)}
	if newest != nil {
		write.Over = f.recorded(s.v.Restore.Volume, newest)
	}
	s.b.copies[f.at.Node]++
	for _, r := range all {
		next := r.why
		if write.Over != "" && in.Find(r.Cluster, write.Over) == nil {
			next = because(s.v.At("from"), "archive %s has %s, recorded %s, and no record any more of %s: what is here is read and compared with it", s.v.Restore.Archive, r.Layer, retention.Clock(r.Time), write.Over)
		}
		write.Cluster, write.Image, write.Bytes = r.Cluster, r.Layer, written(in, &r.Record, write.Over)
		s.sec.then(next, plan.RiskCopy, write)
		s.sec.then(next, plan.RiskCreate, plan.LvolSnapshot{At: n, Lvstore: f.at.Lvstore, Lvol: staging, Layer: r.layer})
		write.Over = r.Layer
	}
}

// thin merges the layers away that the policy lets go.
func (s *subject) thin(f *follower) {
	gone, _ := retention.LetGo(s.v, f.snapshots(), s.b.opt.Now)
	for _, l := range f.layers {
		of := l.Parsed.(lineage.Layer)
		if why := gone[of.Snapshot]; why != "" && l != f.newest() && strings.HasPrefix(of.Snapshot, schema.AutoPrefix) && len(l.Children) == 1 && !s.v.Protect {
			s.sec.then(because(s.v.At("keep"), "%s", why), plan.RiskDestroy, plan.LvolDelete{At: plan.At{Node: f.at.Node}, Lvstore: l.Lvstore, Name: l.Name})
		}
	}
}

// ended is why what a run has shown goes.
func (s *subject) ended() reason { return because(s.v.At("from"), "the run is over that wrote there") }

// takeUp gives the youngest layer a head, which is sealed: the volume is started from it
// as any other. What archives have, and what other nodes are like, says nothing of it.
func (s *subject) takeUp(f *follower) result {
	b, about := s.b, "volume "+s.v.Name
	l := f.newest()
	switch {
	case b.restoring(s.v) != "":
		b.blockAlone(about, s.v.Pos, "", "the run that has %s locked is writing to it", b.restoring(s.v))
		return blocked
	case l == nil:
		b.blockAlone(about, s.v.Pos, "release it with "+plan.IncarnationGrant(f.id).Flag(), "it followed a volume of an archive, and has no whole layer of it")
		return blocked
	case !l.Complete() || !l.Snapshot:
		b.blockAlone(about, s.v.Pos, "", "layer %s, which it is to be served from, is not whole on %s", l.Name, f.at.Node)
		return blocked
	}
	s.hide(f.id, s.ended())
	of := l.Parsed.(lineage.Layer)
	s.id = f.id
	s.sec.then(because(s.v.Pos, "%s follows no more, and %s is the youngest layer that it has", s.v.Name, l.Name), plan.RiskCreate, plan.LvolClone{
		At: plan.At{Node: f.at.Node}, Lvstore: l.Lvstore, Layer: l.Name,
		Name: lineage.Head{Volume: f.id, Epoch: of.Epoch + 1, Legs: 1, Cut: of.Epoch, Mark: lineage.Sealed}.Lvol(),
	})
	return acted
}

// followsNoMore says that a volume which is in use follows nothing.
func (s *subject) followsNoMore() {
	if s.v.Restore != nil && s.v.Restore.Follow {
		s.b.note("volume "+s.v.Name, s.v.At("from"), "take follow away; to follow again, make another volume",
			"it is in use, and follows %s no more", s.v.Restore.Volume)
	}
}
