package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"strata/backup"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/scrub"
	"strata/spdk"
)

// Scrubs has layers read, and compares what was read.
type Scrubs struct {
	Rate   int64  // bytes a second of a volume at most; 0: as it is configured
	Listen string // as backup.Job.Listen
	// Compare says what of the copies of one layer, as they were read, is not equal, to one
	// another or to what they were. What it cannot be compared with it says to whoever asked.
	Compare func(context.Context, []scrub.Copy) ([]scrub.Finding, error)
}

// comparing has the copies of layers that were read and not compared yet, and what came of
// those that were: of one layer whoever comes first compares it.
type comparing struct {
	mu    sync.Mutex
	read  map[lineage.LvolName][]scrub.Copy
	found map[lineage.LvolName][]scrub.Finding
}

// took takes a copy in place of what was read there before.
func (c *comparing) took(copy scrub.Copy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read, c.found = map[lineage.LvolName][]scrub.Copy{}, map[lineage.LvolName][]scrub.Finding{}
	}
	delete(c.found, copy.Layer)
	c.read[copy.Layer] = append(slices.DeleteFunc(c.read[copy.Layer], func(o scrub.Copy) bool { return o.Node == copy.Node && o.Lvstore == copy.Lvstore }), copy)
}

// of compares the copies of a layer.
func (c *comparing) of(ctx context.Context, layer lineage.LvolName, compare func(context.Context, []scrub.Copy) ([]scrub.Finding, error)) ([]scrub.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, done := c.found[layer]; done {
		return found, nil
	}
	copies := c.read[layer]
	if len(copies) == 0 {
		return nil, fmt.Errorf("%s was not read in this run", layer)
	}
	found, err := compare(ctx, copies)
	if err != nil {
		return nil, err
	}
	c.found[layer] = found
	delete(c.read, layer)
	return found, nil
}

// rate is how much of a volume is read at most, in bytes a second.
func (b *backups) rate(volume string) int64 {
	if v := b.cfg.Volume(volume); b.scrubs.Rate == 0 && v != nil && v.Scrub != nil {
		return v.Scrub.Rate
	}
	return cmp.Or(b.scrubs.Rate, schema.ScrubRate)
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
		Target: t, Names: lineage.Backup{Volume: of.Volume, Run: b.run}, Of: b.cfg.Cluster, Node: op.Node, Address: n.Address(), Listen: b.scrubs.Listen, Keys: keysAt(n, op.Proven),
		Record: catalog.Record{Layer: op.Layer, Block: block}, Layers: []string{alias},
	}
	now, _ := CopyOf(op)
	sums, err := job.Sums(ctx, b.rate(of.Volume.Name), func(copied, total uint64) {
		now.Copied, now.Total = int64(copied), int64(total)
		c.events.copying(now)
	})
	if err != nil {
		return fmt.Errorf("reading %s: %w", op.Layer, err)
	}
	b.comparing.took(scrub.Copy{Node: op.Node, Lvstore: op.Lvstore, Layer: op.Layer, UUID: lineage.UUID(l.UUID), Block: block, Sums: sums})
	return nil
}

// compare compares a layer, and says beside it that this was done and what came of it.
func (c *caller) compare(ctx context.Context, t *spdk.Client, op plan.Compare) error {
	b := c.backups
	of, layer := lineage.ParseLayer(op.Layer)
	is, ok := lineage.ParseScrubbed(op.To)
	switch {
	case b.scrubs == nil:
		return fmt.Errorf("nobody is told what %s is like", op.Layer)
	case !layer || !ok:
		return fmt.Errorf("%s does not say of %s when it was compared", op.To, op.Layer)
	}
	found, err := b.comparing.of(ctx, op.Layer, b.scrubs.Compare)
	if err != nil {
		return fmt.Errorf("comparing %s: %w", op.Layer, err)
	}
	if from, was := lineage.ParseScrubbed(op.From); was && from.Hurt() == of.Epoch && is.Damaged == 0 && len(found) > 0 {
		is.Damaged = of.Epoch // by whoever read it before: it is well when it is equal
	}
	for _, f := range found {
		odd := slices.Contains(f.Places, lineage.Place{Node: op.Node, Lvstore: op.Lvstore})
		switch {
		case odd && f.Kind == scrub.Changed:
			if is.Hurt() == 0 || of.Epoch < is.Damaged {
				is.Damaged, is.Anew = of.Epoch, false
			}
		case odd, len(f.Odd) == 0:
			is.Differs = true
		}
	}
	return t.LvolRename(ctx, c.alias(op.Node, op.Lvstore, op.From), string(is.Lvol()))
}
