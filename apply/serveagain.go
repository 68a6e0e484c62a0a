package apply

import (
	"context"
	"sync"
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/spdk"
)

// serveAfter is how long a look takes before what it may wait for is looked for.
const serveAfter = 2 * time.Second

// servingAgain has images served again that nodes look for, as long as a look goes on. A target
// answers a look when it has looked into all bdevs that it has, and one that reads through strata
// is none of these before strata serves it: so with a strata that ended in that moment the next would
// wait for itself, until the node gives its hosts errors.
func (l *looker) servingAgain(ctx context.Context) (end func()) {
	if l.serve == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var going sync.WaitGroup
	going.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(serveAfter):
				l.serve(ctx)
			}
		}
	})
	return func() { cancel(); going.Wait() }
}

// serveAgain serves images that nodes look for.
func (c *caller) serveAgain(ctx context.Context) {
	var asked sync.WaitGroup
	for name, t := range c.targets {
		if n := c.cfg.Node(name); n != nil {
			asked.Go(func() { c.serveAgainTo(ctx, n, t) })
		}
	}
	asked.Wait()
}

// serveAgainTo serves images that a node looks for. What cannot be served is planned when the node
// was read, and then it is said why.
func (c *caller) serveAgainTo(ctx context.Context, n *schema.Node, t *spdk.Client) {
	all, err := t.GetControllers(ctx)
	if err != nil {
		return
	}
	for _, ctrl := range all {
		if len(ctrl.Paths) == 0 {
			continue
		}
		last := ctrl.Paths[len(ctrl.Paths)-1]
		v, ok := c.cluster.ParseImage(lineage.NQN(last.Trid.SubNQN))
		if !ok || last.State == "enabled" || ctrl.Name != c.cluster.ImageController(v) {
			continue
		}
		lvols, err := t.GetLvols(ctx)
		if err != nil {
			return
		}
		if made, name := forerunnerIn(lvols, v); made != nil {
			c.serveRecord(ctx, n, t, made.Lvs.Name, name)
		} else {
			_ = c.backups.archives.LetGo(ctx, c.backups.lending(n, t, lineage.Staging{Volume: v}, 0, ""))
		}
	}
}

// forerunnerIn is the lvol of a volume that reads through an image, and what its name says; nil for
// none.
func forerunnerIn(lvols []spdk.Lvol, v lineage.Volume) (*spdk.Lvol, lineage.Staging) {
	for i, l := range lvols {
		if st, ok := lineage.ParseForerunner(lineage.LvolName(l.Name)); ok && st.Volume == v {
			return &lvols[i], st
		}
	}
	return nil, lineage.Staging{}
}

// serveRecord serves the record of which a forerunner of that name, in that lvstore of the target's, is
// made.
func (c *caller) serveRecord(ctx context.Context, n *schema.Node, t *spdk.Client, lvstore string, name lineage.Staging) {
	v := c.cfg.Volume(name.Volume.Name)
	stores, err := t.GetLvstores(ctx)
	if err != nil || v == nil || v.Restore == nil {
		return
	}
	from := v.Restore
	in := c.backups.archives.Look(ctx, []string{from.Archive})[from.Archive]
	if in.Doubt() != "" {
		return
	}
	rec := in.AsOf(from.From(c.cluster), lineage.Volume{Name: from.Volume, ID: name.From}, name.Epoch)
	for _, s := range stores {
		if s.Name == lvstore && rec != nil {
			of := c.backups.lending(n, t, name, int(s.BlockSize), keysAt(n, true))
			of.Archive, of.Cluster, of.Layer = from.Archive, rec.Cluster, rec.Layer
			_ = c.backups.archives.Again(ctx, of)
		}
	}
}
