package recipe

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// blocks is how many blocks of an lvol the model knows.
const blocks = 4

// blob is what an lvol holds: by block, the last write to it, 0 for none; the
// rest is seen through what it stands on, on its own node or on another.
type blob struct {
	own   [blocks]uint64
	below lineage.UUID
	esnap bool  // below is read through a link
	size  int64 // of an esnap clone, for a degraded one shows none
}

// view is what a reader of the lvol sees: 0 when nothing was ever written.
func (c *cluster) view(u lineage.UUID) uint64 {
	var sum uint64
	for i := range blocks {
		sum = sum*1000003 + c.block(u, i)
	}
	return sum
}

// whole reports whether all that an lvol stands on is on its own node.
func (c *cluster) whole(u lineage.UUID) bool {
	for b := c.blobs[u]; b != nil; b = c.blobs[b.below] {
		if b.esnap {
			return false
		}
	}
	return true
}

func (c *cluster) block(u lineage.UUID, i int) uint64 {
	for b := c.blobs[u]; b != nil; b = c.blobs[b.below] {
		if b.own[i] != 0 {
			return b.own[i]
		}
	}
	return 0
}

// layer carries out an op on a stack's layers.
func (c *cluster) layer(m *machine, op plan.Op, made map[lineage.UUID]lineage.UUID) error {
	find := func(lvstore string, name lineage.LvolName) *state.Lvol { return m.Lvols[lvstore+"/"+string(name)] }
	switch op := op.(type) {
	case plan.LvolSnapshot:
		l := find(op.Lvstore, op.Lvol)
		if l == nil || l.Degraded || find(op.Lvstore, op.Layer) != nil {
			return errors.New("no such lvol, or layer exists")
		}
		u := c.newUUID()
		made[plan.Token(op.Node, op.Lvstore, op.Layer)] = u
		layer := &state.Lvol{
			Lvstore: op.Lvstore, Name: op.Layer, UUID: u, Size: l.Size, Allocated: l.Allocated, Snapshot: true,
			Parent: l.Parent, External: l.External, Children: []lineage.LvolName{l.Name},
		}
		m.RenameChild(op.Lvstore, l.Parent, l.Name, op.Layer)
		l.Parent, l.External, l.Allocated = op.Layer, "", 0
		m.AddLvol(layer)
		top := *c.blobs[l.UUID]
		c.blobs[u], c.blobs[l.UUID] = &top, &blob{below: u}
	case plan.LvolClone:
		layer := find(op.Lvstore, op.Layer)
		if layer == nil || !layer.Snapshot || find(op.Lvstore, op.Name) != nil {
			return errors.New("no such layer, or it is no snapshot, or the clone exists")
		}
		u := c.newUUID()
		made[plan.Token(op.Node, op.Lvstore, op.Name)] = u
		layer.Children = append(layer.Children, op.Name)
		c.blobs[u] = &blob{below: layer.UUID}
		l := &state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: u, Size: layer.Size, Parent: op.Layer}
		m.AddLvol(l)
		if h, ok := l.Parsed.(lineage.Head); ok {
			c.newReplica(h.Volume, c.view(u))
		}
	case plan.LvolCloneBdev:
		from := lineage.UUID(c.resolve(made, string(op.Bdev)))
		own := m.LvolByUUID(from)
		if own != nil && own.Lvstore == op.Lvstore || !c.reachable(m, from) || find(op.Lvstore, op.Name) != nil {
			return errors.New("no such bdev, or the clone exists")
		}
		u := c.newUUID()
		var size int64
		if own != nil {
			size = own.Size
		} else {
			size = m.Remotes[from].Size
		}
		made[plan.Token(op.Node, op.Lvstore, op.Name)] = u
		c.blobs[u] = &blob{below: from, esnap: true, size: size}
		m.AddLvol(&state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: u, Size: size, External: string(from)})
	case plan.LvolSetParent:
		l, layer := find(op.Lvstore, op.Name), find(op.Lvstore, op.Layer)
		if l == nil || l.Degraded || layer == nil || !layer.Snapshot || layer.Size != l.Size {
			return errors.New("no such lvol or layer, or sizes differ")
		}
		before := c.view(l.UUID)
		c.blobs[l.UUID].below, c.blobs[l.UUID].esnap = layer.UUID, false
		l.External, l.Parent = "", op.Layer
		layer.Children = append(layer.Children, op.Name)
		// What is about to be deleted is put on nothing, and is no head or layer by then.
		_, staging := l.Parsed.(lineage.Staging)
		on, _ := layer.Parsed.(lineage.Layer)
		severed := staging && on == void(on.Volume, on.Epoch)
		if !severed && c.view(l.UUID) != before {
			c.broken("%s on %s shows something else on %s", l.Alias(), m.Name, op.Layer)
		}
	case plan.ShallowCopy:
		return c.shallowCopy(m, find(op.Lvstore, op.Layer), lineage.UUID(c.resolve(made, string(op.To))))
	case plan.WriteLimit:
		if u := c.resolve(made, string(op.Bdev)); !c.bdev(m, u) {
			return fmt.Errorf("no bdev %s", u)
		}
	case plan.LvolDecouple:
		l := find(op.Lvstore, op.Name)
		if l == nil || find(op.Lvstore, l.Parent) == nil {
			return errors.New("no such lvol, or it has no parent")
		}
		parent, b := find(op.Lvstore, l.Parent), c.blobs[l.UUID]
		below := c.blobs[b.below]
		parent.Children = slices.DeleteFunc(parent.Children, func(n lineage.LvolName) bool { return n == l.Name })
		l.Allocated += parent.Allocated
		l.Parent = parent.Parent
		if up := find(op.Lvstore, parent.Parent); up != nil {
			up.Children = append(up.Children, l.Name)
		}
		for i := range blocks {
			if b.own[i] == 0 {
				b.own[i] = below.own[i]
			}
		}
		b.below = below.below
	default:
		return unmodelled(op)
	}
	return nil
}

