package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/takeover"
)

// sits notes where the volume is served, or goes to, and why. Where it is served already
// is not told again as the reason why it went there.
func (s *subject) sits(n lineage.Node, format string, args ...any) {
	if old, was := s.b.seats[s.v.Name]; s.b.opt.Explain && n != "" && (s.v.Replicas.Count > 1 || s.v.Export.Kind != schema.ExportNone) && (!was || old.Engine != n) {
		s.b.seats[s.v.Name] = plan.Seat{Volume: s.v.Name, Engine: n, Why: fmt.Sprintf(format, args...)}
	}
}

// reasons are why one node is the best to start an engine on, by the first of its ranks
// in which it is better than the next (engine.go).
var reasons = []string{"no other can show it to hosts", "its replica stays there", "hosts have a path there", "other replicas are shown to it already"}

// preferred says why the best of several nodes is that. ranks has those of all, and serves
// how many volumes each has, before this one.
func preferred(best lineage.Node, ranks map[lineage.Node][]int, serves func(lineage.Node) int) string {
	decides := 0
	for n, r := range ranks {
		if n != best {
			decides = max(decides, differ(ranks[best], r))
		}
	}
	if decides < len(reasons) {
		return reasons[decides]
	}
	how, others := "it serves fewest volumes", []string{}
	for _, n := range slices.Sorted(maps.Keys(ranks)) {
		if n != best {
			others = append(others, fmt.Sprintf("%s %d", n, serves(n)))
			if serves(n) == serves(best) {
				how = "none serves fewer volumes"
			}
		}
	}
	return fmt.Sprintf("%s: %d, and %s", how, serves(best), strings.Join(others, ", "))
}

// differ is the first index in which two ranks differ, or that of the last.
func differ(x, y []int) int {
	for i := range x {
		if x[i] != y[i] {
			return i
		}
	}
	return len(x) - 1
}

// fates says of the volumes of a plan that is complete what becomes of them when the node
// of their engine goes: as seats where that was asked for, else of those that are to
// fail over without a person and would not.
func (p *passes) fates(b *builder, out *plan.Plan) {
	if !p.opt.Explain && !slices.ContainsFunc(p.order, func(v *schema.Volume) bool { return v.Failover }) {
		return
	}
	var all []takeover.Subject
	engines := map[string]lineage.Node{}
	for _, v := range p.order {
		if s := b.subjects[v.Name]; s != nil {
			all = append(all, takeover.Subject{Volume: v, ID: s.id, Verdict: *s.Verdict})
			engines[v.Name] = s.Engine
		}
	}
	f := takeover.NewForesight(p.cfg, p.w.Snapshot, engines, slices.Collect(maps.Keys(b.ground.unread.nodes)))
	parts := map[string][]takeover.Subject{}
	for _, j := range all {
		w := p.cfg.WholeOf(j.Volume)
		switch {
		case !p.opt.Explain && !j.Volume.Failover:
		case w == nil:
			p.fate(out, j.Volume, f.Of(j.Volume, j.ID, j.Verdict), j)
		default:
			if parts[w.Name] = append(parts[w.Name], j); len(parts[w.Name]) == w.Layout.Parts {
				p.fate(out, &w.Volume, f.OfWhole(parts[w.Name]), parts[w.Name]...)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.seats)) {
		out.Seats = append(out.Seats, p.seats[name])
	}
	slices.SortStableFunc(out.Seats, func(x, y plan.Seat) int { return cmp.Compare(p.index[x.Volume], p.index[y.Volume]) })
}

// fate says what becomes of a volume, which is these: with their seats, and as a note.
func (p *passes) fate(out *plan.Plan, v *schema.Volume, fate *takeover.Fate, of ...takeover.Subject) {
	if fate == nil {
		return
	}
	for _, j := range of {
		if seat, ok := p.seats[j.Volume.Name]; ok {
			seat.Failover = fate.Words()
			p.seats[j.Volume.Name] = seat
		}
	}
	if !fate.Auto && v.Failover {
		out.Notes = append(out.Notes, plan.Finding{About: "volume " + v.Name, Pos: v.At("failover"),
			Text: fmt.Sprintf(`should %s go, no other node would take over by itself, though failover is "auto": %s`, of[0].Verdict.Engine, fate.Why)})
	}
}
