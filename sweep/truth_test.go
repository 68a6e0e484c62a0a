package sweep

import (
	"fmt"

	"strata/lineage"
	"strata/spdk/sim"
)

// truth looks at the disks as if the power went there and then: by their
// names alone, some head must be the authority of every volume in use, and it
// must have every acknowledged write. It knows the rules of lineage, slowly,
// and nothing of package state.
func (w *world) truth(v *sim.View) error {
	lvols := v.Lvols()
	if err := w.foreign(v, lvols); err != nil {
		return err
	}
	for _, h := range w.hosts {
		if !h.wrote() {
			continue
		}
		heads, why := authority(lvols, h.volume)
		if why != "" {
			return fmt.Errorf("were the power to go, nobody could tell which replica of %s is current: %s", h.volume, why)
		}
		for _, l := range heads {
			if err := h.has(v, l); err != nil {
				return fmt.Errorf("were the power to go, %s/%s would be believed: %w", l.Node, l.Name, err)
			}
		}
	}
	return nil
}

// has checks an lvol for every acknowledged write.
func (h *host) has(v *sim.View, l sim.Stored) error {
	p := make([]byte, blockSize)
	for b := range blocks {
		h.mu.Lock()
		none := h.acked[b] == 0
		h.mu.Unlock()
		if none {
			continue
		}
		if err := v.Read(l, p, offset(b)); err != nil {
			return err
		}
		if err := h.check(b, p); err != nil {
			return err
		}
	}
	return nil
}

// authority is the head that names say is current when no engine runs; all
// sealed heads of an epoch are.
func authority(lvols []sim.Stored, volume string) (found []sim.Stored, why string) {
	var top lineage.Epoch
	for _, l := range lvols {
		if h, ok := head(l); ok && h.Volume.Name == volume {
			top = max(top, h.Epoch)
		}
	}
	marks := map[lineage.Mark][]sim.Stored{}
	said := ""
	for _, l := range lvols {
		h, ok := head(l)
		if !ok || h.Volume.Name != volume {
			continue
		}
		said += " " + l.Node + "/" + l.Name
		if h.Epoch != top {
			continue
		}
		if h.Mark == lineage.Open && h.Legs == 1 {
			h.Mark = lineage.Primary
		}
		marks[h.Mark] = append(marks[h.Mark], l)
	}
	switch {
	case len(marks[lineage.Primary]) == 1:
		return marks[lineage.Primary], ""
	case len(marks[lineage.Primary]) == 0 && len(marks[lineage.Sealed]) > 0:
		return marks[lineage.Sealed], ""
	}
	return nil, "there are" + said
}

func head(l sim.Stored) (lineage.Head, bool) {
	n, ok := lineage.Parse(lineage.LvolName(l.Name))
	if !ok {
		return lineage.Head{}, false
	}
	h, ok := n.(lineage.Head)
	return h, ok
}

const theirs = "backup"

// foreign checks that somebody else's lvol is as it was.
func (w *world) foreign(v *sim.View, lvols []sim.Stored) error {
	for node, uuid := range w.theirs {
		ok := false
		for _, l := range lvols {
			if l.Node == node && l.Name == theirs && l.UUID == uuid {
				p := make([]byte, len(theirs))
				ok = v.Read(l, p, 0) == nil && string(p) == theirs
			}
		}
		if !ok {
			return fmt.Errorf("somebody else's lvol on %s is not what it was", node)
		}
	}
	return nil
}
