package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// backup refuses to record as a layer what is not all of it, or not one that counts.
func (c *Checker) backup(n *schema.Node, op plan.Backup) error {
	if c.cfg.Archive(op.Archive) == nil {
		return fmt.Errorf("there is no archive %s", op.Archive)
	}
	of, ok := lineage.ParseLayer(op.Layer)
	if !ok {
		return fmt.Errorf("%s is no layer", op.Layer)
	}
	if err := ours(n, op.Lvstore, op.Layer); err != nil {
		return err
	}
	at := c.w.Nodes[n.Name]
	l := at.Lvols[op.Lvstore+"/"+string(op.Layer)]
	if l == nil {
		return fmt.Errorf("layer %s is not on %s", op.Layer, n.Name)
	}
	if !c.counts(of, lineage.Place{Node: n.Name, Lvstore: op.Lvstore}) {
		return fmt.Errorf("the replica in %s on %s is not known to be current, or does not say that layer %s counts", op.Lvstore, n.Name, op.Layer)
	}
	return c.sent(at, l, op)
}

// sent refuses a copy that leaves out a layer between those that are sent and the one
// whose record it builds on, or that builds on none that is in the archive.
func (c *Checker) sent(at *state.Node, l *state.Lvol, op plan.Backup) error {
	chain := at.Below(l)
	for i := range op.Below {
		if name := op.Below[len(op.Below)-1-i]; i >= len(chain) || chain[i].Name != name {
			return fmt.Errorf("%s does not stand on %s in that order", op.Layer, name)
		}
	}
	switch rest := chain[len(op.Below):]; {
	case op.Over == "" && len(rest) > 0:
		return fmt.Errorf("%s, which %s stands on, is left out", rest[0].Name, op.Layer)
	case op.Over == "" && !l.Complete(), op.Over == "" && len(chain) > 0 && !chain[len(chain)-1].Complete():
		return fmt.Errorf("part of %s is not on %s", op.Layer, op.Node)
	case op.Over != "" && (len(rest) == 0 || rest[0].Name != op.Over):
		return fmt.Errorf("%s does not stand on %s with nothing but what is sent between them", op.Layer, op.Over)
	case op.Over != "" && c.opt.Catalog[op.Archive].Find(c.cfg.Cluster, op.Over) == nil && !c.recorded[recorded{op.Archive, op.Over}]:
		return fmt.Errorf("archive %s has no record of %s", op.Archive, op.Over)
	}
	if c.recorded == nil {
		c.recorded = map[recorded]bool{}
	}
	c.recorded[recorded{op.Archive, op.Layer}] = true
	return nil
}

// recorded is a layer of which an archive has a record by the steps so far.
type recorded struct {
	archive string
	layer   lineage.LvolName
}

// notBackedUp refuses to delete a layer of a volume from which one is being sent on that
// node, or that such a volume stands on: a target refuses it while that goes on, and takes
// the bdev away all the same.
func (c *Checker) notBackedUp(op plan.LvolDelete) error {
	name, ok := lineage.Parse(op.Name)
	if !ok {
		return nil
	}
	if _, layer := name.(lineage.Layer); !layer {
		return nil
	}
	at := c.w.Nodes[op.Node]
	busy := map[string]bool{}
	for key, nodes := range c.opt.Busy {
		busy[key.Name] = busy[key.Name] || key.Kind == plan.KindBackup && slices.Contains(nodes, op.Node)
	}
	for _, ctrl := range at.Controllers {
		if b, ok := c.cfg.Cluster.ParseBackup(ctrl.NQN); ok {
			busy[b.Volume.Name] = true
		}
	}
	if busy[name.Of().Name] {
		return fmt.Errorf("a layer of %s on %s is being backed up", name.Of(), op.Node)
	}
	for _, l := range at.Lvols {
		if l.Parsed == nil || !busy[l.Parsed.Of().Name] {
			continue
		}
		for _, below := range at.Below(l) {
			if below.Lvstore == op.Lvstore && below.Name == op.Name {
				return fmt.Errorf("a layer of %s on %s is being backed up, and %s stands on %s", l.Parsed.Of(), op.Node, l.Name, op.Name)
			}
		}
	}
	return nil
}

// backupOver refuses to take away what a run that lives is sending a layer through.
func (c *Checker) backupOver(n lineage.Node, b lineage.Backup) error {
	if c.w.Nodes[n].Lock.Holder == b.Run && c.opt.ResumeOnly == nil {
		return fmt.Errorf("the run that has %s locked is at work on %s", n, b.Volume)
	}
	return nil
}

// imported refuses to write a file to a volume that is not configured to be made of it, of
// just that content, or that is smaller.
func (c *Checker) imported(volume string, op plan.Fill) error {
	v, found := c.cfg.Volume(volume), c.opt.Images[op.File]
	switch {
	case v == nil || v.Image == nil || v.Image.File != op.File || v.Image.SHA256 != op.SHA256 || v.Image.Raw != op.Raw || op.SHA256 == "":
		return fmt.Errorf("volume %s is not to be made of %s with that SHA-256", volume, op.File)
	case found == nil || found.Unread != "":
		return fmt.Errorf("%s is not read", op.File)
	case found.Size > v.Size:
		return fmt.Errorf("%s has %d bytes, and volume %s %d", op.File, found.Size, volume, v.Size)
	}
	return nil
}
