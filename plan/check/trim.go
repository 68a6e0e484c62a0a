package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// trims refuses to discard what somebody may be using, and what would not read as zero
// afterwards: above layers, ciphers, and disks that keep what was freed.
func (c *Checker) trims(op plan.Trim) error {
	v := c.cfg.Volume(op.Volume.Name)
	switch {
	case v == nil || !c.opt.Trim.Volumes[v.Name]:
		return fmt.Errorf("nobody has asked for %s to be trimmed", op.Volume)
	case v.Part != nil:
		return fmt.Errorf("%s is a part of what is laid out", op.Volume)
	}
	inc := c.w.Incarnation(op.Volume)
	if v.Encrypted() || len(inc.Ciphers)+len(inc.Beneath) > 0 {
		return fmt.Errorf("%s is encrypted: what is freed reads as garbage", op.Volume)
	}
	for _, e := range inc.Exports {
		if e.Device != "" {
			return fmt.Errorf("hosts are shown %s on %s, and may write to it meanwhile", op.Volume, e.Node)
		}
	}
	legs, err := c.trimmed(inc, op)
	if err != nil {
		return err
	}
	for _, l := range legs {
		if err := c.freesZeroes(inc, l, op.Unit); err != nil {
			return err
		}
	}
	return nil
}

// trimmed are the replicas that a discard goes to: all that are current.
func (c *Checker) trimmed(inc *state.Incarnation, op plan.Trim) (all []state.Head, err error) {
	at := c.w.Nodes[op.Node]
	uuids := []lineage.UUID{at.Backing(op.Bdev)}
	if r := at.Raids[op.Bdev]; r != nil {
		uuids = nil
		for _, l := range r.Legs {
			if !l.Configured {
				return nil, fmt.Errorf("%s has lost a leg", op.Bdev)
			}
			uuids = append(uuids, l.UUID)
		}
	}
	for _, u := range uuids {
		h := inc.Find(u)
		if h == nil {
			return nil, fmt.Errorf("%s is not known to be a replica of %s", u, op.Volume)
		}
		all = append(all, *h)
	}
	return all, nil
}

// freesZeroes says why what is discarded on a leg may not read as zero afterwards.
func (c *Checker) freesZeroes(inc *state.Incarnation, h state.Head, unit int64) error {
	n, l := c.w.Nodes[h.Node], h.Lvol
	lvs, disk := n.Lvstores[l.Lvstore], n.DiskOf(l.Lvstore)
	switch {
	case !l.Complete() || l.Parent != "" || l.External != "" || len(inc.Layers(h.Node, l.Lvstore)) > 0:
		return fmt.Errorf("%s on %s stands on a layer, or is not complete", l.Alias(), h.Node)
	case lvs == nil || lvs.ClusterSize == 0 || unit%lvs.ClusterSize != 0:
		return fmt.Errorf("%d bytes are no whole clusters of %s on %s", unit, l.Lvstore, h.Node)
	case h.Name.Check != "":
		return fmt.Errorf("%s on %s is encrypted: what is freed reads as garbage", l.Alias(), h.Node)
	case disk == nil || disk.Keeps || disk.Kind == string(schema.NVMe) && !c.opt.Trim.Zeroes && !c.zeroesSaid(h.Node, l.Lvstore):
		return fmt.Errorf("what is freed of %s on %s need not read as zero", l.Lvstore, h.Node)
	}
	return nil
}

// zeroesSaid reports whether the pool with that lvstore says that it reads zeroes where it was
// discarded.
func (c *Checker) zeroesSaid(node lineage.Node, lvstore string) bool {
	n := c.cfg.Node(node)
	if n == nil {
		return false
	}
	p := poolOn(n, lvstore)
	return p != nil && p.Zeroes
}
