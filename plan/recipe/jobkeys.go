package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Data goes between strata and a node when layers are backed up, compared or written. Where strata
// puts keys on the node's machine (ssh://), both prove themselves, by keys that are made for that
// one time: apply does so as part of the operation (backup.Job). Names have the run in them. A crash
// leaves keys that nobody uses:
//
//	detached  what the node is attached to, or shows, of a run that is over
//	dropped   the target knows the key no more
//	erased    the file is gone

// proven reports whether a node and strata prove themselves to each other, and notes why they do
// not.
func (b *builder) proven(n lineage.Node) bool {
	conf := b.cfg.Node(n)
	is, why := conf.Proves(b.w.Nodes[n].KeyFilesUnread)
	if !is {
		b.warnOnce(plan.Finding{
			About: "node " + string(n), Pos: conf.Pos, Text: "what goes between it and strata, to be backed up, restored or compared, is not authenticated, nor encrypted: " + why,
			Hint: "reach it by ssh://, as a user who may run a shell there, or see to it that nobody else can send packets between the two",
		})
	}
	return is
}

// endJobKeys takes away the keys of runs that are over. It comes after what used them has gone.
func (b *builder) endJobKeys() {
	for n, at := range b.readNodes() {
		for _, name := range jobKeys(b.cfg.Cluster, at) {
			k, _ := b.cfg.Cluster.ParseJobKey(name)
			key := plan.BackupKey(k.Volume.Name)
			if !b.may(k.Volume.Name, schema.DutyChange) || b.left(key) || b.usesKey(at, k) {
				continue
			}
			why, sec, on := because(schema.Pos{}, "nothing goes between strata and %s by it any more", n.Name), b.section(key), plan.At{Node: n.Name}
			if path := at.Keyring[name]; path != "" {
				sec.then(why, plan.RiskCreate, plan.KeyRemove{At: on, Name: name, Path: path})
			}
			if at.KeyFiles[name] {
				sec.then(why, plan.RiskCreate, plan.KeyErase{At: on, Name: name})
			}
		}
	}
}

// jobKeys are the names of such keys that a node has, in its target's keyring or as files.
func jobKeys(c lineage.Cluster, at *state.Node) (names []string) {
	for _, all := range [][]string{slices.Collect(maps.Keys(at.Keyring)), slices.Collect(maps.Keys(at.KeyFiles))} {
		for _, name := range all {
			if _, job := c.ParseJobKey(name); job && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// usesKey reports whether a key is used, or may be before the pass is over.
func (b *builder) usesKey(at *state.Node, k lineage.JobKey) bool {
	if len(b.opt.Busy[plan.BackupKey(k.Volume.Name)]) > 0 || len(b.opt.Busy[plan.VolumeKey(k.Volume.Name)]) > 0 {
		return true
	}
	nqn := b.cfg.Cluster.JobNQN(k)
	if at.Subsystems[nqn] != nil {
		return true
	}
	for _, c := range at.Controllers {
		if c.NQN == nqn {
			return true
		}
	}
	if k.Path == lineage.ImagePath {
		return b.touched(plan.VolumeKey(k.Volume.Name)) || b.forerunnerOf(b.w.Incarnation(k.Volume)) != nil
	}
	return at.Lock.Holder == k.Run
}
