package sweep

import (
	"fmt"
	"math"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
)

// span is what of a host's disk an incarnation has: all of it, or what is in a part of a
// linear whole. A part that comes later has none of the blocks that hosts write.
type span struct {
	id       lineage.Volume
	from, to int64 // bytes of the disk
}

// spans are those of a volume as it is configured first.
func spans(cfg *schema.Config, id lineage.Volume) (all []span) {
	w := cfg.Whole(id.Name)
	if w == nil {
		return []span{{id, 0, math.MaxInt64}}
	}
	at := int64(0)
	for _, v := range cfg.Parts(w) {
		all = append(all, span{lineage.Volume{Name: v.Name, ID: id.ID}, at, at + v.Size})
		at += v.Size
	}
	return all
}

// of is the span of an lvol, and the host of what it is of.
func (w *world) of(volume string) (h *host, s span) {
	if h = w.hosts[volume]; h != nil && len(h.spans) == 1 {
		return h, h.spans[0]
	}
	p, part := lineage.SplitPart(volume)
	if h = w.hosts[p.Whole]; !part || h == nil {
		return nil, span{}
	}
	for _, s := range h.spans {
		if s.id.Name == volume {
			return h, s
		}
	}
	return nil, span{}
}

// hasIn checks an lvol that has a span of the host's disk for every acknowledged write there.
func (h *host) hasIn(v *sim.View, l sim.Stored, s span) error {
	p := make([]byte, blockSize)
	for b := range h.count {
		h.mu.Lock()
		none := h.acked[b] == 0
		h.mu.Unlock()
		at := offset(h.base + b)
		if none || at < s.from || at >= s.to {
			continue
		}
		if err := deciphered(v, l, p, at-s.from); err != nil {
			return err
		}
		if err := h.check(b, p); err != nil {
			return err
		}
	}
	return nil
}

// raidOf is whose RAID a base is, without its ID; false for none.
func raidOf(c lineage.Cluster, base string) (string, bool) {
	v, ok := c.ParseRaid(base)
	return strings.Join([]string{"raid of", v.Name}, " "), ok
}

// spanOf is what of a host's disk a volume has; of a part that came later, nothing.
func (w *world) spanOf(volume string) span {
	if h, s := w.of(volume); h != nil {
		return s
	}
	if _, part := lineage.SplitPart(volume); part {
		return span{}
	}
	return span{to: math.MaxInt64}
}

// wholly checks that what all parts have under one name is what the host's disk had at one
// moment. It is called for the parts in their order.
func (w *world) wholly(vol *schema.Volume, here map[string]content) error {
	h, s := w.of(vol.Name)
	if h == nil || !h.wrote() {
		return nil
	}
	for snapshot, c := range here {
		key := vol.Part.Whole + "@" + snapshot
		all := w.grouped[key]
		for b := range all {
			if at := offset(b); at >= s.from && at < s.to {
				all[b] = c[b]
			}
		}
		if w.grouped[key] = all; vol.Part.Index < len(h.spans)-1 {
			continue
		}
		if err := all.instant(); err != nil {
			return fmt.Errorf("snapshot %s of the parts of %s: %w", snapshot, vol.Part.Whole, err)
		}
	}
	return nil
}
