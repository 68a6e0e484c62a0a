package world

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// projectLayer applies the effect of an op on a stack's layers.
func (w *World) projectLayer(n *state.Node, op plan.Op) error {
	switch op := op.(type) {
	case plan.LvolSnapshot:
		l, err := FindLvol(n, op.Lvstore, op.Lvol)
		if err != nil {
			return err
		}
		if n.Lvols[op.Lvstore+"/"+string(op.Layer)] != nil {
			return fmt.Errorf("%s has a layer %s already", n.Name, op.Layer)
		}
		layer := &state.Lvol{
			Lvstore: op.Lvstore, Name: op.Layer, UUID: plan.Token(op.Node, op.Lvstore, op.Layer), Size: l.Size, Allocated: l.Allocated,
			Snapshot: true, Parent: l.Parent, External: l.External, Children: []lineage.LvolName{l.Name},
		}
		n.RenameChild(op.Lvstore, l.Parent, l.Name, op.Layer)
		w.change(n, func() { l.Parent, l.External, l.Allocated = op.Layer, "", 0 }, l)
		w.addLvol(n, layer)
		w.sawLvol(op.Layer, op.Node)
	case plan.LvolClone:
		layer, err := FindLvol(n, op.Lvstore, op.Layer)
		if err != nil {
			return err
		}
		if !layer.Snapshot {
			return fmt.Errorf("%s on %s is no snapshot", layer.Alias(), n.Name)
		}
		layer.Children = append(layer.Children, op.Name)
		w.addLvol(n, &state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: plan.Token(op.Node, op.Lvstore, op.Name), Size: layer.Size, Parent: op.Layer})
		w.sawLvol(op.Name, op.Node)
	case plan.LvolCloneBdev:
		var size int64
		if r, own := n.Remotes[op.Bdev], n.LvolByUUID(op.Bdev); r != nil {
			size = r.Size
		} else if own != nil && own.Lvstore != op.Lvstore {
			size = own.Size
		} else {
			return fmt.Errorf("no link brings %s to %s, nor has another pool of it that", op.Bdev, n.Name)
		}
		w.addLvol(n, &state.Lvol{Lvstore: op.Lvstore, Name: op.Name, UUID: plan.Token(op.Node, op.Lvstore, op.Name), Size: size, External: string(op.Bdev)})
		w.sawLvol(op.Name, op.Node)
	case plan.LvolSetParent:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		layer, err := FindLvol(n, op.Lvstore, op.Layer)
		if err != nil {
			return err
		}
		if !layer.Snapshot || layer.Size != l.Size {
			return fmt.Errorf("%s cannot stand on %s: sizes %d and %d", l.Alias(), layer.Alias(), l.Size, layer.Size)
		}
		held := n.Orphaned(l)
		w.change(n, func() { l.External, l.Parent = "", op.Layer }, l)
		layer.Children = append(layer.Children, op.Name)
		if held {
			letGoHeld(n)
		}
	case plan.ShallowCopy:
		layer, err := FindLvol(n, op.Lvstore, op.Layer)
		if err != nil {
			return err
		}
		to, own := n.Remotes[op.To], n.LvolByUUID(op.To)
		switch {
		case to != nil:
			to.Claimed = false // whatever was copied there before has ended, and so has this
		case own != nil && own.Lvstore != op.Lvstore:
			w.change(n, func() { own.Claimed, own.Allocated = false, max(own.Allocated, layer.Allocated) }, own)
		default:
			return fmt.Errorf("no link brings %s to %s, nor has another pool of it that", op.To, n.Name)
		}
		for _, other := range w.Nodes {
			if other.LvolByUUID(op.To) != nil {
				at := w.edit(other.Name)
				dst := at.LvolByUUID(op.To)
				w.change(at, func() { dst.Allocated = max(dst.Allocated, layer.Allocated) }, dst)
			}
		}
	case plan.LvolDecouple:
		l, err := FindLvol(n, op.Lvstore, op.Name)
		if err != nil {
			return err
		}
		parent, err := FindLvol(n, op.Lvstore, l.Parent)
		if err != nil {
			return err
		}
		parent.Children = slices.DeleteFunc(parent.Children, func(c lineage.LvolName) bool { return c == l.Name })
		w.change(n, func() { l.Allocated += parent.Allocated }, l)
		l.Parent = parent.Parent
		if up := n.Lvols[op.Lvstore+"/"+string(parent.Parent)]; up != nil && parent.Parent != "" {
			up.Children = append(up.Children, l.Name)
		}
	default:
		return unknown(op)
	}
	return nil
}

// letGoHeld takes away the controllers that were going, and that no lvol holds
// any more.
func letGoHeld(n *state.Node) {
	for _, l := range n.Lvols {
		if n.Orphaned(l) {
			return
		}
	}
	maps.DeleteFunc(n.Controllers, func(_ string, c *state.Controller) bool { return c.State == "deleting" })
}

func (w *World) sawLvol(name lineage.LvolName, n lineage.Node) {
	if p, ok := lineage.Parse(name); ok {
		w.Saw(p.Of(), n)
	}
}
