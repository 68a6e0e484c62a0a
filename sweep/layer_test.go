package sweep

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
	"strata/state"
)

// cut is a user's layer as it was first seen.
type cut struct {
	host         *host // of its volume; nil for none
	acked, begun uint32
}

// kept is a layer that was there before the sweep and is to stay.
type kept struct {
	id       lineage.Volume
	snapshot string
	content
	span span
}

// notice notes layers that have appeared, and which writes they may have.
// A name that is on no disk any more may be given again.
func (w *world) notice(lvols []sim.Stored) {
	there := map[lineage.Layer]bool{}
	for _, l := range lvols {
		name, ok := layer(l)
		if !ok || name.Own {
			continue
		}
		there[name] = true
		if _, seen := w.cuts[name]; seen {
			continue
		}
		c := cut{}
		if h := w.hosts[name.Volume.Name]; h != nil && h.id == name.Volume {
			c.host = h
			c.acked, c.begun = h.span()
		}
		w.cuts[name] = c
	}
	for name := range w.cuts {
		if !there[name] {
			delete(w.cuts, name)
		}
	}
}

func layer(l sim.Stored) (lineage.Layer, bool) {
	n, ok := lineage.Parse(lineage.LvolName(l.Name))
	if !ok || !l.Snapshot {
		return lineage.Layer{}, false
	}
	x, ok := n.(lineage.Layer)
	return x, ok
}

// layersBeside returns the user's layers beside a head that were cut on all
// replicas at once.
func layersBeside(lvols []sim.Stored, at sim.Stored, h lineage.Head) map[string]sim.Stored {
	all := map[string]sim.Stored{}
	for _, l := range lvols {
		name, ok := layer(l)
		if ok && !name.Own && name.Volume == h.Volume && l.Node == at.Node && l.Lvstore == at.Lvstore && name.Epoch <= h.Cut {
			all[name.Snapshot] = l
		}
	}
	return all
}

// keep notes the layers that are there and that the configuration wants still.
func (w *world) keep(cfg *schema.Config) (err error) {
	w.c.Look(func(v *sim.View) {
		lvols := v.Lvols()
		for _, vol := range cfg.Volumes {
			id, none := incarnation(lvols, vol.Name)
			if none != nil {
				continue
			}
			heads, _ := authority(lvols, id)
			if len(heads) == 0 {
				continue
			}
			h, _ := head(heads[0])
			for snapshot, l := range layersBeside(lvols, heads[0], h) {
				stays := slices.ContainsFunc(w.sc.ends("keeps"), func(s step) bool { return s.args[0] == vol.Name && s.args[1] == snapshot })
				if !stays && !slices.Contains(vol.Snapshots, snapshot) {
					continue
				}
				k := kept{id: id, snapshot: snapshot, span: w.spanOf(vol.Name)}
				if k.content, err = contentIn(v, l, k.span); err != nil {
					return
				}
				w.kept = append(w.kept, k)
			}
		}
	})
	return err
}

// stays checks that the authority of a volume has what is kept.
func (k *kept) stays(v *sim.View, lvols []sim.Stored) error {
	heads, why := authority(lvols, k.id)
	if why != "" {
		return fmt.Errorf("were the power to go, nobody could tell which replica of %s is current: %s", k.id, why)
	}
	for _, at := range heads {
		h, _ := head(at)
		l, ok := layersBeside(lvols, at, h)[k.snapshot]
		if !ok {
			return fmt.Errorf("%s/%s is current, and snapshot %s is not there", at.Node, at.Name, k.snapshot)
		}
		if err := k.equals(v, l); err != nil {
			return err
		}
	}
	return nil
}

func (k *kept) equals(v *sim.View, l sim.Stored) error {
	got, err := contentIn(v, l, k.span)
	if err == nil && got != k.content {
		err = fmt.Errorf("%s/%s is not what it was: %v", l.Node, l.Name, got)
	}
	return err
}

