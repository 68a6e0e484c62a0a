package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
)

// decay is a bit on the disk of one node that has flipped, in what it has of a layer.
type decay struct {
	node  string
	layer lineage.Layer
	bad   byte // what is read there since
	// sole is set once names have said that the replica there is the only one that is current:
	// its engine has gone on alone, or was started again from it. Hosts go on with what is damaged,
	// others are made equal to it, and are said to be damaged, too.
	sole bool
	left bool // so it is in the end
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

// says is what a node says of when the layers of the volume were compared.
func (d *decay) says(node string, lvols []sim.Stored) (s lineage.Scrubbed) {
	s.Volume = d.layer.Volume
	for _, l := range lvols {
		if is, ok := lineage.ParseScrubbed(lineage.LvolName(l.Name)); ok && l.Node == node && is.Volume == d.layer.Volume {
			s = is
		}
	}
	return s
}

// notice has it noted when the replica that is damaged is the only one that is current.
func (d *decay) notice(lvols []sim.Stored) {
	current, _ := authority(lvols, d.layer.Volume)
	for _, l := range current {
		h, _ := head(l)
		d.sole = d.sole || l.Node == d.node && h.Legs == 1
	}
}

// told checks that no layer, and no head that may be believed, has what is damaged without
// its node saying so, and none at all where it says nothing any more; nor any on another node
// that could have been copied from one that is well.
func (d *decay) told(v *sim.View, lvols []sim.Stored) error {
	d.notice(lvols)
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
		says := d.says(l.Node, lvols)
		switch {
		case l.Node != d.node && !d.sole:
			return fmt.Errorf("%s/%s has what is damaged on %s", l.Node, l.Name, d.node)
		case says.Damaged == 0, !stale && (says.Hurt() == 0 || says.Hurt() > d.layer.Epoch):
			return fmt.Errorf("%s/%s has what is damaged, and %s does not say so", l.Node, l.Name, says.Lvol())
		}
	}
	return nil
}

// stays reports whether what is damaged is all that there is in the end: it was the only one
// that was current; as many replicas are as are to be, and nothing else is left; and each is
// said to be damaged.
func (d *decay) stays(lvols []sim.Stored, replicas int) bool {
	heads := 0
	for _, l := range lvols {
		n, ok := lineage.Parse(lineage.LvolName(l.Name))
		if !ok || n.Of() != d.layer.Volume {
			continue
		}
		switch n := n.(type) {
		case lineage.Head:
			if n.Mark == lineage.Fenced || n.Legs != replicas || d.says(l.Node, lvols).Hurt() == 0 {
				return false
			}
			heads++
		case lineage.Layer:
			if n.Own {
				return false
			}
		case lineage.Scrubbed:
		default:
			return false
		}
	}
	return d.sole && heads == replicas
}

// mended checks that in the end nothing is damaged any more, and nothing says so, unless
// nothing was left that is not.
func (w *world) mended(v *sim.View, cfg *schema.Config) error {
	lvols := v.Lvols()
	for i := range w.decays {
		d := &w.decays[i]
		says := d.says(d.node, lvols)
		d.left = says.Damaged != 0
		if d.left && !d.stays(lvols, cfg.Volume(d.layer.Volume.Name).Replicas.Count) {
			return fmt.Errorf("in the end %s says %s", d.node, says.Lvol())
		}
		if err := d.told(v, lvols); err != nil {
			return err
		}
	}
	return nil
}

// damaged reports whether what is damaged is all that there is in the end: then the engine is
// where that was, and not where the replica is that was well.
func (w *world) damaged() bool {
	return slices.ContainsFunc(w.decays, func(d decay) bool { return d.left })
}
