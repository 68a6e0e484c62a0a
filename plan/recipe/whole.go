package recipe

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// laidTier is what lays the parts of a whole out, one for all of them: every part has it in
// its stack, and what takes one down takes it away. A volume that is no part has none. It
// is made once all parts are served (whole.serve), and keeps no record of its own, so it is
// made only as the heads say.
type laidTier struct{}

func (laidTier) found(inc *state.Incarnation) (all []piece) {
	for _, m := range inc.Laid {
		all = append(all, laidPiece{m})
	}
	return all
}

func (laidTier) raise(_ *subject, below string) string { return below }

// laidPiece is what is laid out on a node.
type laidPiece struct{ state.Mirror }

func (r laidPiece) on() lineage.Node { return r.Node }
func (r laidPiece) bears() bool      { return r.Raid.State == "online" }
func (r laidPiece) stray(s *subject) reason {
	return because(s.v.Pos, "%s is not laid out here", s.id.Whole().Name)
}
func (r laidPiece) lower(s *subject, why reason) { s.sec.then(why, plan.RiskPause, r.ending()) }
func (r laidPiece) ending() plan.Op {
	return plan.RaidDelete{At: plan.At{Node: r.Node}, Raid: r.Raid.Name}
}

// serve lays the parts out and shows them to hosts, or says why not.
func (w *whole) serve() {
	b := w.b
	if w.odd != "" || w.id.ID == "" || !w.any() || w.left {
		return
	}
	n, _ := w.seat()
	if !b.reachable(n) {
		return // which its parts say
	}
	s := w.subject(n)
	if w.Export.Kind == schema.ExportNone {
		w.unshow(s)
		return
	}
	if why := w.unlaid(n); why != "" {
		switch {
		case b.opt.ResumeOnly != nil:
		case !s.serves() && (b.onlySuspended() || w.waitsForSuspended()):
			b.awaitSuspended(&w.Volume)
		case !s.serves():
			b.block("volume "+w.Name, w.Pos, "", "it is not shown to hosts: %s", why)
		case !w.complete(): // else it is as it was before it was to be otherwise, which is said of the part
			b.block("volume "+w.Name, w.Pos, "", "it is shown to hosts still, and would not be once more: %s", why)
		}
		return
	}
	if !s.tries(exporting.duty) {
		return
	}
	outer := b.doing
	defer func() { b.doing = outer }()
	b.doing = exporting.name
	raid := w.lay(s)
	limits := limitTier{}.raise(s, raid)
	exportTier{}.raise(s, limits)
	if b.opt.ResumeOnly == nil {
		b.subjects[w.Name] = s
		s.try(standing)
	}
}

// any reports whether any part could be judged.
func (w *whole) any() bool {
	return slices.ContainsFunc(w.on, func(s *subject) bool { return s != nil })
}

// subject is the whole as far as recipes of exports look at it.
func (w *whole) subject(n lineage.Node) *subject {
	b := w.b
	s := &subject{Verdict: &state.Verdict{Engine: n}, b: b, v: &w.Volume, id: w.id, inc: b.w.Incarnation(w.id), engine: n,
		sec: b.section(plan.VolumeKey(w.Name)), keep: map[lineage.UUID]lineage.Node{}}
	s.places.Volume = w.Name
	for _, part := range w.on {
		if part != nil {
			s.places.Chosen = append(s.places.Chosen, part.places.Chosen...)
		}
	}
	return s
}

// lay makes what lays the parts out on the engine, if it is not there as it is to be. Where
// it is there otherwise, hosts wait while it is made again.
func (w *whole) lay(s *subject) (raid string) {
	b, n := w.b, s.engine
	op := plan.LayOut{At: plan.At{Node: n}, Raid: b.cfg.Cluster.Raid(w.id), UUID: b.cfg.Cluster.ExportUUID(w.id), Striped: w.Layout.StripKiB > 0, StripKiB: w.StripKiB()}
	var sizes []int64
	for i := range w.layout().Parts { // what is written down: one more is laid out when it is
		op.Parts = append(op.Parts, w.device(i, n))
		sizes = append(sizes, b.w.SizeOf(n, op.Parts[i]))
	}
	op.Size = world.LaidSize(sizes, op.Striped, op.StripKiB)
	if w.laidAs(op) {
		return op.Raid
	}
	why := because(w.At("layout"), "all parts of %s are served", w.Name)
	s.inc = b.w.Incarnation(w.id)
	if old := b.w.Nodes[n].Raids[op.Raid]; old != nil {
		why = because(w.At("layout"), "%s is laid out over what its parts are now, and hosts wait meanwhile", w.Name)
		s.goDown(why, atMirror)
	}
	s.sec.then(why, plan.RiskCreate, op)
	s.inc = b.w.Incarnation(w.id)
	return op.Raid
}

