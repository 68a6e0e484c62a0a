package recipe

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/plan/balance"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Rebalance finds out which replicas are to be elsewhere so that pools are about equally
// full, within so much of how full all are together (0.1: ten hundredths of their size), by
// few bytes, and which engines, so that nodes serve about as many volumes. Engines go only where
// their hosts are connected already. It makes no
// plan: a plan with these wishes (plan.Options.Wishes) is an ordinary one, in which the
// replica that is lacking is rebuilt and the one that is too many is let go of. The findings
// say how full pools are and will be, and what stays as it is, and why.
func Rebalance(cfg *schema.Config, snap *state.Snapshot, hosts state.Connections, opt plan.Options, within float64) (plan.Wishes, []plan.Finding) {
	b := newBuilder(newPasses(cfg, world.New(cfg.Cluster, world.Fit(cfg, snap)), opt))
	b.links = newLinks(b, nil)
	b.survey()
	b.findWaiting()
	if why := b.unready(); why != "" {
		return nil, []plan.Finding{{About: "rebalance", Text: "nothing moves, for " + why, Hint: "run it again when all nodes can be read"}}
	}
	r := &rebalancing{b: b, hosts: hosts, index: map[*pool]int{}, mays: map[string][]int{}, domains: map[string][]string{}, fixed: map[string]int{}}
	r.survey()
	return r.wishes(within)
}

// unready says why nothing can be said of how full pools are, or nothing be copied; "" if that
// can be done.
func (b *builder) unready() string {
	if len(b.suspended) > 0 {
		return "nodes are suspended: " + strings.Join(b.suspended, ", ")
	}
	if hidden, _, why := b.hidden(); hidden > 0 {
		return fmt.Sprintf("%s could not be read (%s)", amount.Of(hidden, "node"), why)
	}
	return ""
}

// wishes are what is wished of volumes, and what is to be said of it.
func (r *rebalancing) wishes(within float64) (plan.Wishes, []plan.Finding) {
	all := plan.Wishes{}
	moves := balance.Moves(r.pools, r.volumes, within)
	then := make([]int64, len(r.pools))
	for i, p := range r.pools {
		then[i] = p.Used
	}
	for _, m := range moves {
		then[m.From] -= m.Bytes
		then[m.To] += m.Bytes
	}
	at := map[string]map[int]bool{} // pools afterwards
	for i, s := range r.subjects {
		at[s.v.Name] = map[int]bool{}
		for _, rep := range r.volumes[i].Replicas {
			at[s.v.Name][rep.Pool] = true
		}
	}
	for _, m := range moves {
		name := r.subjects[m.Volume].v.Name
		delete(at[name], m.From)
		at[name][m.To] = true
		w := all[name]
		if w.Why == nil {
			w.Why = map[lineage.Node]string{}
		}
		w.Why[r.of[m.To].node.Name] = fmt.Sprintf("%s, %s", r.fills(m.From, then), r.fills(m.To, then))
		all[name] = w
	}
	for name, w := range all {
		w.Replicas = map[lineage.Node]string{}
		for p := range at[name] {
			w.Replicas[r.of[p].node.Name] = r.of[p].conf.Lvstore
		}
		all[name] = w
	}
	share := r.handOver(all, at, within)
	return all, append(r.found(then, within), share...)
}

// called is a pool as people call it.
func (r *rebalancing) called(i int) string {
	return string(r.of[i].node.Name) + "/" + r.of[i].conf.Name
}

// fills says how full a pool is and will be.
func (r *rebalancing) fills(i int, then []int64) string {
	return fmt.Sprintf("%s goes from %s to %s full", r.called(i), r.percent(i, r.pools[i].Used), r.percent(i, then[i]))
}

func (r *rebalancing) percent(i int, used int64) string {
	return percent(float64(used) / float64(r.pools[i].Size))
}

func percent(x float64) string { return fmt.Sprintf("%.0f%%", math.Round(100*x)) }

