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
// whole. A part that comes later has none of the blocks that hosts write.
type span struct {
	id       lineage.Volume
	from, to int64 // bytes of the disk
	// strip is how many bytes of it this part has before it is the next one's turn, where
	// part is its place among parts; 0: it has all of them.
	strip, part, parts int64
}

// in is where what the disk has at an offset is, in bytes from the start of the lvol; false
// where it is elsewhere.
func (s span) in(at int64) (int64, bool) {
	if at < s.from || at >= s.to {
		return 0, false
	}
	if s.strip == 0 {
		return at - s.from, true
	}
	n := at / s.strip
	return n/s.parts*s.strip + at%s.strip, n%s.parts == s.part
}

// spans are those of a volume as it is configured first.
func spans(cfg *schema.Config, id lineage.Volume) (all []span) {
	w := cfg.Whole(id.Name)
	if w == nil {
		return []span{{id: id, to: math.MaxInt64}}
	}
	at := int64(0)
	for _, v := range cfg.Parts(w) {
		s := span{id: lineage.Volume{Name: v.Name, ID: id.ID}, from: at, to: at + v.Size}
		if w.Layout.StripKiB > 0 {
			s.from, s.to, s.strip, s.part, s.parts = 0, math.MaxInt64, int64(w.Layout.StripKiB)<<10, int64(v.Part.Index), int64(w.Layout.Parts)
		}
		all = append(all, s)
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
		at, here := s.in(offset(h.base + b))
		if none || !here {
			continue
		}
		if err := deciphered(v, l, p, at); err != nil {
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
			if _, is := s.in(offset(b)); is {
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