// layers checks the layers of all replicas of a volume in the end: the same on
// each, every one that is configured among them, none other than it was, and
// each what the volume had at one moment.
func (w *world) layers(v *sim.View, vol *schema.Volume, legs []state.CurrentLeg) error {
	lvols := v.Lvols()
	var first map[string]content
	for _, leg := range legs {
		at, ok := find(lvols, leg)
		if !ok {
			return fmt.Errorf("the current replica of %s on %s is on no disk", vol.Name, leg.Node)
		}
		h, _ := head(at)
		here := map[string]content{}
		for snapshot, l := range layersBeside(lvols, at, h) {
			c, err := contentIn(v, l, w.spanOf(vol.Name))
			if err == nil {
				err = w.cutAt(l, c)
			}
			if err != nil {
				return err
			}
			here[snapshot] = c
		}
		if first == nil {
			first = here
		}
		if fmt.Sprint(here) != fmt.Sprint(first) {
			return fmt.Errorf("the layers of %s on %s are not those on %s: %v and %v", vol.Name, leg.Node, legs[0].Node, here, first)
		}
	}
	for _, s := range vol.Snapshots {
		if _, ok := first[s]; !ok {
			return fmt.Errorf("snapshot %s of %s is missing in the end", s, vol.Name)
		}
	}
	if vol.Part != nil {
		return w.wholly(vol, first)
	}
	return w.together(vol, first)
}

// cutAt checks that a layer has what its volume had when it was cut.
func (w *world) cutAt(l sim.Stored, c content) error {
	name, _ := layer(l)
	at := w.cuts[name]
	if at.host == nil || at.acked == 0 {
		return nil
	}
	if err := c.instant(); err != nil {
		return fmt.Errorf("%s/%s: %w", l.Node, l.Name, err)
	}
	if n := c.last(); n < at.acked || n > at.begun {
		return fmt.Errorf("%s/%s ends with write %d; when it was cut write %d was acknowledged and %d begun", l.Node, l.Name, n, at.acked, at.begun)
	}
	return nil
}

// together checks layers that were cut at one instant on the two volumes of
// one host.
func (w *world) together(vol *schema.Volume, here map[string]content) error {
	for _, h := range w.hosts {
		if h.volume != vol.Name || h.second == nil || vol.Group == "" {
			continue
		}
		for snapshot, c := range here {
			w.grouped[h.second.volume+"@"+snapshot] = c
		}
	}
	for snapshot, c := range here {
		f, ok := w.grouped[vol.Name+"@"+snapshot]
		if second, first := c.last(), f.last(); ok && (second > first || first > second+1) {
			return fmt.Errorf("snapshot %s: %s ends with write %d, and the volume that its host writes to before with %d", snapshot, vol.Name, second, first)
		}
	}
	return nil
}

// find returns a replica as its disk has it.
func find(lvols []sim.Stored, leg state.CurrentLeg) (sim.Stored, bool) {
	i := slices.IndexFunc(lvols, func(l sim.Stored) bool { return l.UUID == string(leg.UUID) })
	if i < 0 {
		return sim.Stored{}, false
	}
	return lvols[i], true
}

// snapshot finds a volume, and what the snapshot VOLUME@NAME has on a replica
// that is believed.
func (w *world) snapshot(volume, name string) (id lineage.Volume, c content, err error) {
	source, name, _ := strings.Cut(name, "@")
	w.c.Look(func(v *sim.View) {
		lvols := v.Lvols()
		id, _ = incarnation(lvols, volume) // it may not be there yet
		var of lineage.Volume
		if of, err = incarnation(lvols, source); err != nil {
			return
		}
		heads, why := authority(lvols, of)
		if why != "" {
			err = fmt.Errorf("%s: %s", of, why)
			return
		}
		h, _ := head(heads[0])
		l, ok := layersBeside(lvols, heads[0], h)[name]
		if !ok {
			err = fmt.Errorf("%s has no snapshot %s", of, name)
			return
		}
		c, err = contentOf(v, l)
	})
	return id, c, err
}

// same checks that a host sees in a volume what a snapshot has, and that every
// replica that would be believed has it.
func (w *world) same(volume, name string) error {
	id, want, err := w.snapshot(volume, name)
	if err != nil {
		return err
	}
	w.c.Look(func(v *sim.View) {
		err = believed(v.Lvols(), id, func(l sim.Stored) error {
			got, err := contentOf(v, l)
			if err == nil && got != want {
				err = fmt.Errorf("%s is to be as %s and has %v", volume, name, got)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	h, err := w.idle(volume, true)
	if err != nil {
		return err
	}
	for b := range want {
		p := make([]byte, blockSize)
		if err := h.io(context.Background(), func(ctx context.Context, ns *sim.Namespace) error { return ns.ReadAt(ctx, p, offset(b)) }); err != nil {
			return err
		}
		if got, err := parseBlock(p); err != nil || got != want[b] {
			return fmt.Errorf("%s is to be as %s, and a host sees %v (%v)", volume, name, got, err)
		}
	}
	return nil
}
