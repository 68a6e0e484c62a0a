package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// orphans deals with volumes that are there but not configured: they are kept
// and reported until the operator releases them by name.
func (b *builder) orphans() {
	for _, name := range b.w.Volumes() {
		if b.cfg.Shown(name) != nil || b.inWhole(name) {
			continue
		}
		for _, id := range b.w.Incarnations(name) {
			inc := b.w.Incarnation(id)
			if len(inc.Heads)+len(inc.Others)+len(pieces(inc))+len(inc.Standbys) == 0 {
				if len(inc.Keyed) > 0 {
					b.forgetKeys(b.section(plan.IncarnationKey(id)), because(schema.Pos{}, "there is nothing left of it"), inc, "")
				}
				continue
			}
			switch {
			case b.opt.AllowDestroy.Volume(name):
				b.destroy(inc, plan.VolumeGrant(name))
			case b.opt.AllowDestroy.Incarnation(id):
				b.destroy(inc, plan.IncarnationGrant(id))
			default:
				b.note("volume "+name, schema.Pos{}, "put it back, or release it with "+b.grant(id).Flag(),
					"it is not configured but exists as %s on %s; it is kept", id, placesOf(inc))
			}
		}
	}
}

// Unconfigured are the volumes that are there and not configured, sorted. What is of a
// configured volume, such as an incarnation that is not in use, is none of them; parts count
// as the volume that is laid out over them.
func Unconfigured(cfg *schema.Config, snap *state.Snapshot) (names []string) {
	for _, name := range world.Fit(cfg, snap).Volumes() {
		name = lineage.Volume{Name: name}.Whole().Name
		if cfg.Shown(name) == nil && cfg.Volume(name) == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// grant is what releases an incarnation that is not configured, and no other.
func (b *builder) grant(id lineage.Volume) plan.Grant {
	if len(b.w.Incarnations(id.Name)) > 1 {
		return plan.IncarnationGrant(id)
	}
	return plan.VolumeGrant(id.Name)
}

func placesOf(inc *state.Incarnation) string {
	var nodes []string
	add := func(n lineage.Node) {
		if !slices.Contains(nodes, string(n)) {
			nodes = append(nodes, string(n))
		}
	}
	for _, h := range inc.Heads {
		add(h.Node)
	}
	for _, o := range inc.Others {
		add(o.Node)
	}
	for _, p := range pieces(inc) {
		add(p.on())
	}
	for _, e := range inc.Standbys {
		add(e.Node)
	}
	text := ""
	for i, n := range nodes {
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}

// clonedBy says what was cloned from a layer of the volume, and how that ends;
// "" when nothing was.
func (b *builder) clonedBy(inc *state.Incarnation) (what, hint string) {
	for _, o := range inc.Others {
		for _, child := range o.Lvol.Children {
			if p, ok := lineage.Parse(child); !ok {
				return fmt.Sprintf("%s/%s on %s", o.Lvol.Lvstore, child, o.Node), fmt.Sprintf("delete it, or run on %s: rpc.py bdev_lvol_decouple_parent %s/%s", o.Node, o.Lvol.Lvstore, child)
			} else if p.Of() != inc.Volume {
				return "volume " + p.Of().Name, "destroy " + p.Of().Name + " first, or set detach: true on it"
			}
		}
	}
	return "", ""
}

// destroy deletes an incarnation that was released: its stack, namespaces on links, lvols.
// While a node that may be its engine cannot be read, nothing is deleted under
// an engine that may be running.
func (b *builder) destroy(inc *state.Incarnation, by plan.Grant) {
	key := plan.VolumeKey(inc.Volume.Name)
	if by.ID != "" {
		key = plan.IncarnationKey(inc.Volume)
	}
	if b.left(key) {
		return
	}
	if len(inc.Foreign) > 0 {
		b.block(key.String(), schema.Pos{}, "", "it is released, but %s, which is not of cluster %s", inc.Foreign[0], b.cfg.Cluster)
		return
	}
	if len(pieces(inc)) == 0 {
		for _, n := range b.cfg.Nodes {
			if at := b.w.Nodes[n.Name]; at == nil || at.Unknown != "" {
				b.block(key.String(), schema.Pos{}, "restore "+string(n.Name)+" and run again", "it is released, but its engine may run on %s, which cannot be read", n.Name)
				return
			}
		}
	}
	if why := b.backingUp(inc.Volume); why != "" {
		b.block(key.String(), schema.Pos{}, "", "it is released, but %s", why)
		return
	}
	if clone, hint := b.clonedBy(inc); clone != "" {
		b.block(key.String(), schema.Pos{}, hint, "it is released, but %s was cloned from it", clone)
		return
	}
	for _, o := range inc.Others {
		if to := b.shownToUnread(o.Node, o.Lvol.UUID); to != "" {
			b.block(key.String(), schema.Pos{}, "restore "+string(to)+" and run again", "it is released, but a head of it on %s, which cannot be read, may read through %s", to, o.Lvol.Name)
			return
		}
	}
	what := "configured"
	if b.cfg.Volume(inc.Volume.Name) != nil {
		what = "in use"
	}
	if whole := inc.Volume.Whole(); whole != inc.Volume {
		b.section(key).after(plan.VolumeKey(whole.Name)) // what is laid out over it goes first
	}
	sec, why := b.section(key), because(schema.Pos{}, "it is not %s, and was released with %s", what, by.Flag())
	for p := range above(inc, atLegs) {
		sec.then(why, plan.RiskDestroy, p.ending())
	}
	b.forgetKeys(sec, why, b.w.Incarnation(inc.Volume), "")
	for _, e := range inc.Standbys {
		sec.then(why, plan.RiskDestroy, exportPiece{e}.ending())
	}
	places := map[lineage.Place]bool{}
	for _, h := range inc.Heads {
		places[h.Place()] = true
		b.withdraw(sec, why, h.Node, h.Lvol.UUID, "")
	}
	for _, h := range inc.Heads {
		if !h.Lvol.Complete() { // before what it reads through goes
			sec.then(why, plan.RiskDestroy, plan.LvolDelete{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, Name: h.Lvol.Name})
		}
	}
	inc = b.w.Incarnation(inc.Volume)
	for _, o := range inc.Others {
		places[o.Place()] = true
		b.withdraw(sec, why, o.Node, o.Lvol.UUID, "")
	}
	for _, at := range slices.SortedFunc(maps.Keys(places), lineage.Place.Compare) {
		b.deleteStack(sec, why, at, inc, plan.RiskDestroy)
	}
}
