package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// idleLinks are the links that carry nothing when the pass begins: a
// namespace that the pass itself removes keeps its link until the next.
func (b *builder) idleLinks() []lineage.Link {
	idle := map[plan.Key]lineage.Link{}
	for n, at := range b.readNodes() {
		for _, nqn := range b.links.subsystems(n.Name) {
			if l, _ := b.cfg.Cluster.ParseLink(nqn); l.From == n.Name && len(at.Subsystems[nqn].Namespaces) == 0 && !b.carries(l) {
				idle[plan.LinkKey(l)] = l
				b.links.empty[l] = true
			}
		}
		for _, ctrl := range at.Controllers {
			if l, ok := b.cfg.Cluster.ParseLink(ctrl.NQN); ok && l.To == n.Name && (ctrl.GivenUp() || b.gone(l)) && !b.carries(l) {
				idle[plan.LinkKey(l)] = l
				b.links.standing[l] = b.standOn(n.Name, ctrl.Name)
			}
		}
	}
	var links []lineage.Link
	for _, key := range slices.SortedFunc(maps.Keys(idle), plan.Key.Compare) {
		links = append(links, idle[key])
	}
	return links
}

// dropUnneeded lets go of the idle links nobody asked for.
func (b *builder) dropUnneeded(idle []lineage.Link) {
	for _, l := range idle {
		if !b.links.isNeeded(l) && b.cfg.Node(l.From) != nil && b.cfg.Node(l.To) != nil {
			b.dropLink(l, b.cfg.Cluster.LinkNQN(l))
		}
	}
}

// carries reports whether something on the link's peer stands on what it saw
// through it: a node that restarted shows nothing and is expected back.
func (b *builder) carries(l lineage.Link) bool {
	to, name := b.w.Nodes[l.To], b.w.Controller(l)
	if to == nil || to.Controllers[name] == nil || to.Controllers[name].GivenUp() {
		return false
	}
	return slices.ContainsFunc(b.w.Remotes(l.To, name), func(u lineage.UUID) bool { return b.w.Uses(l.To, u) })
}

// gone reports whether the link's subsystem is known not to exist.
func (b *builder) gone(l lineage.Link) bool {
	from := b.w.Nodes[l.From]
	return from != nil && from.Unknown == "" && from.Subsystems[b.cfg.Cluster.LinkNQN(l)] == nil
}

// standOn are the sections of the volumes that a controller carries legs of:
// their heads say first that these are current no more, and what shows a leg by
// itself is taken away while it is there.
func (b *builder) standOn(n lineage.Node, ctrl string) []plan.Key {
	to := b.w.Nodes[n]
	keys := map[plan.Key]bool{}
	add := func(v lineage.Volume) { keys[plan.VolumeKey(v.Name)] = true }
	for name, raid := range to.Raids {
		v, ok := b.cfg.Cluster.ParseRaid(name)
		for _, l := range raid.Legs {
			if r := to.Remotes[l.UUID]; ok && l.UUID != "" && r != nil && r.Controller == ctrl {
				add(v)
			}
		}
	}
	for p := range to.Shows() {
		leg := to.Backing(p.Bdev)
		if r := to.Remotes[leg]; r == nil || r.Controller != ctrl {
			continue
		}
		if owner := b.w.Nodes[b.w.Owner(leg)]; owner != nil && owner.LvolByUUID(leg).Parsed != nil {
			add(owner.LvolByUUID(leg).Parsed.Of())
		}
	}
	for _, key := range b.readers(n, ctrl) {
		keys[key] = true
	}
	return slices.SortedFunc(maps.Keys(keys), plan.Key.Compare)
}

// readers are the sections of the volumes of which an lvol reads through what a controller
// brings: what they do to it comes before the controller is let go, and not beside that,
// for to delete an lvol that has just lost what it reads through ends the target.
func (b *builder) readers(n lineage.Node, ctrl string) (keys []plan.Key) {
	for _, u := range b.w.Remotes(n, ctrl) {
		for _, l := range b.w.Readers(n, u) {
			if l.Parsed != nil {
				keys = append(keys, plan.VolumeKey(l.Parsed.Of().Name))
			}
		}
	}
	return slices.SortedFunc(slices.Values(keys), plan.Key.Compare)
}

func (b *builder) dropLink(l lineage.Link, nqn lineage.NQN) {
	from, to := b.w.Nodes[l.From], b.w.Nodes[l.To]
	ctrl := (*state.Controller)(nil)
	if to != nil && to.Unknown == "" {
		ctrl = to.Controllers[b.w.Controller(l)]
	}
	hung := ctrl != nil && ctrl.GivenUp() // let go whether its peer can be read or not
	if from == nil || to == nil || from.Unknown != "" && !hung || to.Unknown != "" || b.opt.Skip[plan.LinkKey(l)] || b.pinnedBy(l) != "" {
		return
	}
	if !b.mayDrop(ctrl) || ctrl != nil && b.kept(l.To, ctrl) != "" {
		return
	}
	sec := b.section(plan.LinkKey(l))
	unneeded := because(b.cfg.Node(l.From).Pos, "no volume needs the link from %s to %s", l.From, l.To)
	if ctrl != nil && ctrl.NQN == nqn {
		sec.after(b.links.standing[l]...)
		b.letGo(sec, b.orGivenUp(unneeded, l.To, ctrl), l.To, ctrl)
	}
	if from.Subsystems[nqn] != nil && b.links.empty[l] {
		sec.then(unneeded, plan.RiskCreate, plan.SubsystemDelete{At: plan.At{Node: l.From}, NQN: nqn})
	}
}
