package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
)

// released reports whether the operator lets a volume go that is not configured,
// or an incarnation of one that is. That one must not be the last with a head or an
// engine.
func (c *Checker) released(section plan.Key) bool {
	of, ok := section.Volume()
	if !ok || !c.granted(plan.IncarnationGrant(of)) {
		return false
	}
	if c.cfg.Volume(of.Name) == nil {
		return true
	}
	lives := func(id lineage.Volume) bool {
		inc := c.w.Incarnation(id)
		return len(inc.Heads) > 0 || inc.Running()
	}
	return of.ID != "" && (!lives(of) || slices.ContainsFunc(c.w.Incarnations(of.Name), func(o lineage.Volume) bool { return o != of && lives(o) }))
}

// permitted refuses what destroys data that nobody has released.
func (c *Checker) permitted(s *plan.Section, step *plan.Step) error {
	if del, ok := step.Op.(plan.RaidDelete); ok && step.Risk == plan.RiskDestroy {
		if id, _ := c.cfg.Cluster.ParseRaid(del.Raid); c.cfg.Whole(id.Name) != nil {
			return fmt.Errorf("%s is configured, and what lays it out would be destroyed", id.Name)
		}
	}
	if step.Risk != plan.RiskDestroy || c.released(s.Key()) {
		return nil
	}
	if _, record := step.Op.(plan.RecordForget); record {
		return nil // the policy releases it, or it is refused (forget)
	}
	volume := "" // of the section of a node there is none, whatever the node is called
	if s.Kind == plan.KindVolume {
		volume = s.Name
	}
	if c.pruned(volume, step.Op) {
		return nil
	}
	if v := c.cfg.Volume(volume); v != nil && v.Protect {
		return fmt.Errorf("%s is protected", volume)
	}
	replica := plan.ReplicaGrant(volume, step.Op.On())
	grant := replica
	switch op := step.Op.(type) {
	case plan.LvolDelete:
		if l, ok := lineage.ParseLayer(op.Name); ok {
			grant = plan.LayerGrant(volume, l.Snapshot)
		}
	case plan.LvolRename:
		grant = plan.HeadGrant(volume)
	case plan.LvstoreCreate:
		grant = diskGrant(c.cfg.Node(op.Node), op.Lvstore)
	default: // of the replica on that node
	}
	if !c.granted(grant) && !c.granted(replica) {
		return fmt.Errorf("it destroys data, and %s was not released", grant)
	}
	return nil
}

// pruned reports whether the policy in the configuration lets a snapshot on
// schedule go: that releases it, of a protected volume, too.
func (c *Checker) pruned(volume string, op plan.Op) bool {
	d, ok := op.(plan.LvolDelete)
	if !ok {
		return false
	}
	l, ok := lineage.ParseLayer(d.Name)
	v := c.cfg.Volume(volume)
	if !ok || v == nil || l.Own || l.Volume.Name != volume {
		return false
	}
	layers := c.counted(l.Volume)
	if !slices.Contains(layers, l) {
		return false
	}
	if younger := slices.ContainsFunc(layers, func(o lineage.Layer) bool { return o.Epoch > l.Epoch }); !younger && c.follows(l.Volume) {
		return false // it is what will be served
	}
	var snapshots []string
	for _, l := range layers {
		snapshots = append(snapshots, l.Snapshot)
	}
	gone, _ := retention.LetGo(v, snapshots, c.opt.Now)
	_, let := gone[l.Snapshot]
	return let
}

// counted are the layers with users' snapshots and those on schedule that the
// current copies have, and that count: the heads say so, or those of another volume of
// the group. Of what follows all do.
func (c *Checker) counted(id lineage.Volume) []lineage.Layer {
	inc := c.w.Incarnation(id)
	var cut lineage.Epoch
	var found []lineage.Layer
	if len(inc.Heads) == 0 && c.follows(id) {
		for _, o := range inc.Others {
			if l, is := o.Lvol.Parsed.(lineage.Layer); is {
				found, cut = append(found, l), max(cut, l.Epoch)
			}
		}
	}
	for _, leg := range c.judge(id).Legs {
		if leg.Head == nil {
			continue
		}
		cut = max(cut, leg.Head.Name.Cut)
		for _, l := range inc.Layers(leg.Node, leg.Head.Lvol.Lvstore) {
			found = append(found, l.Parsed.(lineage.Layer))
		}
	}
	if v := c.cfg.Volume(id.Name); v != nil && v.Group != "" {
		var group []string
		for _, o := range c.cfg.Volumes {
			if o.Group == v.Group {
				group = append(group, o.Name)
			}
		}
		for _, l := range found {
			if !l.Own && l.Epoch > cut && c.w.CutTogether(l, group) {
				cut = l.Epoch
			}
		}
	}
	return slices.DeleteFunc(found, func(l lineage.Layer) bool { return l.Own || l.Epoch > cut })
}
