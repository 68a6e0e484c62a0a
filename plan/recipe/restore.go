package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
	"strata/schema"
	"strata/state"
)

// restore makes a volume that nobody has of an image in an archive, or in a file (image.go):
//
//	filled    an empty lvol, staging, written by strata: first the oldest of the snapshots
//	          that the volume is to have, which staging is snapshotted as, then what the next
//	          one has over it, and last what the image has; what an earlier try left goes
//	          first, for nobody knows how far it came
//	named     it becomes a sealed head, the only one: only now there is such a volume, which
//	          is started and served as any other; further replicas come by rebuild
//
// A crash before the last call leaves staging and layers, which are never served.
func (s *subject) restore() result {
	if s.v.Restore == nil && s.v.Image == nil {
		return idle
	}
	b, about := s.b, "volume "+s.v.Name
	of, ok := s.recordOf()
	if s.v.Image != nil {
		of, ok = s.imageOf()
	}
	if !ok {
		return blocked
	}
	if n := b.restoring(s.v); n != "" {
		b.block(about, s.v.At("from"), "", "the run that has %s locked is making it", n)
		return blocked
	}
	if why, hint := s.keyOf(of); why != "" {
		b.block(about, s.v.At("from"), hint, "%s", why)
		return blocked
	}
	if of.size > s.v.Size {
		b.block(about, s.v.At("size"), "size: "+schema.SizeText(roundUp(of.size, 1<<20))+" holds it", "it is to be made of %s, which has %s, and is configured with %s", of.what, amount.Bytes(of.size), amount.Bytes(s.v.Size))
		return blocked
	}
	var shortage string
	s.places, shortage = b.place(s.v, nil, 0, "")
	b.decided(s.places)
	if shortage != "" {
		b.block(about, s.v.At("replicas"), "", "%s", shortage)
		return blocked
	}
	if b.unheard(s.places.Chosen) {
		return acted
	}
	at := s.seatOf(s.places.Chosen)
	if s.v.Restore != nil && s.v.Restore.Instant {
		return s.runAhead(of, at)
	}
	s.fill(of, at)
	return acted
}

// origin is what a volume is made of.
type origin struct {
	what string          // in words
	why  reason          // for making it of that
	size int64           // bytes
	fill plan.Fill       // without where it is written
	rec  *catalog.Record // nil of a file
	in   *catalog.Archive
}

// recordOf is the record in an archive that the volume is to be made of. It returns false,
// and has said why, when there is none.
func (s *subject) recordOf() (of origin, ok bool) {
	from := s.v.Restore
	if from == nil {
		return of, false
	}
	b, about := s.b, "volume "+s.v.Name
	in := b.backups.found[from.Archive]
	if why := in.Doubt(); why != "" {
		b.block(about, s.v.At("from"), "", "archive %s, which it is to come from, could not be read: %s", from.Archive, why)
		return of, false
	}
	if why := b.pruning(from.Archive); why != "" {
		b.block(about, s.v.At("from"), "", "it is made later: %s", why)
		return of, false
	}
	rec := b.restored(from, in)
	if rec == nil {
		b.block(about, s.v.At("from"), "strata backup list "+from.Archive+" says what there is", "archive %s has no record of %s, from which it is to be made", from.Archive, from)
		return of, false
	}
	return origin{
		what: from.String(), size: rec.Size,
		why:  because(s.v.At("from"), "volume %s is made of %s, which is %s, recorded %s", s.v.Name, from, rec.Layer, retention.Clock(rec.Time)),
		fill: plan.Fill{Archive: from.Archive, Cluster: rec.Cluster, Image: rec.Layer, Bytes: written(in, rec, "")},
		rec:  rec, in: in,
	}, true
}

// keyOf says why a volume is not to be made of something that is encrypted and has to be read
// without its key, or the other way round; "" when it may be.
func (s *subject) keyOf(of origin) (why, hint string) {
	encrypted := of.rec != nil && of.rec.Check != ""
	switch {
	case encrypted && !s.v.Encrypted():
		return fmt.Sprintf("it is to be made of %s, which is encrypted, and has no encryption: its hosts would be shown what cannot be read", of.what), "write encryption with the key of " + of.rec.Of().Volume.Name
	case !encrypted && s.v.Encrypted():
		return fmt.Sprintf("it is to be encrypted, and made of %s, which is not", of.what), "take encryption out; to have it encrypted, have a host copy it into a new volume"
	}
	return "", ""
}

