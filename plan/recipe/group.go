package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
)

// cutGroups cuts the layers that are due, each group of volumes at one
// instant. A group waits until all its volumes can be cut.
func (b *builder) cutGroups() {
	b.doing = cutting.name
	defer func() { b.doing = "" }()
	groups := map[plan.Key][]cut{}
	for _, c := range b.cuts {
		group := plan.VolumeKey(c.s.v.Name)
		if c.s.v.Group != "" && !c.own {
			group = plan.GroupKey(c.s.v.Group)
		}
		groups[group] = append(groups[group], c)
	}
	for _, key := range slices.SortedFunc(maps.Keys(groups), plan.Key.Compare) {
		cuts := groups[key]
		if b.opt.Skip[key] {
			continue
		}
		if key.Kind != plan.KindGroup {
			b.cutNow(cuts[0].s.sec, cuts)
			continue
		}
		name := key.Name
		if late := b.late(name, cuts); late != "" {
			for _, c := range cuts {
				b.touch(c.s.v.Name)
				b.block("volume "+c.s.v.Name, c.why.pos, "", "snapshot %s waits: its group %s is cut together, and %s", c.snapshot, name, late)
			}
			continue
		}
		cuts[0].why.text += b.latecomer(name, cuts)
		sec := b.section(key)
		for _, c := range cuts {
			sec.after(c.s.sec.Key())
		}
		b.cutNow(sec, cuts)
	}
}

// group are the volumes of a group.
func (b *builder) group(name string) (all []*schema.Volume) {
	for _, v := range b.cfg.Volumes {
		if v.Group == name {
			all = append(all, v)
		}
	}
	return all
}

// uncut are the volumes of a group that are not cut now.
func (b *builder) uncut(group string, cuts []cut) []*schema.Volume {
	return slices.DeleteFunc(b.group(group), func(v *schema.Volume) bool {
		return slices.ContainsFunc(cuts, func(c cut) bool { return c.s.v == v })
	})
}

// late says which volume of the group is not ready to be cut with the others.
func (b *builder) late(group string, cuts []cut) string {
	for _, v := range b.uncut(group, cuts) {
		s := b.subjects[v.Name]
		if s == nil || s.late {
			return "volume " + v.Name + " is not ready"
		}
		for _, c := range cuts {
			if slices.Contains(v.Snapshots, c.snapshot) && s.find(s.layersOf(), c.snapshot) == nil {
				return "volume " + v.Name + " is not ready"
			}
		}
	}
	return ""
}

// latecomer adds to the reason of a cut that another volume of the group has the
// snapshot already. None of them is late.
func (b *builder) latecomer(group string, cuts []cut) string {
	for _, v := range b.uncut(group, cuts) {
		s := b.subjects[v.Name]
		for _, c := range cuts {
			if s.find(s.layersOf(), c.snapshot) != nil {
				return fmt.Sprintf("; %s, of the same group, has %s from before, so the two are not of one instant", v.Name, c.snapshot)
			}
		}
	}
	return ""
}

// tag finds the one for layers that are cut now by which epochs have to jump
// least; false where there is no group. There always is one: volumes that were
// cut together share theirs.
func (b *builder) tag(cuts []cut) (tag lineage.Epoch, ok bool) {
	group := cuts[0].s.v.Group
	if group == "" || cuts[0].own {
		return 0, false
	}
	used := map[lineage.Epoch]bool{}
	for _, v := range b.group(group) {
		for _, id := range b.w.Incarnations(v.Name) {
			for _, l := range world.UserLayers(b.w.Incarnation(id)) {
				if slices.ContainsFunc(cuts, func(c cut) bool { return c.snapshot == l.Snapshot }) {
					used[l.Epoch%world.CutTags] = true
				}
			}
		}
	}
	var next []lineage.Epoch
	for _, c := range cuts {
		next = append(next, c.s.nextCut())
	}
	least := lineage.Epoch(world.CutTags)
	for t := range lineage.Epoch(world.CutTags) {
		var jump lineage.Epoch
		for _, e := range next {
			jump = max(jump, tagged(e, t)-e)
		}
		if jump < least && !used[t] {
			tag, least = t, jump
		}
	}
	return tag, true
}

// tagged is the first epoch from e on that has a tag.
func tagged(e, tag lineage.Epoch) lineage.Epoch {
	return e + (tag+world.CutTags-e%world.CutTags)%world.CutTags
}

// groupCut is the epoch of the youngest layer of the volume that was cut with
// its group and that another volume says counts; 0 for none. own is that of
// the youngest layer that the volume itself says counts.
func (s *subject) groupCut(own lineage.Epoch) (cut lineage.Epoch) {
	if s.v.Group == "" {
		return 0
	}
	var group []string
	for _, v := range s.b.group(s.v.Group) {
		group = append(group, v.Name)
	}
	for _, l := range world.UserLayers(s.inc) {
		if l.Epoch > max(own, cut) && s.b.w.CutTogether(l, group) {
			cut = l.Epoch
		}
	}
	return cut
}

// undecided says why it cannot be told whether a layer counts: another volume
// of its group may be on a node that could not be read; "" when it can.
func (s *subject) undecided(l *layer) string {
	if s.v.Group == "" || l.Own || s.hidden == 0 || s.committed(l) {
		return ""
	}
	return fmt.Sprintf("it was cut with group %s, and %s that may tell whether that cut was complete could not be read", s.v.Group, amount.Of(s.hidden, "node"))
}