// shallowCopy writes the blocks of one layer to a bdev, or breaks off.
func (c *cluster) shallowCopy(m *machine, layer *state.Lvol, to lineage.UUID) error {
	if own := m.LvolByUUID(to); layer == nil || !layer.Snapshot || own != nil && own.Lvstore == layer.Lvstore || !c.reachable(m, to) || c.used(m, to) {
		return errors.New("no such snapshot, or no such bdev, or it is claimed")
	}
	for i, w := range c.blobs[layer.UUID].own {
		if c.events && c.rng.Intn(40) == 0 {
			c.disturbed = true
			return errors.New("the copy breaks off")
		}
		if w != 0 {
			c.blobs[to].own[i] = w
		}
	}
	for _, o := range c.machines {
		if dst := o.LvolByUUID(to); dst != nil {
			dst.Allocated = max(dst.Allocated, layer.Allocated)
		}
	}
	return nil
}

// merge lets what stands on an lvol that is deleted take over what it holds.
func (c *cluster) merge(m *machine, l *state.Lvol) {
	gone := c.blobs[l.UUID]
	for u, b := range c.blobs {
		if b.below != l.UUID {
			continue
		}
		if b.esnap {
			if at := c.holder(u); at != nil && !at.LvolByUUID(u).Degraded {
				c.broken("%s on %s is deleted while %s reads through it", l.Alias(), m.Name, at.Name)
			}
			continue
		}
		for i := range blocks {
			if b.own[i] == 0 {
				b.own[i] = gone.own[i]
			}
		}
		b.below, b.esnap = gone.below, gone.esnap
	}
	delete(c.blobs, l.UUID)
}

// holder is the machine that has an lvol among those it shows.
func (c *cluster) holder(u lineage.UUID) *machine {
	for _, n := range slices.Sorted(maps.Keys(c.machines)) {
		if c.machines[n].LvolByUUID(u) != nil {
			return c.machines[n]
		}
	}
	return nil
}

// degrade hides what reads through a bdev that is not there any more.
func (c *cluster) degrade(m *machine, lost lineage.UUID) {
	for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
		l := m.Lvols[k]
		if b := c.blobs[l.UUID]; b != nil && b.esnap && b.below == lost && !l.Degraded {
			l.Degraded, l.External, l.Size = true, "", 0
			c.disturbed = true
			c.note("  %s on %s loses what it reads through", l.Alias(), m.Name)
			c.hide(m, l)
			c.dropLeg(m, l.UUID)
		}
	}
}