// restoring is a node on which a run that lives makes a volume; "" for none.
func (b *builder) restoring(v *schema.Volume) lineage.Node {
	for n, at := range b.readNodes() {
		for nqn := range at.Subsystems {
			if of, ok := b.cfg.Cluster.ParseRestore(nqn); ok && of.Volume.Name == v.Name && of.Run == at.Lock.Holder {
				return n.Name
			}
		}
	}
	return ""
}

// restored is the record that a volume is to be made of; nil for none.
func (b *builder) restored(from *schema.Restore, in *catalog.Archive) *catalog.Record {
	return in.Youngest(from.From(b.cfg.Cluster), from.Volume, from.Named())
}

// seatOf is the place of the first replica: where the engine is to be.
func (s *subject) seatOf(places []plan.Choice) plan.Choice {
	if i := slices.IndexFunc(places, func(c plan.Choice) bool { return c.Node == s.v.Engine }); i >= 0 {
		return places[i]
	}
	return places[0]
}

// fill has the first replica written. A try has an ID of its own: whoever began the one
// before and is not dead after all finds nothing of that name to go on with.
func (s *subject) fill(of origin, at plan.Choice) {
	why := of.why
	s.id = lineage.Volume{Name: s.v.Name, ID: s.b.newID(s.v.Name)}
	for _, left := range s.b.unfinished(s.v) {
		s.drop(left)
	}
	s.sec.after(plan.NodeKey(at.Node))
	p := s.b.pool(at.Node, at.Lvstore)
	size := s.b.size(s.v, []plan.Choice{at})
	p.taken += size
	s.sec.after(p.known...)
	staging := lineage.Staging{Volume: s.id, From: s.id.ID}
	if of.rec != nil {
		staging.From = of.rec.Of().Volume.ID
	}
	n := plan.At{Node: at.Node}
	s.sec.then(why, plan.RiskCreate, plan.LvolCreate{At: n, Lvstore: at.Lvstore, Name: staging.Lvol(), Size: size})
	s.b.copies[at.Node]++
	of.fill.At, of.fill.Lvstore, of.fill.Name, of.fill.Proven = n, at.Lvstore, staging.Lvol(), s.b.proven(at.Node)
	cut := s.fillLayers(of)
	head := lineage.Head{Volume: s.id, Epoch: cut + 1, Legs: 1, Cut: cut, Mark: lineage.Sealed, Check: s.check()}.Lvol()
	s.sec.then(why, plan.RiskCreate, plan.LvolRename{At: n, Lvstore: at.Lvstore, From: staging.Lvol(), To: head})
}

// fillLayers writes an image, and before it what the volume is to have as snapshots of what is
// recorded with it, and gives the epoch of the last of these.
func (s *subject) fillLayers(of origin) (cut lineage.Epoch) {
	write := of.fill
	if of.rec != nil {
		for _, r := range s.withIt(of.rec, of.in) {
			with := because(s.v.At("from"), "snapshot %s is restored with it: %s, recorded %s", r.Of().Snapshot, r.Layer, retention.Clock(r.Time))
			if r.Layer == of.rec.Layer {
				with = of.why
			}
			write.Image, write.Bytes = r.Layer, written(of.in, &r, write.Over)
			s.sec.then(with, plan.RiskCopy, write)
			cut++
			s.sec.then(with, plan.RiskCreate, plan.LvolSnapshot{At: write.At, Lvstore: write.Lvstore, Lvol: write.Name, Layer: lineage.Layer{Volume: s.id, Epoch: cut, Snapshot: r.Of().Snapshot}.Lvol()})
			write.Over = r.Layer
		}
		if write.Over == of.rec.Layer {
			return cut
		}
		write.Image, write.Bytes = of.rec.Layer, written(of.in, of.rec, write.Over)
	}
	s.sec.then(of.why, plan.RiskCopy, write)
	return cut
}

