package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"strata/amount"
	"strata/archive"
	"strata/backup"
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/scrub"
	"strata/state"
)

// beside compares a record with the layer that it is of, where the nodes still have that.
type beside struct {
	src  *source
	cfg  *schema.Config
	in   *catalog.Record
	rate int64 // bytes a second
	wait time.Duration
}

// compare has the replicas that are current send the layer, one after the other until one has
// what the image has, and says what came of it.
func (b *beside) compare(cmd *cobra.Command, image *archive.Image) (said string, err error) {
	of := b.in.Of()
	v := b.cfg.Volume(of.Volume.Name)
	if b.in.Cluster != b.cfg.Cluster || v == nil {
		return "note: it is not compared with a layer: its volume is not one of the configuration", nil
	}
	targets, closeAll, err := b.src.connect(b.cfg)
	if err != nil {
		return "", err
	}
	defer closeAll()
	ctx := cmd.Context()
	snap := state.Read(ctx, b.cfg.Cluster, targets)
	on := b.holders(snap, v, of)
	if len(on) == 0 {
		return "note: it is not compared with a layer: no current replica that could be read has it any more", nil
	}
	l, err := newLock()
	if err != nil {
		return "", err
	}
	l.Wait = b.wait
	l.Begin(b.cfg.Cluster, targets)
	defer l.End()
	stop := interrupts()
	for _, h := range on {
		if err := l.Take(ctx, []lineage.Node{h.node}, snap, stop); err != nil {
			return "", fmt.Errorf("its layer on %s is not read: %w", h.node, err)
		}
		job := backup.Job{
			Target: targets[h.node], Names: lineage.Backup{Volume: of.Volume, Run: l.Holder}, Of: b.cfg.Cluster, Node: h.node, Address: b.cfg.Node(h.node).Address(), Listen: b.src.archives.listen,
			Record: catalog.Record{Layer: b.in.Layer, Block: image.BlockSize}, Layers: []string{h.alias},
		}
		sums, err := job.Sums(ctx, b.rate, func(_, _ uint64) {})
		if err != nil {
			return "", fmt.Errorf("reading %s on %s: %w", b.in.Layer, h.node, err)
		}
		found, err := b.differ(ctx, image, scrub.Copy{Node: h.node, Layer: b.in.Layer, Block: image.BlockSize, Sums: sums})
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			return fmt.Sprintf("%s on %s has the same: %s compared", b.in.Layer, h.node, amount.Bytes(int64(len(sums))*image.BlockSize)), nil
		}
		said += fmt.Sprintf("%s on %s differs from it%s; ", b.in.Layer, h.node, ranges(found))
	}
	return said + "if hosts wrote there, that is damaged, or what was recorded was: strata scrub " + of.Volume.Name + " compares the replicas", nil
}

// ranges says where findings are, the first few.
func ranges(found []scrub.Finding) (text string) {
	for i, f := range found {
		if i == 3 {
			return text + fmt.Sprintf(" and in %d more places", len(found)-i)
		}
		text += fmt.Sprintf(" from %s to %s", amount.Bytes(f.From), amount.Bytes(f.To))
	}
	return text
}

// differ is where a copy of the layer is not as the image. The image has what the layer has over
// those below, and of these what it does not have itself.
func (b *beside) differ(ctx context.Context, image *archive.Image, c scrub.Copy) ([]scrub.Finding, error) {
	var failed error
	found := scrub.Compare([]scrub.Copy{c}, nil, recordedIn(ctx, image, func(err error) { failed = errors.Join(failed, err) }))
	return found, failed
}

// holder is a current replica that has a layer.
type holder struct {
	node  lineage.Node
	alias string // what its node calls it
	hurt  bool
}

// holders are those that do, the ones that are known to be damaged last.
func (b *beside) holders(snap *state.Snapshot, v *schema.Volume, of lineage.Layer) (all []holder) {
	fit := snap.Within(b.cfg.Cluster, b.cfg.Lvstores, b.cfg.Disk)
	inc := fit.Incarnation(b.cfg.Cluster, of.Volume)
	for _, leg := range fit.Judge(inc, state.Question{Cluster: b.cfg.Cluster, Replicas: v.Replicas.Count}).Legs {
		if leg.Head == nil || leg.Head.Name.Cut < of.Epoch {
			continue
		}
		at := leg.Place()
		l := inc.Layers(at.Node, at.Lvstore)[b.in.Layer]
		if l == nil {
			continue
		}
		hurt := inc.ScrubbedAt(at).Hurt()
		all = append(all, holder{at.Node, snap.Nodes[at.Node].LvolByUUID(l.UUID).Alias(), hurt != 0 && of.Epoch >= hurt})
	}
	slices.SortStableFunc(all, func(x, y holder) int {
		switch {
		case x.hurt == y.hurt:
			return 0
		case y.hurt:
			return -1
		}
		return 1
	})
	return all
}
