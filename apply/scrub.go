package apply

import (
	"context"
	"fmt"

	"strata/backup"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/scrub"
	"strata/spdk"
)

// Scrubs has layers read, and is told of what was read.
type Scrubs struct {
	Rate   int64  // bytes a second at most; 0: no limit
	Listen string // as backup.Job.Listen
	Read   func(scrub.Copy)
}

// scrub reads a layer.
func (c *caller) scrub(ctx context.Context, t *spdk.Client, op plan.Scrub) error {
	b := c.backups
	n := b.cfg.Node(op.Node)
	of, ok := lineage.ParseLayer(op.Layer)
	switch {
	case b.scrubs == nil:
		return fmt.Errorf("nobody is told what %s is like", op.Layer)
	case !ok || n == nil:
		return fmt.Errorf("%s on %s is no layer of the cluster's", op.Layer, op.Node)
	case b.run == "":
		return fmt.Errorf("%s is not locked: somebody could delete a layer while it is read", op.Node)
	}
	cluster, err := c.clusterOf(ctx, t, op.Node, op.Lvstore)
	if err != nil {
		return err
	}
	alias := c.alias(op.Node, op.Lvstore, op.Layer)
	l, err := t.GetBdev(ctx, alias)
	if err != nil {
		return err
	}
	block := catalog.Block(cluster)
	job := backup.Job{
		Target: t, Names: lineage.Backup{Volume: of.Volume, Run: b.run}, Of: b.cfg.Cluster, Node: op.Node, Address: n.Address(), Listen: b.scrubs.Listen,
		Record: catalog.Record{Layer: op.Layer, Block: block}, Layers: []string{alias},
	}
	now, _ := CopyOf(op)
	sums, err := job.Sums(ctx, b.scrubs.Rate, func(copied, total uint64) {
		now.Copied, now.Total = int64(copied), int64(total)
		c.events.copying(now)
	})
	if err != nil {
		return fmt.Errorf("reading %s: %w", op.Layer, err)
	}
	b.mu.Lock()
	b.read[of.Volume.Name][op.Of()] = true
	b.mu.Unlock()
	b.scrubs.Read(scrub.Copy{Node: op.Node, Lvstore: op.Lvstore, Layer: op.Layer, UUID: lineage.UUID(l.UUID), Block: block, Sums: sums})
	return nil
}

// unread has what is to be read, and what was.
func (b *backups) unread() map[string]map[plan.LayerAt]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]map[plan.LayerAt]bool{}
	for volume, read := range b.read {
		out[volume] = map[plan.LayerAt]bool{}
		for at := range read {
			out[volume][at] = true
		}
	}
	return out
}
