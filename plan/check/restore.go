package check

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// images has the lvols that hold the image of a layer whole by the steps so far, by node
// and alias.
type images map[string]lineage.LvolName

func (c *Checker) holds(n lineage.Node, lvstore string, name lineage.LvolName) lineage.LvolName {
	return c.images[lvolKey(n, lvstore, name)]
}

func lvolKey(n lineage.Node, lvstore string, name lineage.LvolName) string {
	return string(n) + "/" + lvstore + "/" + string(name)
}

// fill refuses to write to anything but staging of a volume that has no head, what is
// not in the archive, and what differs from another image to what does not hold that.
func (c *Checker) fill(n *schema.Node, op plan.Fill) error {
	staging, ok := written(op.Name)
	if !ok || staging.Follows || staging.Forerunner() {
		return fmt.Errorf("%s is no lvol that is being made of what an archive has: it would be overwritten", op.Name)
	}
	if err := ours(n, op.Lvstore, op.Name); err != nil {
		return err
	}
	of, _ := lineage.ParseLayer(op.Image)
	switch {
	case op.File != "":
		if err := c.imported(staging.Volume.Name, op); err != nil {
			return err
		}
	case c.opt.Catalog[op.Archive].Find(op.Cluster, op.Image) == nil:
		return fmt.Errorf("archive %s has no record of %s", op.Archive, op.Image)
	case of.Volume.ID != staging.From:
		return fmt.Errorf("%s is an image of another incarnation than %s says", op.Image, op.Name)
	}
	if inc := c.w.Incarnation(staging.Volume); len(inc.Heads) > 0 || inc.Running() && inc.Forerunner() == nil {
		return fmt.Errorf("%s is there already", staging.Volume)
	}
	l := c.w.Nodes[n.Name].Lvols[op.Lvstore+"/"+string(op.Name)]
	switch {
	case l == nil:
		return fmt.Errorf("%s is not on %s", op.Name, n.Name)
	case op.Over == "" && !l.Empty():
		return fmt.Errorf("%s on %s is not empty", op.Name, n.Name)
	case op.Over != "" && !c.over(n.Name, l, op.Over):
		return fmt.Errorf("%s on %s does not stand on the image of %s, with nothing written to it", op.Name, n.Name, op.Over)
	}
	if c.images == nil {
		c.images = images{}
	}
	c.images[lvolKey(n.Name, op.Lvstore, op.Name)] = cmp.Or(op.Image, lineage.LvolName(op.File))
	return nil
}

// over reports whether an lvol stands on a layer that holds an image, and has nothing of its
// own.
func (c *Checker) over(n lineage.Node, l *state.Lvol, image lineage.LvolName) bool {
	if !l.Complete() || l.Allocated != 0 || l.Parent == "" {
		return false
	}
	return c.holds(n, l.Lvstore, l.Parent) == image || c.called(l.Parsed.Of()) && sameLayer(l.Parent, image)
}

// called reports whether the layers of an incarnation are called as the records are of which
// they are made, those that stay as well as those that only strata needs.
func (c *Checker) called(id lineage.Volume) bool {
	return c.follows(id) || c.w.Incarnation(id).Forerunner() != nil
}

// follows reports whether an incarnation follows what is recorded: its layers are called as
// those are.
func (c *Checker) follows(id lineage.Volume) bool {
	return slices.ContainsFunc(c.w.Incarnation(id).Others, func(o state.Placed) bool {
		st, is := o.Lvol.Parsed.(lineage.Staging)
		return is && st.Follows
	})
}

// sameLayer reports whether two layers, of different volumes, have one epoch and name.
func sameLayer(a, b lineage.LvolName) bool {
	x, _ := lineage.ParseLayer(a)
	y, ok := lineage.ParseLayer(b)
	x.Volume, x.Own = y.Volume, y.Own
	return ok && x == y
}

// written is the name of staging that is written from an archive; false for another.
func written(name lineage.LvolName) (lineage.Staging, bool) {
	parsed, _ := lineage.Parse(name)
	st, ok := parsed.(lineage.Staging)
	return st, ok && st.From != ""
}

// snapshotted refuses a snapshot of such staging that says another image than it holds.
func (c *Checker) snapshotted(op plan.LvolSnapshot) error {
	if _, is := written(op.Lvol); !is {
		return nil
	}
	image, _ := lineage.ParseLayer(c.holds(op.Node, op.Lvstore, op.Lvol))
	layer, _ := lineage.ParseLayer(op.Layer)
	if image.Snapshot == "" || layer.Own && c.w.Incarnation(layer.Volume).Forerunner() == nil || layer.Snapshot != image.Snapshot {
		return fmt.Errorf("%s does not hold the image of a snapshot %s", op.Lvol, layer.Snapshot)
	}
	if c.called(layer.Volume) && layer.Epoch != image.Epoch {
		return fmt.Errorf("%s follows what is recorded, and has %s, not epoch %d", layer.Volume, image.Lvol(), layer.Epoch)
	}
	c.images[lvolKey(op.Node, op.Lvstore, op.Layer)] = c.holds(op.Node, op.Lvstore, op.Lvol)
	return nil
}

// unserved refuses to make a head on what follows for as long as it is to follow.
func (c *Checker) unserved(op plan.LvolClone) error {
	head, is := lineage.ParseHead(op.Name)
	if !is {
		return nil
	}
	if v := c.cfg.Volume(head.Volume.Name); v != nil && v.Restore != nil && v.Restore.Follow && len(c.w.Incarnation(head.Volume).Heads) == 0 && c.follows(head.Volume) {
		return fmt.Errorf("%s is configured to follow, and is not to be served", head.Volume)
	}
	return nil
}

// whole refuses to make a head of such staging before all of an image is written.
func (c *Checker) whole(op plan.LvolRename) error {
	if st, is := written(op.From); is && !st.Forerunner() && c.holds(op.Node, op.Lvstore, op.From) == "" {
		return fmt.Errorf("%s does not hold the whole image", op.From)
	}
	return nil
}
