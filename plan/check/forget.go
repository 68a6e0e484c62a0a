package check

import (
	"fmt"
	"slices"

	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/plan/retention"
)

// archive refuses to delete in an archive of which nothing may be deleted, or that is in
// use by this run.
func (c *Checker) archive(name string) error {
	a := c.cfg.Archive(name)
	switch {
	case a == nil:
		return fmt.Errorf("there is no archive %s", name)
	case a.AppendOnly:
		return fmt.Errorf("archive %s is append-only", name)
	}
	for key := range c.opt.Busy {
		if v := c.cfg.Volume(key.Name); v != nil && (key.Kind == plan.KindBackup && v.Backup != nil && v.Backup.To == name ||
			key.Kind == plan.KindVolume && v.Restore != nil && v.Restore.Archive == name) {
			return fmt.Errorf("%s uses archive %s", key, name)
		}
	}
	return nil
}

// forget refuses to remove a record that the policy does not let go, the youngest of an
// incarnation, and one that a volume of the configuration comes from, or that hosts may read.
func (c *Checker) forget(op plan.RecordForget) error {
	if err := c.archive(op.Archive); err != nil {
		return err
	}
	v := c.cfg.Volume(op.Volume)
	if v == nil || v.Backup == nil || v.Backup.To != op.Archive {
		return fmt.Errorf("%s is no volume that is backed up to archive %s", op.Volume, op.Archive)
	}
	for _, n := range c.cfg.Nodes {
		if at := c.w.Nodes[n.Name]; len(n.Pools) > 0 && (at == nil || at.Unknown != "") {
			return fmt.Errorf("node %s was not read, and hosts may read records of %s there", n.Name, op.Volume)
		}
	}
	in := c.remaining(op.Archive, op.Volume)
	for _, layer := range op.Layers {
		of, _ := lineage.ParseLayer(layer)
		if of.Volume.Name != op.Volume || in.Find(c.cfg.Cluster, layer) == nil {
			return fmt.Errorf("archive %s has no record of %s that is one of %s", op.Archive, layer, op.Volume)
		}
		var names []string
		youngest := lineage.Epoch(0)
		for _, r := range in.Of(c.cfg.Cluster, op.Volume) {
			if o := r.Of(); o.Volume == of.Volume {
				names = append(names, o.Snapshot)
				youngest = max(youngest, o.Epoch)
			}
		}
		if by := c.lent[of.Volume.ID]; by != "" {
			return fmt.Errorf("%s may be what hosts read through %s", layer, by)
		}
		if _, gone := retention.Forgets(v.Backup, names, c.opt.Now)[of.Snapshot]; !gone || of.Epoch == youngest {
			return fmt.Errorf("%s is not let go by what archive %s is to keep of %s", layer, op.Archive, op.Volume)
		}
	}
	for _, o := range c.cfg.Volumes {
		from := o.Restore
		if from == nil || from.Archive != op.Archive {
			continue
		}
		of := from.From(c.cfg.Cluster)
		if from.Instant && of == c.cfg.Cluster && from.Volume == op.Volume && !c.made(o.Name) {
			return fmt.Errorf("volume %s, which may read any record of %s, is not whole yet", o.Name, op.Volume)
		}
		if r := in.Youngest(of, from.Volume, from.Named()); r != nil && of == c.cfg.Cluster && slices.Contains(op.Layers, r.Layer) {
			return fmt.Errorf("%s is what volume %s comes from", r.Layer, o.Name)
		}
	}
	if c.forgotten == nil {
		c.forgotten = map[recorded]bool{}
	}
	for _, layer := range op.Layers {
		c.forgotten[recorded{op.Archive, layer}] = true
	}
	return nil
}

// findLent finds forerunners, also of volumes that are not configured.
func (c *Checker) findLent() {
	c.lent = map[lineage.ID]lineage.LvolName{}
	if len(c.cfg.Archives) == 0 {
		return
	}
	for _, at := range c.w.Nodes {
		for _, l := range at.Lvols {
			if st, is := lineage.ParseForerunner(l.Name); is {
				c.lent[st.From] = l.Name
			}
		}
	}
}

// remaining is what an archive has of a volume by the steps so far.
func (c *Checker) remaining(name, volume string) *catalog.Archive {
	in, was := &catalog.Archive{}, c.opt.Catalog[name]
	for _, r := range was.Of(c.cfg.Cluster, volume) {
		if !c.forgotten[recorded{name, r.Layer}] {
			in.Records = append(in.Records, r)
		}
	}
	for r := range c.recorded {
		of, _ := lineage.ParseLayer(r.layer)
		if r.archive == name && of.Volume.Name == volume && !c.forgotten[r] && was.Find(c.cfg.Cluster, r.layer) == nil {
			in.Records = append(in.Records, catalog.Record{Cluster: c.cfg.Cluster, Layer: r.layer})
		}
	}
	return in
}

// made reports whether there is a replica of a volume.
func (c *Checker) made(volume string) bool {
	return slices.ContainsFunc(c.w.Incarnations(volume), func(id lineage.Volume) bool { return len(c.w.Incarnation(id).Heads) > 0 })
}
