package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
)

// seat is the node that serves all parts, or is to: the same for all, once they are judged.
func (w *whole) seat() (n lineage.Node, why string) {
	if w.at != "" {
		return w.at, w.why
	}
	return w.choose()
}

func (w *whole) choose() (n lineage.Node, why string) {
	count := map[lineage.Node]int{}
	for _, s := range w.on {
		if s != nil && s.Engine != "" {
			count[s.Engine]++
		}
	}
	inc := w.b.w.Incarnation(w.id)
	for _, e := range inc.Exports {
		if e.Device != "" && count[e.Node] > 0 { // else another has taken over from there
			count[e.Node] += len(w.parts)
		}
	}
	best := lineage.Node("")
	for _, node := range w.b.cfg.Nodes {
		if c := count[node.Name]; c > 0 && (best == "" || c > count[best]) {
			best = node.Name
		}
	}
	if best != "" {
		return best, "it serves other parts"
	}
	// Where a replica is to be made first, the engine follows (depart).
	elsewhere := func(s *subject) bool {
		return s != nil && (s.superseded(w.Engine) || s.toHave(w.Engine) && s.awaitsCopy(w.Engine) != "")
	}
	if w.Engine != "" && !slices.ContainsFunc(w.on, elsewhere) {
		return w.Engine, "engine names it"
	}
	for _, e := range inc.Exports {
		if e.Subsystem != nil && e.Device == "" && w.b.reachable(e.Node) {
			return e.Node, "hosts wait there"
		}
	}
	return w.lightest(func(*schema.Node) bool { return true }), "most of its parts have a replica there"
}

// lightest is the node that is best to serve all parts: that served most of them; where hosts have a path, if they
// are to have several; where most of the parts have a current replica; that serves fewest.
func (w *whole) lightest(may func(*schema.Node) bool) lineage.Node {
	var best *schema.Node
	var bestRank []int
	for _, n := range w.b.cfg.Nodes {
		if !w.b.reachable(n.Name) || !may(n) || w.b.unable(&w.Volume, n.Name) {
			continue
		}
		with, was, path := 0, 0, w.Export.Standby == 0
		for _, s := range w.on {
			if s == nil {
				continue
			}
			for _, l := range s.Legs {
				if l.Node == n.Name {
					with++
					was += boolToInt(l.Head != nil && l.Head.Name.Mark == lineage.Primary)
				}
			}
			path = path || s.hasPath(n.Name)
		}
		rank := []int{boolToInt(n.Drain), -was, boolToInt(!path), -with, w.b.load().Of(n.Name)}
		if best == nil || slices.Compare(rank, bestRank) < 0 {
			best, bestRank = n, rank
		}
	}
	if best == nil {
		return ""
	}
	return best.Name
}

// depart has all parts go to one node, if they are not there, or are to leave it: all of them
// or none.
func (w *whole) depart() {
	outer := w.b.doing
	defer func() { w.b.doing = outer }()
	w.b.doing = "move"
	to, why, pos := w.destination()
	if to == "" || slices.ContainsFunc(w.on, func(s *subject) bool { return s.minted || s.completing() }) {
		return
	}
	for _, s := range w.on {
		if s.Engine != "" && s.Engine != to && s.prepare(to, "engine") == blocked {
			for _, x := range w.on {
				x.to = ""
			}
			return
		}
	}
	w.at, w.why = to, why
	done := false
	for _, s := range w.on {
		if s.Engine == "" || s.Engine == to {
			continue
		}
		hosts := "with the others"
		if !done {
			hosts, done = s.follow(to, pos), true
		}
		s.sits(to, "%s", why)
		s.takeDown(nil, because(pos, "the engine of %s moves from %s to %s, for %s; %s", w.Name, s.Engine, to, why, hosts))
	}
}

// destination is where all parts are to go; "" where they stay.
func (w *whole) destination() (to lineage.Node, why string, pos schema.Pos) {
	engines := map[lineage.Node]bool{}
	for _, s := range w.on {
		if s.Engine != "" {
			engines[s.Engine] = true
		}
	}
	if len(engines) == 0 {
		return "", "", pos
	}
	now := w.at
	switch {
	case w.b.opt.ResumeOnly != nil && len(engines) == 1:
		return "", "", pos
	case w.Engine != "" && (len(engines) > 1 || !engines[w.Engine]) && w.b.reachable(w.Engine) && !w.b.unattended():
		return w.Engine, "engine names it", w.At("engine")
	case len(engines) > 1:
		return now, "all its parts are served by one node", w.Pos
	case w.Engine == "" && w.b.cfg.Drained(now) && w.mayLeave():
		to := w.lightest(func(n *schema.Node) bool { return n.Name != now && !n.Drain })
		return to, fmt.Sprintf("%s %s", now, w.b.cfg.Node(now).Leaves()), w.b.posOf(now)
	}
	return "", "", pos
}

// mayLeave reports whether the engine may leave a node that is drained: without a person,
// only where hosts have another path.
func (w *whole) mayLeave() bool {
	if !w.b.unattended() {
		return true
	}
	return w.b.may(w.parts[0].Name, schema.DutyMove) && (w.Export.Standby > 0 || w.Export.Kind == schema.ExportNone)
}
