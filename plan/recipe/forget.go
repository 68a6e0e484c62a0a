package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
	"strata/schema"
)

// What keep lets go of an archive's records goes in one section of the archive: records
// first, then the space that only they needed. When was that done last? No record says so.
// But who goes by what keep lets go at a time, and by what it let go a period before, needs
// to remember nothing: if anything was let go so long ago and is still there, all that is
// let go by now is forgotten at once. Then it is as long until anything is overdue again.
//
// Each incarnation is counted by itself: of a volume that was made anew the records before
// stay, down to what keep leaves of them. A crash after the records are gone leaves the
// space, which the next time frees.

// forgetRecords has records forgotten, archive by archive.
func (b *builder) forgetRecords() {
	for _, a := range b.cfg.Archives {
		in := b.backups.found[a.Name]
		if in.Doubt() != "" || b.left(plan.ArchiveKey(a.Name)) {
			continue
		}
		gone, n := b.tooMany(a, in)
		switch using := cmp.Or(b.using(a.Name), b.mayRead()); {
		case n == 0:
		case a.AppendOnly:
			b.note("archive "+a.Name, a.Pos, "", "%s that keep lets go: it is append-only", plural(n, "record stays in it", "records stay in it"))
		case using != "":
			b.note("archive "+a.Name, a.Pos, "", "what keep lets go of it is forgotten later: %s", using)
		default:
			b.forgetIn(a, gone)
		}
	}
}

// forgetIn removes records, and has their space freed.
func (b *builder) forgetIn(a *schema.Archive, gone []plan.RecordForget) {
	sec := b.section(plan.ArchiveKey(a.Name))
	sec.together(func() {
		for _, op := range gone {
			at := b.cfg.Volume(op.Volume).Backup.Pos
			sec.then(because(at, "keep lets them go, and some for %s by now", duration(period(a))), plan.RiskDestroy, op)
			b.backups.found = b.backups.found.Without(a.Name, b.cfg.Cluster, op.Layers)
		}
	})
	if a.Prune > 0 {
		sec.then(because(a.Pos, "what only they needed goes, every %s", duration(a.Prune)), plan.RiskReduce, plan.ArchivePrune{Archive: a.Name})
	}
}

// period is how long what keep lets go may stay.
func period(a *schema.Archive) int64 { return cmp.Or(a.Prune, day) }

// tooMany is what of an archive's records goes, by volume, and how many that are; none if
// nothing of it is overdue.
func (b *builder) tooMany(a *schema.Archive, in *catalog.Archive) (all []plan.RecordForget, n int) {
	overdue := false
	for _, v := range b.cfg.Volumes {
		if v.Backup == nil || v.Backup.To != a.Name || !b.may(v.Name, schema.DutyChange) {
			continue
		}
		op := plan.RecordForget{Archive: a.Name, Volume: v.Name}
		for _, id := range incarnationsIn(in, b.cfg.Cluster, v.Name) {
			if b.lent[id.ID] {
				continue
			}
			names := snapshotsOf(in, b.cfg.Cluster, id)
			gone, before := retention.Forgets(v.Backup, names, b.opt.Now), retention.Forgot(v.Backup, names, b.opt.Now-period(a))
			for _, r := range in.Of(b.cfg.Cluster, v.Name) {
				of := r.Of()
				if of.Volume == id && gone[of.Snapshot] != "" && !b.comesFrom(a.Name, in, r.Layer) && !slices.Contains(op.Layers, r.Layer) {
					op.Layers = append(op.Layers, r.Layer)
					overdue = overdue || before[of.Snapshot] != ""
				}
			}
		}
		if len(op.Layers) > 0 {
			all, n = append(all, op), n+len(op.Layers)
		}
	}
	if !overdue {
		return nil, 0
	}
	return all, n
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// incarnationsIn are those of a volume of which an archive has records.
func incarnationsIn(in *catalog.Archive, c lineage.Cluster, volume string) (ids []lineage.Volume) {
	for _, r := range in.Of(c, volume) {
		if id := r.Of().Volume; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// comesFrom reports whether a volume of the configuration is made of the record of a layer.
// Once it is made that is not needed, but who writes from names it.
func (b *builder) comesFrom(archive string, in *catalog.Archive, layer lineage.LvolName) bool {
	return slices.ContainsFunc(b.cfg.Volumes, func(v *schema.Volume) bool {
		if v.Restore == nil || v.Restore.Archive != archive {
			return false
		}
		if of, _ := lineage.ParseLayer(layer); v.Restore.Instant && v.Restore.Volume == of.Volume.Name && v.Restore.From(b.cfg.Cluster) == b.cfg.Cluster && !b.isThere(v.Name) {
			return true // hosts may read any of them, on a node that was not read, too
		}
		r := b.restored(v.Restore, in)
		return r != nil && r.Cluster == b.cfg.Cluster && r.Layer == layer
	})
}

// findLent finds the incarnations whose records hosts read when the pass begins, by the names of
// forerunners: the configuration may have forgotten what they are of.
func (b *builder) findLent() {
	for _, at := range b.readNodes() {
		for _, l := range at.Lvols {
			// By its name: what is in doubt may be what hosts use, too.
			if st, is := lineage.ParseForerunner(l.Name); is {
				b.lent[st.From] = true
			}
		}
	}
}

// mayRead says where there may be forerunners that were not found; "" for nowhere.
func (b *builder) mayRead() string {
	for _, n := range b.cfg.Nodes {
		for _, p := range b.ground.pools[n.Name] {
			if p.state == poolHidden || p.state == poolPending {
				return fmt.Sprintf("pool %s/%s is not read, and hosts may use a volume there that is being restored", n.Name, p.conf.Name)
			}
		}
	}
	return ""
}

// isThere reports whether there is a replica of a volume.
func (b *builder) isThere(volume string) bool {
	return slices.ContainsFunc(b.w.Incarnations(volume), func(id lineage.Volume) bool { return len(b.w.Incarnation(id).Heads) > 0 })
}

// using says what this run does in an archive that keeps others from having it for
// themselves; "" for nothing.
func (b *builder) using(archive string) string {
	for _, v := range b.cfg.Volumes {
		backs, made := v.Backup != nil && v.Backup.To == archive, v.Restore != nil && v.Restore.Archive == archive
		_, sends := b.opt.Busy[plan.BackupKey(v.Name)]
		_, fills := b.opt.Busy[plan.VolumeKey(v.Name)]
		at := func(key plan.Key) bool { return b.sections[key] != nil && b.sections[key].steps() > 0 }
		switch {
		case backs && (sends || at(plan.BackupKey(v.Name))):
			return fmt.Sprintf("volume %s is backed up there first", v.Name)
		case made && b.forerunner(v) != nil:
			return fmt.Sprintf("hosts of volume %s read from there", v.Name)
		case made && (fills || at(plan.VolumeKey(v.Name))):
			return fmt.Sprintf("volume %s comes from there first", v.Name)
		case backs && at(plan.VolumeKey(v.Name)):
			return fmt.Sprintf("volume %s may have a snapshot to be recorded first", v.Name)
		}
	}
	return b.pruning(archive)
}

// pruning says that this run frees space in an archive; "" when it does not.
func (b *builder) pruning(archive string) string {
	if _, busy := b.opt.Busy[plan.ArchiveKey(archive)]; busy {
		return fmt.Sprintf("archive %s is being pruned", archive)
	}
	return ""
}
