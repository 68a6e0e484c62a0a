package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// letGoLost lets go of the peers that are waited for no more, once the names of every
// volume with a leg there say that it is out. A volume that has no other leg goes
// down with its peer, so for its sake alone none is let go.
func (b *builder) letGoLost() {
	for _, w := range b.links.waiting {
		l := b.links.lost[w.Link]
		if l == nil || b.left(plan.LinkKey(w.Link)) {
			continue
		}
		if b.usesNow(plan.LinkKey(w.Link)) {
			b.restless = true // volumes with legs there are not touched, and say then what they say now
			continue
		}
		keys, free := b.keptBy(l)
		if !free || len(keys) == 0 {
			continue
		}
		sec := b.section(plan.LinkKey(w.Link)).after(keys...).after(l.first...)
		b.links.dropped[w.At] = true
		sec.then(l.why, plan.RiskReduce, plan.ControllerDisable{At: plan.At{Node: w.At}, Controller: w.Controller})
		sec.then(l.why, plan.RiskReduce, plan.ControllerDetach{At: plan.At{Node: w.At}, Controller: w.Controller})
	}
}

// usesNow reports whether this pass makes something over a link, or makes the link itself:
// what would use it afterwards is to see first that it is gone.
func (b *builder) usesNow(link plan.Key) bool {
	if sec := b.sections[link]; sec != nil && sec.steps() > 0 {
		return true
	}
	return slices.ContainsFunc(b.made, func(s *section) bool { return s.steps() > 0 && slices.Contains(s.After, link) })
}

// keptBy returns the sections that say of all volumes that their legs on a link are
// out. Of those that do not it says why, and that they keep the link.
func (b *builder) keptBy(l *lost) (keys []plan.Key, free bool) {
	at, free := b.w.Nodes[l.At], true
	for _, v := range b.lone(l.At, l.Controller) {
		if key, said := l.said[v]; said {
			keys = append(keys, key)
		} else if b.may(v.Name, schema.DutyFence) && b.replaced(l.At, v) {
			keys = append(keys, plan.VolumeKey(v.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(at.Raids)) {
		raid := at.Raids[name]
		if !slices.ContainsFunc(l.Legs, raid.Has) || raid.Laid != nil { // of a part with one replica, its leg is all there is
			continue
		}
		v, ours := b.cfg.Cluster.ParseRaid(name)
		others := slices.ContainsFunc(raid.Legs, func(leg state.Leg) bool { return leg.Configured && !slices.Contains(l.Legs, leg.UUID) })
		switch key, said := l.said[v]; {
		case ours && said:
			keys = append(keys, key)
		case ours && b.may(v.Name, schema.DutyFence) && b.replaced(l.At, v):
			keys = append(keys, plan.VolumeKey(v.Name))
		case ours && !b.w.ShowsRaid(l.At, raid): // nobody writes, so nothing is acknowledged without it
		case others:
			free = false
			b.heldBy(l, name, v, ours)
		}
	}
	return keys, free
}

// heldBy says that a volume keeps a link from being let go, why, and what to do.
func (b *builder) heldBy(l *lost, raid string, v lineage.Volume, ours bool) {
	why, hint := "its next epoch cannot be written", fmt.Sprintf("make %s work again, or see what is said of volume %s", l.From, v.Name)
	switch {
	case !ours:
		why, hint = "it is no RAID of the cluster's", fmt.Sprintf("take that leg out of %s, or make %s work again", raid, l.From)
	case b.cfg.Volume(v.Name) == nil:
		why, hint = fmt.Sprintf("volume %s is not configured, so its next epoch is not written", v.Name), "put it back until its replica is let go, or release it with "+b.grant(v).Flag()
	case !b.may(v.Name, schema.DutyFence):
		why, hint = "its next epoch is not written without a person", "strata apply does it; with \"fence\" in its auto it is done without"
	case b.opt.Skip[plan.VolumeKey(v.Name)]:
		why, hint = fmt.Sprintf("what was to be done to volume %s failed", v.Name), "run again"
	}
	b.blockAlone("link "+l.Link.String(), b.posOf(l.At), hint, "%s is gone and not let go: RAID %s on %s has a leg there, and %s", l.From, raid, l.At, why)
}
