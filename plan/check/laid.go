package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// laid refuses to lay out anything but all parts of a configured whole, of one incarnation,
// in their order, as the heads of the first say that they are laid out, and of the sizes by
// which everything is found again.
func (c *Checker) laid(op plan.LayOut) error {
	id, _ := c.cfg.Cluster.ParseRaid(op.Raid)
	w := c.cfg.Whole(id.Name)
	switch {
	case w == nil:
		return fmt.Errorf("%s is not of a volume that is laid out", op.Raid)
	case op.UUID != c.cfg.Cluster.ExportUUID(id):
		return fmt.Errorf("%s would have another UUID than its hosts know", op.Raid)
	case op.Striped != (w.Layout.StripKiB > 0), op.StripKiB != w.StripKiB(), len(op.Parts) > w.Layout.Parts, op.Striped && len(op.Parts) < w.Layout.Parts:
		return fmt.Errorf("%s is not laid out as volume %s is configured", op.Raid, w.Name)
	}
	for n, at := range c.w.Nodes {
		if r := at.Raids[op.Raid]; r != nil && r.State == "online" && n != op.Node {
			return fmt.Errorf("%s is laid out on %s already", op.Raid, n)
		}
	}
	said, least, total := w.Layout, int64(0), int64(0)
	said.Parts = len(op.Parts)
	for i, base := range op.Parts {
		part := lineage.Volume{Name: lineage.PartName(w.Name, i), ID: id.ID}
		legs := c.legsUnder(op.Node, base)
		if len(legs) == 0 {
			return fmt.Errorf("part %d would be %s, and of that nothing is known", i, base)
		}
		read := false
		for _, u := range legs {
			h, isHead := c.lvol(u).(lineage.Head)
			if !isHead {
				continue // on a node that cannot be read
			}
			read = true
			if err := c.belongs(h, part, said, c.sizeOf(u), i == len(op.Parts)-1 || op.Striped); err != nil {
				return err
			}
		}
		if !read {
			return fmt.Errorf("no replica of part %d, %s, could be read", i, part)
		}
		size := c.w.SizeOf(op.Node, base)
		if total += size; i == 0 || size < least {
			least = size
		}
	}
	if op.Striped {
		total = int64(len(op.Parts)) * least
	}
	if total != op.Size {
		return fmt.Errorf("its parts have %d bytes together, and it would have %d", total, op.Size)
	}
	return nil
}

// legsUnder are the lvols that a bdev of a node stands on: those of a mirror, or itself.
func (c *Checker) legsUnder(n lineage.Node, bdev string) (legs []lineage.UUID) {
	at := c.w.Nodes[n]
	r := at.Raids[bdev]
	if r == nil {
		if u := at.Backing(bdev); u != "" {
			legs = append(legs, u)
		}
		return legs
	}
	for _, l := range r.Legs {
		if l.Configured && r.Laid == nil && r.State == "online" {
			legs = append(legs, l.UUID)
		}
	}
	return legs
}

// belongs refuses a head in the place of a part that it is not, one that says that the whole
// is laid out otherwise, and one of another size: what grows may not have done so yet.
func (c *Checker) belongs(h lineage.Head, part lineage.Volume, said lineage.Layout, size int64, grows bool) error {
	first := lineage.PartName(part.Whole().Name, 0)
	switch want := c.cfg.Volume(part.Name).Size; {
	case h.Volume != part:
		return fmt.Errorf("%s is in the place of %s", h.Lvol(), part)
	case h.Mark == lineage.Sealed:
		return fmt.Errorf("%s is sealed: it is not in use", h.Lvol())
	case h.Mark != lineage.Fenced && part.Name == first && h.Layout != said:
		return fmt.Errorf("%s says that %s is laid out as %q, and not as %q", h.Lvol(), part.Whole().Name, h.Layout, said)
	case size > want, size < want && !grows:
		return fmt.Errorf("%s has %d bytes, and not %d: what lies behind it would be found elsewhere", h.Lvol(), size, want)
	}
	return nil
}

func (c *Checker) sizeOf(u lineage.UUID) int64 {
	for _, n := range c.cfg.Nodes {
		if at := c.w.Nodes[n.Name]; at != nil {
			if l := at.LvolByUUID(u); l != nil {
				return l.Size
			}
		}
	}
	return 0
}

// wholly refuses to show hosts of a whole anything but all of it, and those of a part
// anything.
func (c *Checker) wholly(op plan.NamespaceAdd) error {
	id, export := c.cfg.Cluster.ParseExport(op.NQN)
	if !export {
		return nil
	}
	if _, part := lineage.SplitPart(id.Name); part {
		return fmt.Errorf("%s is a part, and hosts are shown the whole", id)
	}
	if c.cfg.Whole(id.Name) == nil {
		return nil
	}
	r := c.w.Nodes[op.Node].Raids[op.Bdev]
	if op.Bdev != c.cfg.Cluster.Raid(id) || r == nil || r.Laid == nil || r.State != "online" {
		return fmt.Errorf("hosts of %s would be shown %s, which is not all of it", id, op.Bdev)
	}
	return nil
}

// judged is the incarnation that stands for one that hosts see: of a whole, its first part,
// for all have one engine.
func judged(v lineage.Volume, cfg *schema.Config) lineage.Volume {
	if cfg.Whole(v.Name) != nil {
		v.Name = lineage.PartName(v.Name, 0)
	}
	return v
}

// granted reports whether something is released: of a part, whatever is of its whole. One
// incarnation of a whole that is configured is not released with a word, for all of its
// parts go, or none.
func (c *Checker) granted(g plan.Grant) bool {
	if c.opt.AllowDestroy[g] {
		return true
	}
	p, part := lineage.SplitPart(g.Volume)
	g.Volume = p.Whole
	return part && c.opt.AllowDestroy[g] && (g.ID == "" || c.cfg.Whole(p.Whole) == nil)
}
