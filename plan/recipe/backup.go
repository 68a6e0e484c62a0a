package recipe

import (
	"cmp"
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

// Backing up a layer has one rung, and its fact is the record: that is made last, when
// all clusters have come. A crash leaves stored packs, which the next try uses again, and
// for some seconds a controller on the node, whose name says which run it is of (ended).
// While a layer is sent, no layer of the volume goes on that node, nor of one that it was
// cloned from (sending).

// backups is what archives hold, as the steps leave it.
type backups struct {
	cluster lineage.Cluster
	found   catalog.Catalog
}

// took notes a layer as recorded.
func (k *backups) took(op plan.Backup, block int64) {
	k.found = k.found.With(op.Archive, catalog.Record{Cluster: k.cluster, Layer: op.Layer, Over: op.Over, Block: block, Bytes: op.Bytes})
}

// knows reports whether an archive has a record of an incarnation.
func (k *backups) knows(id lineage.Volume) bool {
	for _, in := range k.found {
		if slices.ContainsFunc(in.Of(k.cluster, id.Name), func(r catalog.Record) bool { return r.Of().Volume == id }) {
			return true
		}
	}
	return false
}

// backup has the oldest snapshot recorded that is to be in an archive and is not, from
// one of the current replicas. It waits until nothing else is done to the volume.
func (s *subject) backup() result {
	want := s.v.Backup
	if want == nil || s.sec.steps() > 0 || s.b.left(plan.BackupKey(s.v.Name)) {
		return idle
	}
	in := s.b.backups.found[want.To]
	if why := in.Doubt(); why != "" {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("backup"), "", "its snapshots are not backed up: archive %s could not be read: %s", want.To, why)
		return blocked
	}
	l := s.unrecorded(in)
	if l == nil {
		return idle
	}
	if s.check() == lineage.Unkeyed { // it may have been made of what was written with a key
		s.b.note("volume "+s.v.Name, s.v.At("backup"), "", "snapshot %s is backed up later: %s is encrypted, and before it is shown to hosts nothing says with which key", l.Snapshot, s.v.Name)
		return idle
	}
	if why := cmp.Or(s.b.backingUp(s.id), s.b.pruning(want.To)); why != "" {
		s.b.note("volume "+s.v.Name, s.v.At("backup"), "", "snapshot %s is backed up later: %s", l.Snapshot, why)
		return idle
	}
	return s.record(l, in)
}

// unrecorded is the oldest layer that is to be in the archive and is not; nil for none.
func (s *subject) unrecorded(in *catalog.Archive) *layer {
	all := s.layersOf()
	var have []string
	for _, l := range all {
		if !l.Own && s.committed(l) && s.v.Backup.Wants(l.Snapshot) {
			have = append(have, l.Snapshot)
		}
	}
	due := retention.Records(s.v.Backup, have, snapshotsOf(in, s.b.cfg.Cluster, s.id), s.b.opt.Now)
	for _, l := range all {
		wanted := !l.Own && s.committed(l) && s.find(all, l.Snapshot) == l && s.v.Backup.Wants(l.Snapshot) &&
			(slices.Contains(s.v.Snapshots, l.Snapshot) || due[l.Snapshot])
		if wanted && in.Find(s.b.cfg.Cluster, l.name) == nil {
			return l
		}
	}
	return nil
}

// recordedLast is the snapshot of the youngest record, which the next one is built on: its
// layer stays until there is a younger one. "" where there is none, or the archive was not
// read.
func (s *subject) recordedLast() string {
	if s.v.Backup == nil {
		return ""
	}
	last := ""
	for _, r := range s.b.backups.found[s.v.Backup.To].Of(s.b.cfg.Cluster, s.v.Name) {
		if of := r.Of(); of.Volume == s.id {
			last = of.Snapshot
		}
	}
	return last
}

// snapshotsOf are those of an incarnation of which an archive has records.
func snapshotsOf(in *catalog.Archive, c lineage.Cluster, id lineage.Volume) (names []string) {
	for _, r := range in.Of(c, id.Name) {
		if of := r.Of(); of.Volume == id {
			names = append(names, of.Snapshot)
		}
	}
	return names
}