// found says how full pools are, and of those that stay too full or too empty what is in the way.
func (r *rebalancing) found(then []int64, within float64) (all []plan.Finding) {
	if len(r.pools) == 0 {
		return nil
	}
	bands := balance.Bands(r.pools, r.volumes, within)
	out := func(used func(i int) int64) (n int) {
		for i := range r.pools {
			if bands[i].Outside(used(i)) > 0 {
				n++
			}
		}
		return n
	}
	before, after := out(func(i int) int64 { return r.pools[i].Used }), out(func(i int) int64 { return then[i] })
	text := fmt.Sprintf("all %s are within %s of how full they are together", amount.Of(len(r.pools), "pool"), percent(within))
	switch {
	case before > 0 && after == 0:
		text = fmt.Sprintf("%s not within %s of how full they are together, and all are afterwards", amount.OutOf(before, len(r.pools), "pool", "is", "are"), percent(within))
	case after > 0:
		text = fmt.Sprintf("%s not within %s of how full they are together, and %d %s not afterwards", amount.OutOf(before, len(r.pools), "pool", "is", "are"), percent(within), after, amount.Verb(after, "is", "are"))
	}
	all = append(all, plan.Finding{About: "rebalance", Text: text})
	for i, band := range bands {
		if band.Outside(then[i]) > 0 {
			all = append(all, plan.Finding{About: "pool " + r.called(i), Pos: r.of[i].conf.Pos,
				Text: fmt.Sprintf("it stays %s full, and is to be between %s and %s: no moves were found that change that", r.percent(i, then[i]), r.percent(i, band.Least), r.percent(i, band.Most))})
		}
	}
	if after > 0 {
		for _, why := range slices.Sorted(maps.Keys(r.fixed)) {
			all = append(all, plan.Finding{About: "rebalance", Text: fmt.Sprintf("%s: %s", amount.Of(r.fixed[why], "replica"), why)})
		}
	}
	return all
}

// handOver adds which engines are to be elsewhere.
func (r *rebalancing) handOver(all plan.Wishes, at map[string]map[int]bool, within float64) []plan.Finding {
	var nodes []string
	for n, node := range r.b.readNodes() {
		if !n.Drain && node.Unknown == "" && slices.ContainsFunc(r.b.ground.pools[n.Name], func(p *pool) bool { return p.state == poolReady }) {
			nodes = append(nodes, string(n.Name))
		}
	}
	var served []balance.Served
	var names []string
	for _, e := range r.engines {
		v := balance.Served{At: string(e.at)}
		if w, is := all[e.volume]; e.moves && is && leaves(w, e.at) {
			// Before anything is copied, so to one that stays; and there it is until all is.
			if to := r.stayer(e, w); to != "" {
				v.At = string(to)
				w.Engine, w.ServeWhy = to, fmt.Sprintf("its replica leaves %s", e.at)
				all[e.volume] = w
			}
		} else if e.moves {
			for p := range at[e.volume] {
				if n := r.of[p].node.Name; e.may(n) && n != e.at {
					v.May = append(v.May, string(n))
				}
			}
			slices.Sort(v.May)
		}
		if slices.Contains(nodes, v.At) {
			served, names = append(served, v), append(names, e.volume)
		}
	}
	handovers := balance.Handovers(nodes, served, within)
	before, then := map[string]int{}, map[string]int{}
	for _, s := range served {
		before[s.At]++
		then[s.At]++
	}
	for _, h := range handovers {
		then[h.From]--
		then[h.To]++
	}
	for _, h := range handovers {
		w := all[names[h.Volume]]
		w.Engine = lineage.Node(h.To)
		w.ServeWhy = fmt.Sprintf("%s goes from %d to %s served, %s from %d to %d", h.From, before[h.From], amount.Of(then[h.From], "volume"), h.To, before[h.To], then[h.To])
		all[names[h.Volume]] = w
	}
	least, most := balance.Share(nodes, served, within)
	return r.unshared(nodes, then, least, most)
}

// leaves reports whether a volume is to have a replica on a node no more.
func leaves(w plan.Wish, n lineage.Node) bool {
	_, stays := w.Replicas[n]
	return w.Replicas != nil && !stays
}

// stayer is the first node that an engine may go to and that has a replica before and after; ""
// for none.
func (r *rebalancing) stayer(e seatTaken, w plan.Wish) lineage.Node {
	for _, n := range slices.Sorted(maps.Keys(w.Replicas)) {
		if slices.Contains(e.has, n) && e.may(n) {
			return n
		}
	}
	return ""
}

// unshared says which nodes go on serving too many volumes or too few.
func (r *rebalancing) unshared(nodes []string, then map[string]int, least, most int) []plan.Finding {
	var off []string
	for _, n := range nodes {
		if then[n] < least || then[n] > most {
			off = append(off, fmt.Sprintf("%s %d", n, then[n]))
		}
	}
	if len(off) == 0 {
		return nil
	}
	slices.Sort(off)
	hint := ""
	if r.pathless > 0 {
		hint = fmt.Sprintf("%s could move if their hosts had a path to another node: give their exports standby, or vip", amount.Of(r.pathless, "engine"))
	}
	return []plan.Finding{{About: "rebalance", Hint: hint,
		Text: fmt.Sprintf("nodes are to serve %s, and not all will: %s", between(least, most), strings.Join(off, ", "))}}
}

func between(least, most int) string {
	if least == most {
		return amount.Of(least, "volume")
	}
	return fmt.Sprintf("%d to %s", least, amount.Of(most, "volume"))
}
