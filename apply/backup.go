package apply

import (
	"context"
	"fmt"

	"strata/backup"
	"strata/catalog"
	"strata/diskimage"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/spdk"
)

// backups has layers copied into archives, and read.
type backups struct {
	cfg      *schema.Config
	archives *backup.Archives
	run      lineage.UUID // the holder of the nodes' locks

	scrubs    *Scrubs // nil: no layer is read to be compared
	comparing comparing
	trims     *Trims          // nil: no volume is trimmed
	stop      <-chan struct{} // the run is to end
}

func newBackups(cfg *schema.Config, opt Options) *backups {
	b := &backups{cfg: cfg, archives: opt.Archives, scrubs: opt.Scrubs, trims: opt.Trims, stop: opt.Stop}
	if opt.Lock != nil {
		b.run = opt.Lock.Holder
	}
	return b
}

// network is how nodes are reached with what is written to them.
func (b *backups) network() *backup.Net {
	if b.archives == nil {
		return nil
	}
	return b.archives.Net
}

// look is what archives hold that volumes are backed up to.
func (b *backups) look(ctx context.Context) catalog.Catalog {
	return b.archives.Look(ctx, b.cfg.ArchivesInUse())
}

// images is what is found of the files that volumes are to start as.
func (b *backups) images() catalog.Images { return backup.LookAtImages(b.cfg.ImageFiles()) }

// backup records a layer.
func (c *caller) backup(ctx context.Context, t *spdk.Client, op plan.Backup) error {
	b := c.backups
	if b.archives == nil {
		return errUnopened
	}
	n := b.cfg.Node(op.Node)
	of, ok := lineage.ParseLayer(op.Layer)
	if !ok || n == nil {
		return fmt.Errorf("%s on %s is no layer of the cluster's", op.Layer, op.Node)
	}
	if b.run == "" {
		return fmt.Errorf("%s is not locked: somebody could delete a layer while it is copied", op.Node)
	}
	repo, err := b.archives.Repository(ctx, op.Archive)
	if err != nil {
		return err
	}
	block, err := c.clusterOf(ctx, t, op.Node, op.Lvstore)
	if err != nil {
		return err
	}
	job := backup.Job{
		Target: t, Names: lineage.Backup{Volume: of.Volume, Run: b.run}, Of: b.cfg.Cluster, Node: op.Node, Address: n.Address(), Listen: b.archives.Listen, Net: b.archives.Net, Keys: keysAt(n, op.Proven),
		Record: catalog.Record{Layer: op.Layer, Over: op.Over, Block: catalog.Block(block), Check: op.Check},
	}
	for _, l := range append(op.Below[:len(op.Below):len(op.Below)], op.Layer) {
		job.Layers = append(job.Layers, c.alias(op.Node, op.Lvstore, l))
	}
	if op.Over != "" {
		base, err := b.archives.Base(ctx, op.Archive, b.cfg.Cluster, op.Over)
		if err != nil {
			return err
		}
		was, _ := catalog.Parse(base.Tags)
		job.Base, job.Record.Block = base, was.Block
	}
	now, _ := CopyOf(op)
	_, err = job.Run(ctx, repo, func(copied, total uint64) {
		now.Copied, now.Total = int64(copied), int64(total)
		c.events.copying(now)
	})
	b.archives.Changed(op.Archive)
	if err != nil {
		return fmt.Errorf("backing up %s into archive %s: %w", op.Layer, op.Archive, err)
	}
	return nil
}

// clusterOf is how large the clusters of an lvstore are, in bytes.
func (c *caller) clusterOf(ctx context.Context, t *spdk.Client, node lineage.Node, lvstore string) (int64, error) {
	s, err := c.lvstoreOf(ctx, t, node, lvstore)
	return int64(s.ClusterSize), err
}

// blockOf is how large its blocks are.
func (c *caller) blockOf(ctx context.Context, t *spdk.Client, node lineage.Node, lvstore string) (int, error) {
	s, err := c.lvstoreOf(ctx, t, node, lvstore)
	return int(s.BlockSize), err
}

func (c *caller) lvstoreOf(ctx context.Context, t *spdk.Client, node lineage.Node, lvstore string) (found spdk.Lvstore, err error) {
	stores, err := t.GetLvstores(ctx)
	if err != nil {
		return found, err
	}
	name := c.lvstores.name(node, lvstore)
	for _, s := range stores {
		if s.Name == name {
			return s, nil
		}
	}
	return found, fmt.Errorf("there is no lvstore %s", name)
}