// record sends a layer from one of the replicas that have it whole.
func (s *subject) record(l *layer, in *catalog.Archive) result {
	from := s.sources(l)
	if len(from) == 0 {
		s.b.blockAlone("volume "+s.v.Name, s.v.At("backup"), "", "snapshot %s is not backed up: no current replica has all of it on its own node", l.Snapshot)
		return blocked
	}
	for _, src := range from {
		if s.full(src.Node) == "" {
			s.send(src, in)
			return acted
		}
	}
	s.b.note("volume "+s.v.Name, s.v.At("backup"), "", "snapshot %s is backed up later: %s", l.Snapshot, s.full(from[0].Node))
	return idle
}

// source is a layer on a node.
type source struct {
	*state.Lvol
	Node lineage.Node
}

// sources are where a layer can be read whole: those first that serve no hosts, and that
// copy least.
func (s *subject) sources(l *layer) (all []source) {
	for i, on := range l.on {
		n := s.Legs[i].Node
		if on == nil {
			continue
		}
		if below := s.b.w.Nodes[n].Below(on); on.Complete() && (len(below) == 0 || below[len(below)-1].Complete()) {
			all = append(all, source{on, n})
		}
	}
	slices.SortStableFunc(all, func(x, y source) int {
		if a, b := x.Node == s.engine, y.Node == s.engine; a != b {
			return map[bool]int{true: 1, false: -1}[a]
		}
		return cmp.Compare(s.b.copiesAt(x.Node), s.b.copiesAt(y.Node))
	})
	return all
}

// send sends a layer over the youngest one below it that the archive has.
func (s *subject) send(src source, in *catalog.Archive) {
	at := s.b.w.Nodes[src.Node]
	cluster := clusterSize(at, src.Lvstore)
	op := plan.Backup{At: plan.At{Node: src.Node}, Archive: s.v.Backup.To, Lvstore: src.Lvstore, Layer: src.Name, Bytes: src.Allocated * cluster, Check: s.check(), Proven: s.b.proven(src.Node)}
	block := catalog.Block(cluster)
	for _, below := range at.Below(src.Lvol) {
		if r := in.Find(s.b.cfg.Cluster, below.Name); r != nil && fits(r.Block, cluster) {
			op.Over, block = below.Name, r.Block
			break
		}
		op.Below = slices.Insert(op.Below, 0, below.Name)
		op.Bytes += below.Allocated * cluster
	}
	of, _ := lineage.ParseLayer(src.Name)
	why := because(s.v.At("backup"), "archive %s lacks snapshot %s of %s; %s", op.Archive, of.Snapshot, s.v.Name, s.built(op, at, src, in, cluster))
	sec := s.b.section(plan.BackupKey(s.v.Name))
	for _, below := range at.Below(src.Lvol) { // of a clone they are another volume's, which may merge some
		if below.Parsed != nil && below.Parsed.Of() != s.id {
			sec.after(plan.VolumeKey(below.Parsed.Of().Name))
		}
	}
	s.b.copies[src.Node]++
	sec.then(why, plan.RiskCopy, op)
	s.b.backups.took(op, block)
}

// warnOnce says something once in a plan, whatever passes follow.
func (p *passes) warnOnce(f plan.Finding) {
	if !slices.Contains(p.warnings, f) {
		p.warnings = append(p.warnings, f)
	}
}

// fits reports whether clusters of that size are whole blocks.
func fits(block, cluster int64) bool { return block > 0 && cluster%block == 0 }

// built says on what a record is built, and why not on more.
func (s *subject) built(op plan.Backup, at *state.Node, src source, in *catalog.Archive, cluster int64) string {
	var last *catalog.Record // the youngest before it of this incarnation
	for _, r := range in.Of(s.b.cfg.Cluster, s.v.Name) {
		if of := r.Of(); of.Volume == s.id && of.Epoch < src.Parsed.(lineage.Layer).Epoch {
			last = &r
		}
	}
	below := slices.ContainsFunc(at.Below(src.Lvol), func(l *state.Lvol) bool { return last != nil && l.Name == last.Layer })
	switch {
	case op.Over != "" && (last == nil || last.Layer == op.Over):
		return fmt.Sprintf("what differs from %s, which is there, is sent", op.Over)
	case op.Over != "":
		return fmt.Sprintf("%s, which is there, was merged away since, so what differs from %s is sent", last.Layer, op.Over)
	case last == nil:
		return "nothing of what it stands on is there, so all of it is sent"
	case below:
		return fmt.Sprintf("%s is there in pieces of %s, and clusters on %s have %s, so all of it is sent", last.Layer, amount.Bytes(last.Block), src.Node, amount.Bytes(cluster))
	}
	return fmt.Sprintf("%s, which is there, was merged away since, and nothing else that it stands on is, so all of it is sent", last.Layer)
}

