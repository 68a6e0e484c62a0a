package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
)

// suspendWhole takes all parts of a whole down that a suspended node serves, one after the
// other, or none: what one part keeps up keeps up the others.
func (b *builder) suspendWhole(cfg *schema.Whole) {
	w := &whole{Whole: cfg, b: b, parts: b.cfg.Parts(cfg), on: make([]*subject, cfg.Layout.Parts)}
	b.wholes[w.Name] = w
	w.find()
	on := lineage.Node("")
	for i, v := range w.parts {
		inc := b.w.Incarnation(lineage.Volume{Name: v.Name, ID: w.id.ID})
		on = cmp.Or(on, b.bears(inc))
		w.on[i] = b.suspends(v, inc)
	}
	if on == "" {
		return
	}
	if why := w.unsuspendable(); why != "" {
		b.suspension.inUse[w.Name] = inUse{on, why}
		return
	}
	for _, s := range w.on {
		if s.Engine != "" {
			s.through(apart)
		}
	}
	w.chain()
}

// unsuspendable says why none of the parts is taken down; "" when all are. One that is down
// already has been before this was interrupted.
func (w *whole) unsuspendable() string {
	if why := cmp.Or(w.odd, w.disorder()); why != "" {
		return why
	}
	for _, s := range w.on {
		if s.Engine == "" && s.Unknown == "" {
			continue
		}
		if why := s.unsuspendable(); why != "" {
			return fmt.Sprintf("of %s, %s", s.v.Name, why)
		}
	}
	return w.apart()
}

// waitsForSuspended reports whether any part waits for a suspended node: then all do.
func (w *whole) waitsForSuspended() bool {
	return slices.ContainsFunc(w.on, func(s *subject) bool { return s != nil && s.Engine == "" && s.lacksSuspended() })
}

// legOn reports whether a node has a replica of any part.
func (w *whole) legOn(n lineage.Node) bool {
	return w != nil && slices.ContainsFunc(w.on, func(s *subject) bool { return s != nil && s.legOn(n) })
}