// hide takes an lvol off the links of its machine.
func (c *cluster) hide(m *machine, l *state.Lvol) {
	for _, nqn := range slices.Sorted(maps.Keys(m.Subsystems)) {
		for _, ns := range m.Subsystems[nqn].Namespaces {
			if ns.Bdev == string(l.UUID) {
				c.removeNamespace(m, m.Subsystems[nqn], ns.NSID)
				break
			}
		}
	}
}

// revive shows what reads through a bdev that is there again.
func (c *cluster) revive(m *machine, found lineage.UUID) {
	for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
		l := m.Lvols[k]
		if b := c.blobs[l.UUID]; b != nil && b.esnap && b.below == found && l.Degraded {
			l.Degraded, l.External, l.Size = false, string(found), b.size
			c.disturbed = true
			c.note("  %s on %s is alive again", l.Alias(), m.Name)
		}
	}
}

// agree checks that the layers that count are the same wherever a replica is
// current, and still what they were.
func (c *cluster) agree() {
	for _, n := range slices.Sorted(maps.Keys(c.machines)) {
		m := c.machines[n]
		for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
			h, ok := m.Lvols[k].Parsed.(lineage.Head)
			if !ok || h.Mark == lineage.Fenced || !c.truth[h.Volume][c.view(m.Lvols[k].UUID)] {
				continue
			}
			in := m.Lvols[k].Lvstore
			for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
				l, ok := m.Lvols[k].Parsed.(lineage.Layer)
				if !ok || l.Volume != h.Volume || l.Epoch > h.Cut || m.Lvols[k].Lvstore != in {
					continue
				}
				now := c.view(m.Lvols[k].UUID)
				if was, ok := c.cut[l.Lvol()]; ok && was != now {
					c.broken("layer %s on %s is not what it is elsewhere", l.Lvol(), n)
				}
				c.cut[l.Lvol()] = now
			}
		}
	}
}

// unlayering notices the loss of a configured snapshot of a current replica.
func (c *cluster) unlayering(m *machine, in string, l lineage.Layer) {
	v := c.cfg.Volume(l.Volume.Name)
	if v == nil || l.Own || !slices.Contains(v.Snapshots, l.Snapshot) || c.given(v, l.Volume, m) || c.released[v.Name+"@"+l.Snapshot] {
		return
	}
	younger := func(o lineage.Name) bool {
		x, ok := o.(lineage.Layer)
		return ok && x.Volume == l.Volume && x.Snapshot == l.Snapshot && x.Epoch > l.Epoch
	}
	for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
		if m.Lvols[k].Lvstore == in && younger(m.Lvols[k].Parsed) {
			return
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.Lvols)) {
		h, ok := m.Lvols[k].Parsed.(lineage.Head)
		if ok && m.Lvols[k].Lvstore == in && h.Volume == l.Volume && h.Mark != lineage.Fenced && h.Cut >= l.Epoch && c.truth[l.Volume][c.view(m.Lvols[k].UUID)] {
			c.broken("snapshot %s on %s is deleted, and it is configured", l.Lvol(), m.Name)
			return
		}
	}
}

func (c *cluster) given(v *schema.Volume, id lineage.Volume, m *machine) bool {
	return c.released[id.String()] || c.released[v.Name+":"+string(m.Name)]
}

// reading notices that a layer is taken off a link while a head on the other
// side reads through it.
func (c *cluster) reading(m *machine, sub *state.Subsystem, nsid int) {
	link, ok := c.cfg.Cluster.ParseLink(sub.NQN)
	if !ok {
		return
	}
	to := c.machines[link.To]
	for _, k := range slices.Sorted(maps.Keys(to.Lvols)) {
		l := to.Lvols[k]
		if b := c.blobs[l.UUID]; b != nil && b.esnap && !l.Degraded && string(b.below) == sub.Namespaces[nsid].Bdev {
			c.broken("namespace %d of %s goes while %s on %s reads through it", nsid, sub.NQN, l.Alias(), to.Name)
		}
	}
}