// backingUp says that layers of a volume are being sent, by this run or by another; "" when
// none are.
func (b *builder) backingUp(id lineage.Volume) string {
	if nodes := b.opt.Busy[plan.BackupKey(id.Name)]; len(nodes) > 0 {
		return fmt.Sprintf("a layer is being backed up from %s", nodes[0])
	}
	for _, n := range b.cfg.Nodes {
		if why := b.sending(n.Name, id); why != "" {
			return why
		}
	}
	return ""
}

// sending says that a layer of a volume is being sent from a node, or one that stands on a
// layer of it: of a clone all may be sent; "" when none is.
func (b *builder) sending(n lineage.Node, id lineage.Volume) string {
	at := b.w.Nodes[n]
	for key, nodes := range b.opt.Busy {
		if key.Kind == plan.KindBackup && slices.Contains(nodes, n) && (key.Name == id.Name || standsOn(at, key.Name, id)) {
			return fmt.Sprintf("a layer is being backed up from %s", n)
		}
	}
	if at == nil {
		return ""
	}
	for _, c := range at.Controllers {
		if job, ok := b.cfg.Cluster.ParseBackup(c.NQN); ok && (job.Volume == id || standsOn(at, job.Volume.Name, id)) {
			return fmt.Sprintf("a layer is being backed up from %s", n)
		}
	}
	return ""
}

// standsOn reports whether an lvol of a volume stands on one of another there.
func standsOn(at *state.Node, volume string, on lineage.Volume) bool {
	if at == nil || volume == on.Name {
		return false
	}
	for _, l := range at.Lvols {
		if l.Parsed != nil && l.Parsed.Of().Name == volume && slices.ContainsFunc(at.Below(l), func(x *state.Lvol) bool { return x.Parsed != nil && x.Parsed.Of() == on }) {
			return true
		}
	}
	return false
}

// sends says that a layer which stands on that one is to be sent in this pass; "" when none
// is.
func (b *builder) sends(n lineage.Node, on *state.Lvol) string {
	at := b.w.Nodes[n]
	for _, l := range at.Lvols {
		if l.Parsed == nil {
			continue
		}
		if sec := b.sections[plan.BackupKey(l.Parsed.Of().Name)]; sec != nil && sec.steps() > 0 && slices.Contains(at.Below(l), on) {
			return fmt.Sprintf("a layer of %s is backed up from %s first", l.Parsed.Of().Name, n)
		}
	}
	return ""
}

// endBackups takes away what nodes are attached to of runs that are over: they do not have
// the node locked any more. It comes after the volumes, whose layers stay until then.
func (b *builder) endBackups() {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			c := at.Controllers[name]
			job, ok := b.cfg.Cluster.ParseBackup(c.NQN)
			if !ok || c.State == "deleting" || at.Lock.Holder == job.Run || !b.may(job.Volume.Name, schema.DutyChange) || len(b.opt.Busy[plan.BackupKey(job.Volume.Name)]) > 0 || b.left(plan.BackupKey(job.Volume.Name)) {
				continue
			}
			why := because(schema.Pos{}, "the run that backed up %s from %s is over", job.Volume, n.Name)
			disconnect(b.section(plan.BackupKey(job.Volume.Name)), why, n.Name, c)
		}
		for _, nqn := range slices.Sorted(maps.Keys(at.Subsystems)) {
			job, ok := b.cfg.Cluster.ParseRestore(nqn)
			if _, busy := b.opt.Busy[plan.VolumeKey(job.Volume.Name)]; !ok || busy || at.Lock.Holder == job.Run || !b.may(job.Volume.Name, schema.DutyChange) || b.left(plan.BackupKey(job.Volume.Name)) {
				continue
			}
			why := because(schema.Pos{}, "the run that wrote %s to %s is over", job.Volume, n.Name)
			b.section(plan.BackupKey(job.Volume.Name)).then(why, plan.RiskCreate, plan.SubsystemDelete{At: plan.At{Node: n.Name}, NQN: nqn})
		}
	}
}
