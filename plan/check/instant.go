package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// lends refuses to serve anything but the image that a forerunner's name says it reads.
func (c *Checker) lends(op plan.ImageAttach) error {
	st, is := lineage.ParseForerunner(op.Name)
	of, _ := lineage.ParseLayer(op.Image)
	v := c.cfg.Volume(st.Volume.Name)
	switch {
	case !is:
		return fmt.Errorf("%s is no forerunner", op.Name)
	case v == nil || v.Restore == nil || v.Restore.Archive != op.Archive:
		return fmt.Errorf("volume %s is not to be made of what archive %s has", st.Volume.Name, op.Archive)
	case of.Volume.ID != st.From || of.Epoch != st.Epoch:
		return fmt.Errorf("%s is not the image that %s says it reads", op.Image, op.Name)
	}
	r := c.opt.Catalog[op.Archive].Find(op.Cluster, op.Image)
	switch {
	case r == nil || c.forgotten[recorded{op.Archive, op.Image}]:
		return fmt.Errorf("archive %s has no record of %s", op.Archive, op.Image)
	case r.Size > st.Size():
		return fmt.Errorf("%s has %d bytes, and %s is to have %d", op.Image, r.Size, op.Name, st.Size())
	case r.Check != "":
		return fmt.Errorf("%s is encrypted, and hosts would be shown it as it is", op.Image)
	}
	return nil
}

// clonesImage refuses a forerunner that reads something else than its name says, or beside which
// there is something that hosts may use.
func (c *Checker) clonesImage(op plan.LvolCloneBdev) error {
	st, is := lineage.ParseForerunner(op.Name)
	if !is {
		return nil
	}
	if op.Bdev != c.cfg.Cluster.ImageUUID(st) {
		return fmt.Errorf("%s is not what %s says that it reads", op.Bdev, op.Name)
	}
	for _, id := range c.w.Incarnations(st.Volume.Name) {
		if inc := c.w.Incarnation(id); !c.granted(plan.IncarnationGrant(id)) && (len(inc.Heads) > 0 || inc.Running() || c.w.Incarnation(id).Forerunner() != nil) {
			return fmt.Errorf("hosts may use %s", id)
		}
	}
	return nil
}

// stands refuses to put a forerunner on a layer that does not hold the image that it reads.
func (c *Checker) stands(op plan.LvolSetParent) error {
	st, is := lineage.ParseForerunner(op.Name)
	if !is {
		return nil
	}
	layer, ok := lineage.ParseLayer(op.Layer)
	l := c.w.Nodes[op.Node].Lvols[op.Lvstore+"/"+string(op.Layer)]
	switch {
	case !ok || layer.Volume != st.Volume || layer.Epoch != st.Epoch:
		return fmt.Errorf("%s is not of the image that %s reads", op.Layer, op.Name)
	case l == nil || !l.Snapshot || !l.Complete():
		return fmt.Errorf("%s is not whole on %s", op.Layer, op.Node)
	}
	return nil
}

// forerunnerStays refuses to take a forerunner for something else before it has all that it reads, unless it was
// released: what hosts have written is nowhere else.
func (c *Checker) forerunnerStays(s *plan.Section, op plan.Op) error {
	var name, to lineage.LvolName
	var lvstore string
	switch op := op.(type) {
	case plan.LvolDelete:
		name, lvstore = op.Name, op.Lvstore
	case plan.LvolRename:
		name, to, lvstore = op.From, op.To, op.Lvstore
	case plan.LvolResize:
		name, lvstore = op.Name, op.Lvstore
	case plan.LvolDecouple:
		name, lvstore = op.Name, op.Lvstore
	default: // changes no lvol in such a way
		return nil
	}
	st, is := lineage.ParseForerunner(name)
	if !is || c.released(s.Key()) {
		return nil
	}
	head, becomes := lineage.ParseHead(to)
	if !becomes {
		return fmt.Errorf("hosts use %s, and what they have written is nowhere else", name)
	}
	l := c.w.Nodes[op.On()].Lvols[lvstore+"/"+string(name)]
	var on lineage.Layer
	if l != nil {
		on, _ = lineage.ParseLayer(l.Parent)
	}
	if l == nil || !l.Complete() || on.Volume != st.Volume || on.Epoch != st.Epoch {
		return fmt.Errorf("%s does not stand on the image that it is made of", name)
	}
	if head.Mark != lineage.Primary || head.Legs != 1 || head.Cut != st.Epoch || head.Epoch <= st.Epoch {
		return fmt.Errorf("%s does not say what %s is: in use, the only replica, on a layer of epoch %d", to, name, st.Epoch)
	}
	return nil
}

// notOrphaned refuses to delete an lvol whose source is away, or may be by then: that ends the target.
func (c *Checker) notOrphaned(op plan.LvolDelete) error {
	at := c.w.Nodes[op.Node]
	if l := at.Lvols[op.Lvstore+"/"+string(op.Name)]; l != nil && (at.Orphaned(l) || at.MayBeOrphaned(l)) {
		return fmt.Errorf("what %s reads through is away, or may be by then: the target would end", op.Name)
	}
	return nil
}

// unread refuses to let go of an image that an lvol of the node reads: it would read no more for good,
// and the target end when it is deleted.
func (c *Checker) unread(n lineage.Node, controller string, v lineage.Volume) error {
	at := c.w.Nodes[n]
	for _, l := range at.Lvols {
		if r := at.Remotes[lineage.UUID(l.External)]; r != nil && r.Controller == controller {
			return fmt.Errorf("%s on %s reads through it", l.Name, n)
		}
	}
	if slices.ContainsFunc(c.w.Incarnation(v).Others, func(o state.Placed) bool {
		_, is := lineage.ParseForerunner(o.Lvol.Name)
		return is && o.Node == n && !o.Lvol.Complete()
	}) {
		return fmt.Errorf("a forerunner of %s on %s is to read through it", v, n)
	}
	return nil
}
