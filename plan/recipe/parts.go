package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// A whole is planned as the volumes that are its parts, and one thing more: they have one
// engine, and what hosts are shown stands on all of them (whole.go). In a pass:
//
//	found     the ID that all parts have, and the layout that is written down
//	judged    every part, or made; none is started before all are there
//	named     who is current, of all parts
//	seated    one engine for all. Where it is to be another, all parts go there in this pass,
//	          or none does
//	kept      each part as any volume: started, rebuilt, reduced
//	shown     the parts laid out, and exported, if all of them are served
//
// The layout is in the names of the first part's heads. What is laid out is as that says,
// in the order of the parts' names, or nothing is. A part more is made first, then written
// down, and then laid out with the others; a crash in between leaves one that is not used
// yet, or one that is empty.
type whole struct {
	*schema.Whole
	b     *builder
	parts []*schema.Volume
	on    []*subject     // of parts that could be judged in this pass, by index; else nil
	id    lineage.Volume // of the whole
	is    lineage.Layout // as it is written down; zero where nothing is
	odd   string         // why it is not laid out as configured; "" if it is
	hint  string
	at    lineage.Node // serves all parts, or is to; "" while they are judged
	why   string       // that is so
	heir  *inheritance // nil until a part's engine is found to be gone
	left  bool         // nothing else is done to a part in this pass, so nothing to what hosts see
	made  bool         // parts are made in this pass without which it cannot be
}

// whole is the one that the volume is a part of; nil for none.
func (s *subject) whole() *whole {
	if s.v.Part == nil {
		return nil
	}
	return s.b.wholes[s.v.Part.Whole]
}

// planWhole plans all parts of a whole, and the whole.
func (b *builder) planWhole(w *schema.Whole) {
	first := b.index[lineage.PartName(w.Name, 0)]
	b.begin(first)
	x := &whole{Whole: w, b: b, parts: b.cfg.Parts(w), on: make([]*subject, w.Layout.Parts)}
	b.wholes[w.Name] = x
	if !b.left(plan.VolumeKey(w.Name)) && !x.kept() {
		x.find()
		// A part that is in use says that all others were: none is before all are there.
		if x.open(); !x.made {
			x.keep()
			x.serve()
		}
	}
	at := b.at
	b.end(first)
	for _, v := range x.parts {
		b.outcomes[b.index[v.Name]] = at
	}
	x.chain()
}

// kept leaves all parts as they are, and says why, where one that is in use on a suspended
// node keeps them so, or somebody has laid them out otherwise.
func (w *whole) kept() bool {
	b := w.b
	u, inUse := b.suspension.keeps(w.Name)
	why := w.disorder()
	switch {
	case inUse:
		u.stays(b, &w.Volume)
	case why != "":
		b.blockAlone("volume "+w.Name, w.At("layout"), "whoever laid it out so knows what hosts wrote there meanwhile; once its export and that RAID are gone, strata lays the parts out in their order", "%s", why)
	}
	return inUse || why != ""
}

// layout is what the heads of parts are to say.
func (w *whole) layout() lineage.Layout {
	if w.is == (lineage.Layout{}) {
		return w.Layout
	}
	return w.is
}

// layout is what the heads of the volume say of the whole it is a part of; zero for none.
func (s *subject) layout() lineage.Layout {
	if w := s.whole(); w != nil {
		return w.layout()
	}
	var l lineage.Layout // of a part that is not configured any more
	if s.inc != nil {
		for _, h := range s.inc.Heads {
			if h.Name.Layout.Parts > l.Parts {
				l = h.Name.Layout
			}
		}
	}
	return l
}

// open judges every part, and makes those that are new.
func (w *whole) open() {
	for i, v := range w.parts {
		if why := w.lost(i); why != "" {
			w.b.blockAlone("volume "+v.Name, v.Pos, "make readable what may have it; what is in the other parts is of no use to hosts without", "%s", why)
			continue
		}
		if w.odd != "" && len(w.b.w.Incarnations(v.Name)) == 0 {
			continue // nothing of it is made
		}
		if w.on[i] = w.b.open(v); w.on[i] != nil && w.on[i].busy() {
			w.on[i].urgent()
		}
	}
}

