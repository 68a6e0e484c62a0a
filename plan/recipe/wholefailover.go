package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// An engine is gone that served all parts of a whole: each is taken over as any volume is
// (failover.go), all of them or none. One node serves all afterwards, which has a replica
// of one at least. Before the first part is fenced, all parts can be taken over, or have
// been; before the first is taken, all are fenced.

// inheritance is what becomes of a whole whose engine is gone, found before anything is
// done to its parts in a pass.
type inheritance struct {
	stuck   bool         // a part cannot be taken over, so none is; that is said
	fencing bool         // a part is to be fenced first
	to      lineage.Node // serves all of them from now on
}

// inherits leaves those of a part's witnesses that are where all parts go to, if there are
// any. It is false where no part is taken over.
func (w *whole) inherits(witnesses []state.Survivor) ([]state.Survivor, bool) {
	if w.heir == nil {
		w.heir = w.inheritance()
	}
	if there := slices.DeleteFunc(slices.Clone(witnesses), func(l state.Survivor) bool { return l.Node != w.heir.to }); len(there) > 0 {
		witnesses = there
	}
	return witnesses, !w.heir.stuck
}

// fencing reports whether the engine is to be fenced off another part first.
func (w *whole) fencing() bool { return w != nil && w.heir != nil && w.heir.fencing }

func (w *whole) inheritance() *inheritance {
	out, b := &inheritance{}, w.b
	all := w.bereaved()
	var left state.Survivors
	for _, h := range all {
		if h.gone {
			left = h.left
		}
	}
	stick := func(hint, format string, args ...any) {
		if !out.stuck {
			b.block("volume "+w.Name, w.At("failover"), hint, "%s", notTaken(left, fmt.Sprintf(format, args...)))
		}
		out.stuck = true
	}
	if w.odd != "" {
		stick(w.hint, "%s", w.odd)
	}
	var witnesses [][]state.Survivor
	for i, h := range all {
		switch {
		case h.why != "":
			stick(h.hint, "%s", h.why)
		case h.gone && h.left.Engine != left.Engine:
			stick("", "%s was served by %s", w.parts[i].Name, h.left.Engine)
		}
		out.fencing = out.fencing || h.unfenced
		witnesses = append(witnesses, h.witnesses)
	}
	able, none := b.able(&w.Volume, witnesses)
	if none != "" {
		why, hint := takeover.Unable(b.cfg, &w.Volume, b.w.Snapshot, none)
		stick(hint, "of the nodes that have everything of a part none can show all of it to hosts: %s", why)
	}
	if !out.stuck {
		first := &subject{b: b, v: w.parts[0], id: w.id}
		out.to = takeover.Heir(b.cfg, able, first.hasPath, b.load())
	}
	return out
}

// able leaves those witnesses of parts whose nodes can show the whole to hosts; where there are
// some, and none is left, it names one of the nodes.
func (b *builder) able(v *schema.Volume, witnesses [][]state.Survivor) (left [][]state.Survivor, none lineage.Node) {
	some := false
	for _, of := range witnesses {
		can := slices.DeleteFunc(slices.Clone(of), func(l state.Survivor) bool { return b.unable(v, l.Node) })
		left, some = append(left, can), some || len(can) > 0
		if len(of) > 0 {
			none = of[0].Node
		}
	}
	if some {
		none = ""
	}
	return left, none
}

// bereavement is what is left of a part.
type bereavement struct {
	left      state.Survivors
	gone      bool // it is to be taken over
	why, hint string
	unfenced  bool
	witnesses []state.Survivor // of one that was taken over before, who did
}

// bereaved is what is left of all parts that are laid out, in their order.
func (w *whole) bereaved() (all []bereavement) {
	for i, v := range w.parts[:min(w.layout().Parts, len(w.parts))] {
		p, why, hint := w.b.pick(v)
		if why == "" && p.id.Name == "" {
			why = "no replica could be read"
		}
		h := bereavement{why: why, hint: hint}
		if why == "" {
			s := &subject{b: w.b, v: v, id: p.id, sec: w.b.section(plan.VolumeKey(v.Name)), keep: map[lineage.UUID]lineage.Node{}}
			h = s.bereavement()
		}
		if h.why != "" {
			h.why = fmt.Sprintf("of %s, %s", v.Name, h.why)
		} else {
			h.why = w.misfit(i, h.heads())
		}
		all = append(all, h)
	}
	return all
}

func (s *subject) bereavement() (h bereavement) {
	b := s.b
	left, gone, is := s.bereft()
	if h.left, h.gone = left, gone; is {
		h.why, h.hint = s.stuckWith(h.left, h.gone)
		h.witnesses = s.witnesses(h.left)
		h.unfenced = h.gone && (s.mayBeRead(h.left) || slices.ContainsFunc(s.linksTo(h.left.Engine), func(l lineage.Link) bool { return b.w.Fenced(b.cfg.Cluster, l) != "" }))
		return h
	}
	verdict := b.w.Judge(s.inc, s.question())
	if h.why = verdict.Unknown; h.why != "" {
		h.hint = s.nameOne()
	}
	for _, l := range verdict.Legs {
		if l.Head != nil && b.reachable(l.Node) && len(h.witnesses) == 0 {
			h.witnesses = append(h.witnesses, state.Survivor{Head: *l.Head})
		}
	}
	return h
}

// heads are those of its witnesses.
func (h *bereavement) heads() (heads []state.Head) {
	for _, l := range h.witnesses {
		heads = append(heads, l.Head)
	}
	return heads
}