// withIt are the records that become snapshots of the volume that is made of one, the
// oldest first: those of the same incarnation up to that one, of snapshots that the volume is
// to have; of several of a name the youngest.
func (s *subject) withIt(rec *catalog.Record, in *catalog.Archive) (all []catalog.Record) {
	if s.v.Restore.Alone {
		return nil
	}
	last, of := map[string]catalog.Record{}, rec.Of()
	var names, lacking []string
	for _, r := range in.Of(rec.Cluster, of.Volume.Name) {
		if was := r.Of(); was.Volume == of.Volume && was.Epoch <= of.Epoch {
			if last[was.Snapshot].Layer == "" {
				names = append(names, was.Snapshot)
			}
			last[was.Snapshot] = r
		}
	}
	gone, _ := retention.LetGo(s.v, names, s.b.opt.Now)
	for _, name := range names {
		scheduled := s.v.Every > 0 && strings.HasPrefix(name, schema.AutoPrefix) && gone[name] == ""
		if slices.Contains(s.v.Snapshots, name) || scheduled {
			all = append(all, last[name])
		} else if last[name].Layer != rec.Layer && !strings.HasPrefix(name, schema.AutoPrefix) {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		s.b.warnOnce(plan.Finding{About: "volume " + s.v.Name, Pos: s.v.At("from"), Hint: "have them in its snapshots, and they are restored with it",
			Text: fmt.Sprintf("archive %s has other snapshots of %s, which it is not to have: %s", s.v.Restore.Archive, of.Volume.Name, strings.Join(lacking, ", "))})
	}
	slices.SortFunc(all, func(x, y catalog.Record) int { return cmp.Compare(x.Of().Epoch, y.Of().Epoch) })
	return all
}

// written is how much an image has at most that an older one has not: what was sent for it
// and for those that it was built on, down to the older; "" for none.
func written(in *catalog.Archive, rec *catalog.Record, over lineage.LvolName) int64 {
	bytes := int64(0)
	older, _ := lineage.ParseLayer(over)
	for r := rec; r != nil && bytes < rec.Size; r = in.Find(r.Cluster, r.Over) {
		bytes += r.Bytes
		if on, _ := lineage.ParseLayer(r.Over); on.Epoch <= older.Epoch {
			return min(bytes, rec.Size)
		}
	}
	return rec.Size
}

// unfinished are incarnations of a volume that is to be restored of which there is nothing
// but what an image is written to: what a try has left that was cut off. Where there is no
// such staging it was a volume, and is not touched.
func (b *builder) unfinished(v *schema.Volume) (all []lineage.Volume) {
	if v.Restore == nil && v.Image == nil {
		return nil
	}
	for _, id := range b.w.Incarnations(v.Name) {
		inc := b.w.Incarnation(id)
		written := slices.ContainsFunc(inc.Others, func(o state.Placed) bool {
			st, is := o.Lvol.Parsed.(lineage.Staging)
			return is && st.From != ""
		}) && !slices.ContainsFunc(inc.Others, func(o state.Placed) bool {
			st, is := o.Lvol.Parsed.(lineage.Staging)
			return is && (st.Follows || st.Forerunner())
		})
		if len(inc.Heads) == 0 && !inc.Running() && written {
			all = append(all, id)
		}
	}
	return all
}

// begun are the incarnations of a volume that it may become: what a restore has left, what
// hosts use before it is restored, and what follows.
func (b *builder) begun(v *schema.Volume) []lineage.Volume {
	all := b.unfinished(v)
	if f := b.follower(v); f != nil {
		all = append(all, f.id)
	}
	if f := b.forerunner(v); f != nil {
		all = append(all, f.id)
	}
	return all
}

// hide takes away by what runs that are over have written an incarnation: also the one that
// has the node locked, where only its hosts are to go on, for it has left them.
func (s *subject) hide(id lineage.Volume, why reason) {
	for n, at := range s.b.readNodes() {
		for _, nqn := range slices.Sorted(maps.Keys(at.Subsystems)) {
			if of, ok := s.b.cfg.Cluster.ParseRestore(nqn); ok && of.Volume == id && (at.Lock.Holder != of.Run || s.b.opt.ResumeOnly != nil) {
				s.sec.then(why, plan.RiskCreate, plan.SubsystemDelete{At: plan.At{Node: n.Name}, NQN: nqn})
			}
		}
	}
}

// drop deletes what a try has left: what stands on others before these.
func (s *subject) drop(left lineage.Volume) {
	why := because(s.v.At("from"), "it is left of a restore that was cut off, and nobody knows how far that came")
	s.hide(left, why)
	others := slices.Clone(s.b.w.Incarnation(left).Others)
	slices.SortStableFunc(others, func(x, y state.Placed) int {
		return -cmp.Compare(len(s.b.w.Nodes[x.Node].Below(x.Lvol)), len(s.b.w.Nodes[y.Node].Below(y.Lvol)))
	})
	for _, o := range others {
		s.b.withdraw(s.sec, why, o.Node, o.Lvol.UUID, "")
		s.sec.then(why, plan.RiskCreate, plan.LvolDelete{At: plan.At{Node: o.Node}, Lvstore: o.Lvol.Lvstore, Name: o.Lvol.Name})
	}
}