// keep does to each part what is done to any volume.
func (w *whole) keep() {
	switch {
	case w.heir != nil && w.heir.to != "":
		w.at, w.why = w.heir.to, "it takes over all parts"
	case w.any():
		w.at, w.why = w.choose()
	}
	var idle []*subject
	for _, s := range w.on {
		if s != nil && !s.busy() {
			idle = append(idle, s)
		}
	}
	if w.odd != "" {
		for _, s := range idle {
			s.urgent()
		}
		return
	}
	ready := map[*subject]bool{}
	for _, s := range idle {
		ready[s] = s.through(beginning)
		w.left = w.left || !ready[s]
	}
	w.extend()
	if len(idle) == len(w.parts) && !slices.ContainsFunc(idle, func(s *subject) bool { return !ready[s] }) {
		for _, s := range idle {
			if s.Engine != "" {
				s.try(naming)
			}
		}
		w.depart()
	}
	for _, s := range idle {
		if !ready[s] {
			continue
		}
		if s.Engine == "" && s.was == "" {
			s.judge() // with the seat of all
		}
		if s.Engine == "" && !w.complete() {
			continue // it is started with the others
		}
		if s.settleOn() && w.b.opt.ResumeOnly == nil {
			w.b.subjects[s.v.Name] = s
			s.layers()
			s.report()
		}
	}
}

// extend has a part more written down, once it is there and all others are as they are
// configured.
func (w *whole) extend() {
	if w.is == (lineage.Layout{}) || w.is.Parts >= w.Layout.Parts || !w.complete() {
		return
	}
	for i, s := range w.on {
		if !s.may(schema.DutyChange) {
			return
		}
		for _, l := range s.Legs {
			if l.Head == nil || l.Head.Lvol.Size != w.parts[i].Size || s.busy() {
				return
			}
		}
		if s.Engine != "" && s.outgrown() != nil {
			return
		}
		if i >= w.is.Parts && s.Engine == "" && (len(s.Legs) > 1 || s.Legs[0].Head.Name.Mark == lineage.Sealed) && w.Export.Kind != schema.ExportNone {
			return // it is started first
		}
	}
	w.is = w.Layout
}

// chain has the sections of the pass follow one another where one of them does anything to
// what all parts share.
func (w *whole) chain() {
	keys := []plan.Key{}
	for _, v := range w.parts {
		keys = append(keys, plan.VolumeKey(v.Name))
	}
	raid := w.b.cfg.Cluster.Raid(w.id)
	shares := slices.ContainsFunc(keys, func(k plan.Key) bool { return w.b.sections[k] != nil && w.b.sections[k].shares(raid) })
	for i, k := range keys {
		if s := w.b.sections[k]; s != nil && shares {
			s.after(keys[:i]...)
		}
	}
	if s := w.b.sections[plan.VolumeKey(w.Name)]; s != nil {
		s.after(keys...)
	}
}

// shares reports whether a section has hosts wait, or takes down what is laid out.
func (s *section) shares(raid string) bool {
	for step := range s.Steps() {
		del, deletes := step.Op.(plan.RaidDelete)
		if deletes && del.Raid == raid || step.Op.Facts().Hosts.Effect != plan.NoEffect {
			return true
		}
	}
	return false
}

// newPart is the incarnation of a part that is made: it has the ID of the others.
func (w *whole) newPart(name string) lineage.Volume {
	if w.id.ID == "" {
		w.id = lineage.Volume{Name: w.Name, ID: w.b.newID(w.Name)}
	}
	p, _ := lineage.SplitPart(name)
	w.made = w.made || p.Index < w.layout().Parts
	return lineage.Volume{Name: name, ID: w.id.ID}
}

// ungrowable says why the volume does not grow: something of the whole lies behind it.
func (s *subject) ungrowable() string {
	w := s.whole()
	if w == nil || w.Layout.StripKiB > 0 || s.v.Part.Index == max(w.is.Parts, 1)-1 || s.v.Part.Index >= w.is.Parts {
		return ""
	}
	return fmt.Sprintf("%s lies behind it, and would be found elsewhere", lineage.PartName(w.Name, s.v.Part.Index+1))
}