// fill writes an image of an archive, or of a file, to an lvol.
func (c *caller) fill(ctx context.Context, t *spdk.Client, op plan.Fill) error {
	b := c.backups
	n := b.cfg.Node(op.Node)
	name, ok := lineage.Parse(op.Name)
	if !ok || n == nil {
		return fmt.Errorf("%s on %s is not the cluster's", op.Name, op.Node)
	}
	if b.run == "" {
		return fmt.Errorf("%s is not locked: somebody could delete what is written to", op.Node)
	}
	cluster, err := c.clusterOf(ctx, t, op.Node, op.Lvstore)
	if err != nil {
		return err
	}
	of, done, err := b.content(ctx, op, cluster)
	if err != nil {
		return err
	}
	defer done()
	job := backup.Fill{Alone: c.alone(t, n, name.Of(), c.alias(op.Node, op.Lvstore, op.Name), op.Proven), Cluster: cluster}
	now, _ := CopyOf(op)
	now.Total = op.Bytes
	if err := job.Run(ctx, of, func(bytes int64) {
		now.Copied = min(bytes, now.Total)
		c.events.copying(now)
	}); err != nil {
		if op.File != "" {
			return fmt.Errorf("writing image %s: %w", op.File, err)
		}
		return fmt.Errorf("writing %s of archive %s: %w", op.Image, op.Archive, err)
	}
	return nil
}

// lend serves an image to a node, and has it be attached.
func (c *caller) lend(ctx context.Context, t *spdk.Client, op plan.ImageAttach) error {
	b := c.backups
	n := b.cfg.Node(op.Node)
	parsed, _ := lineage.Parse(op.Name)
	name, ok := parsed.(lineage.Staging)
	switch {
	case !ok || n == nil:
		return fmt.Errorf("%s on %s is not the cluster's", op.Name, op.Node)
	case name.Volume.ID == lineage.Pending:
		return fmt.Errorf("the plan has no id for %s; it was made to be shown only", op.Name)
	case b.archives == nil:
		return errUnopened
	}
	block, err := c.blockOf(ctx, t, op.Node, op.Lvstore)
	if err != nil {
		return err
	}
	of := b.lending(n, t, name, block, keysAt(n, op.Proven))
	of.Archive, of.Cluster, of.Layer = op.Archive, op.Cluster, op.Image
	if err := b.archives.Lend(ctx, of); err != nil {
		return fmt.Errorf("serving %s of archive %s: %w", op.Image, op.Archive, err)
	}
	return nil
}

// lending is what is served to a node to be read through an lvol of that name.
func (b *backups) lending(n *schema.Node, t *spdk.Client, name lineage.Staging, block int, keys string) backup.Lend {
	return backup.Lend{Target: t, Of: b.cfg.Cluster, Node: n.Name, Name: name, Address: n.Address(), Block: block, Bound: plan.ImageBound, Keys: keys}
}

// giveBack detaches a node from an image, which is not served to it any more.
func (c *caller) giveBack(ctx context.Context, t *spdk.Client, op plan.ImageDetach) error {
	if err := backup.Detach(ctx, t, c.cluster.ImageController(op.Volume)); err != nil {
		return err
	}
	if c.backups.archives != nil {
		c.backups.archives.Return(c.cluster, op.Volume)
	}
	return backup.Unlend(ctx, t, c.cluster, op.Volume, keysAt(c.backups.cfg.Node(op.Node), true))
}

// alone is a bdev that a node is to show to strata alone.
func (c *caller) alone(t *spdk.Client, n *schema.Node, of lineage.Volume, bdev string, proven bool) backup.Alone {
	b := c.backups
	return backup.Alone{
		Target: t, Names: lineage.Backup{Volume: of, Run: b.run}, Of: b.cfg.Cluster, Node: n.Name, Address: n.Address(), Port: fmt.Sprint(n.Port),
		Bdev: bdev, Net: b.network(), Keys: keysAt(n, proven),
	}
}

// keysAt is where strata puts keys on a node's machine by which both prove themselves while data goes
// between them; "" where they do not.
func keysAt(n *schema.Node, proven bool) string {
	if n == nil || !proven {
		return ""
	}
	return n.KeyDir()
}

// content is what a fill writes, and what to do when that is done.
func (b *backups) content(ctx context.Context, op plan.Fill, cluster int64) (of backup.Content, done func(), err error) {
	if op.File != "" {
		i, err := diskimage.Open(op.File, op.Raw)
		if err != nil {
			return of, nil, err
		}
		return backup.OfFile(i, op.SHA256, cluster), func() { i.Close() }, nil
	}
	if b.archives == nil {
		return of, nil, errUnopened
	}
	return b.archives.Content(ctx, op.Archive, op.Cluster, op.Image, op.Over)
}