// laidAs reports whether the engine has what an op would make.
func (w *whole) laidAs(op plan.LayOut) bool {
	n := w.b.w.Nodes[op.Node]
	old := n.Raids[op.Raid]
	if old == nil || old.Laid == nil || old.State != "online" || len(old.Legs) != len(op.Parts) ||
		old.Laid.Striped != op.Striped || old.Laid.StripKiB != op.StripKiB {
		return false
	}
	if comes := w.is.Parts < w.Layout.Parts && w.complete(); old.Laid.Size != op.Size && !(comes && old.Laid.Size < op.Size) {
		return false // what grows before another part comes is laid out with that
	}
	for i, part := range op.Parts {
		u := n.Backing(part)
		if r := n.Raids[part]; r != nil {
			u = r.UUID
		}
		if !old.Legs[i].Configured || u == "" || old.Legs[i].UUID != u {
			return false
		}
	}
	return true
}

// unshow takes away what showed a whole that hosts are not to reach any more.
func (w *whole) unshow(s *subject) {
	if s.b.unattended() {
		return
	}
	s.removeOthers()
	s.inc = s.b.w.Incarnation(w.id)
	for _, p := range (laidTier{}).found(s.inc) {
		s.sec.then(because(w.At("export"), "%s is not shown to hosts", w.Name), plan.RiskReduce, p.ending())
	}
	s.inc = s.b.w.Incarnation(w.id)
	s.try(standing)
}

// device is what a part gives to what is laid out over it; "" where it is not served on
// that node.
func (w *whole) device(i int, n lineage.Node) string {
	s := w.on[i]
	if s == nil || s.Unknown != "" || s.engine != n {
		return ""
	}
	if raid := w.b.w.Nodes[n].Raids[w.b.cfg.Cluster.Raid(s.id)]; raid != nil && raid.State == "online" {
		return raid.Name
	}
	inc := w.b.w.Incarnation(s.id)
	if len(s.Legs) != 1 {
		return ""
	}
	if h := inc.Find(s.Legs[0].UUID); h != nil && h.Name.Mark != lineage.Sealed && h.Name.Mark != lineage.Fenced && w.b.w.Nodes[n].Backing(string(h.Lvol.UUID)) != "" {
		return string(h.Lvol.UUID)
	}
	return ""
}

// unlaid says why the parts are not laid out now; "" when they can be.
func (w *whole) unlaid(n lineage.Node) (why string) {
	for i, s := range w.on[:w.layout().Parts] {
		switch {
		case s == nil:
			return w.missing() + " cannot be served"
		case w.device(i, n) == "":
			return s.v.Name + " is not served yet"
		}
		if why := w.unfit(i); why != "" {
			return why
		}
		if i == 0 && slices.ContainsFunc(s.heads(), func(h state.Head) bool { return h.Name.Layout != w.layout() }) {
			return "its heads do not say yet how it is laid out"
		}
		if size := w.b.w.SizeOf(n, w.device(i, n)); size != w.parts[i].Size && !w.grows(i) {
			return fmt.Sprintf("%s does not see all of %s yet", n, s.v.Name)
		}
	}
	return ""
}

// unfit says why nothing is laid out over a part, whether it is served or not; "" when it can
// be.
func (w *whole) unfit(i int) string {
	if w.on[i] == nil {
		return w.parts[i].Name + " cannot be served"
	}
	return w.misfit(i, w.on[i].heads())
}

// misfit says why nothing is laid out over a part that has these replicas.
func (w *whole) misfit(i int, heads []state.Head) string {
	v := w.parts[i]
	for _, h := range heads {
		if h.Lvol.Size > v.Size || h.Lvol.Size < v.Size && !w.grows(i) {
			return fmt.Sprintf("%s on %s has %s, and not %s", v.Name, h.Node, amount.Bytes(h.Lvol.Size), amount.Bytes(v.Size))
		}
	}
	if len(heads) == 0 {
		return "no replica of " + v.Name + " could be read"
	}
	return ""
}

// grows reports whether a part may be smaller than it is configured, as nothing lies behind
// it.
func (w *whole) grows(i int) bool { return i == w.layout().Parts-1 || w.Layout.StripKiB > 0 }

// heads are those of the legs that were read, as they are now.
func (s *subject) heads() (heads []state.Head) {
	for _, h := range s.b.w.Incarnation(s.id).Heads {
		if s.isLeg(h.Lvol.UUID) {
			heads = append(heads, h)
		}
	}
	return heads
}

// apart says why the parts would not be laid out again once one of them was taken down, so
// that none is; "" when they would. What is laid out is there until then, whatever has
// become of the configuration, and of nodes that are not read.
func (w *whole) apart() string {
	if w == nil {
		return ""
	}
	for i := range min(w.layout().Parts, len(w.parts)) {
		if why := w.unfit(i); why != "" {
			return fmt.Sprintf("%s would not be shown to hosts again, for %s", w.Name, why)
		}
	}
	return ""
}
