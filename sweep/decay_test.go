package sweep

import (
	"context"
	"fmt"
	"strings"

	"strata/lineage"
	"strata/spdk/sim"
)

// decay is a bit on the disk of one node that has flipped, in what it has of a layer.
type decay struct {
	node  string
	layer lineage.Layer
	bad   byte // what is read there since
}

// decayed is where, in bytes: beside what hosts write, in a cluster that they do.
const decayed = 64 << 10

// newDecay flips a bit in the copy of a snapshot, and has its node say so, as a scrub does.
func (w *world) newDecay(node, snapshot string) (err error) {
	volume, name, _ := strings.Cut(snapshot, "@")
	var at sim.Stored
	d := decay{node: node}
	p := make([]byte, 1)
	w.c.Look(func(v *sim.View) {
		for _, l := range v.Lvols() {
			if of, ok := layer(l); ok && l.Node == node && of.Volume.Name == volume && of.Snapshot == name {
				at, d.layer, err = l, of, v.Read(l, p, decayed)
			}
		}
	})
	if err != nil || at.Name == "" {
		return fmt.Errorf("%s is not on %s, or cannot be read: %w", snapshot, node, err)
	}
	if err := w.c.Target(node).Damage(at.UUID, decayed); err != nil {
		return err
	}
	d.bad = p[0] ^ 1
	w.c.Look(func(v *sim.View) { err = v.Read(at, p, decayed) })
	if err != nil || p[0] != d.bad {
		return fmt.Errorf("%s on %s is not damaged: %w", snapshot, node, err)
	}
	a := w.applier(w.sc.last().cfg)
	defer a.close()
	t := a.targets[lineage.Node(node)]
	says := lineage.Scrubbed{Volume: d.layer.Volume}
	params := map[string]any{"lvs_name": at.Lvstore, "lvol_name": says.Lvol(), "size_in_mib": 1, "thin_provision": true}
	if err := t.Call(context.Background(), "bdev_lvol_create", params, nil); err != nil {
		return err
	}
	was := at.Lvstore + "/" + string(says.Lvol())
	says.Damaged = d.layer.Epoch
	w.decays = append(w.decays, d)
	return t.LvolRename(context.Background(), was, string(says.Lvol()))
}

// said is what a node says of when the layers of the volume were compared.
func (d *decay) said(lvols []sim.Stored) (s lineage.Scrubbed) {
	for _, l := range lvols {
		if is, ok := lineage.ParseScrubbed(lineage.LvolName(l.Name)); ok && l.Node == d.node && is.Volume == d.layer.Volume {
			s = is
		}
	}
	return s
}

// told checks that no layer, and no head that may be believed, has what is damaged without
// its node saying so, and none at all where it says nothing any more.
func (d *decay) told(v *sim.View, lvols []sim.Stored) error {
	says := d.said(lvols)
	for _, l := range lvols {
		n, _ := lineage.Parse(lineage.LvolName(l.Name))
		h, head := n.(lineage.Head)
		_, isLayer := n.(lineage.Layer)
		if !head && !isLayer || n.Of() != d.layer.Volume {
			continue
		}
		p := make([]byte, 1)
		if err := v.Read(l, p, decayed); err != nil || p[0] != d.bad {
			continue // one that reads through another node has nothing itself
		}
		stale := head && h.Mark == lineage.Fenced
		switch {
		case l.Node != d.node:
			return fmt.Errorf("%s/%s has what is damaged on %s", l.Node, l.Name, d.node)
		case says.Damaged == 0, !stale && (says.Hurt() == 0 || says.Hurt() > d.layer.Epoch):
			return fmt.Errorf("%s/%s has what is damaged, and %s does not say so", l.Node, l.Name, says.Lvol())
		}
	}
	return nil
}

// mended checks that in the end nothing is damaged any more, and nothing says so.
func (w *world) mended(v *sim.View) error {
	lvols := v.Lvols()
	for _, d := range w.decays {
		if says := d.said(lvols); says.Damaged != 0 {
			return fmt.Errorf("in the end %s says %s", d.node, says.Lvol())
		}
		if err := d.told(v, lvols); err != nil {
			return err
		}
	}
	return nil
}
