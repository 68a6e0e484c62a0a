package recipe

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// seat is the node that is to serve the volume: the one that does, or did until
// this pass took it down; the one that is configured; the one that hosts wait at;
// else the one of those with a current replica that is the best to start it on.
func (s *subject) seat() (n lineage.Node, why string) {
	if s.Engine != "" {
		return s.Engine, "it serves the volume"
	}
	if s.to != "" {
		return s.to, "" // said when it was chosen
	}
	if w := s.whole(); w != nil {
		return w.seat()
	}
	if n := s.v.Engine; n != "" && !s.superseded(n) {
		return n, "engine names it"
	}
	if n := s.exporter(); n != "" && !s.released(n) {
		return n, "hosts wait there"
	}
	if s.was != "" {
		return s.was, "it served the volume"
	}
	var seen []lineage.Node
	for _, l := range s.Legs {
		if l.Head != nil {
			seen = append(seen, l.Node)
		}
	}
	return s.lightest(seen)
}

// lightest is the one of these nodes on which the engine is best
// started: where the volume can be shown and its replica stays; where hosts have a path
// already, if they are to have several; where other replicas are shown already, for it
// was served there, or was about to be; where fewest volumes are served. Of equals it is
// the first, "" of none.
func (s *subject) lightest(nodes []lineage.Node) (n lineage.Node, why string) {
	switch {
	case len(nodes) == 0:
		return "", ""
	case len(nodes) == 1 && s.legOn(nodes[0]):
		return nodes[0], "the only current replica that it can be started from is there"
	case len(nodes) == 1:
		return nodes[0], "a replica is to be there, and nowhere else"
	}
	load, ranks := s.b.load(), map[lineage.Node][]int{}
	for _, n := range nodes {
		conf := s.b.cfg.Node(n)
		leaves := conf == nil || s.v.KeptOff(conf) != "" || s.released(n)
		pathless := s.v.Export.Standby > 0 && !s.hasPath(n)
		ranks[n] = []int{boolToInt(s.showable(s.b.w.Nodes[n]) != ""), boolToInt(leaves), boolToInt(pathless), boolToInt(!s.shownTo(n)), load.Of(n)}
	}
	best := slices.MinFunc(nodes, func(x, y lineage.Node) int { return slices.Compare(ranks[x], ranks[y]) })
	if s.b.opt.Explain {
		why = preferred(best, ranks, load.Of)
	}
	load.Serve(s.v.Name, best)
	return best, why
}

// released reports whether the operator lets the replica on n go, and there are
// others to stay.
func (s *subject) released(n lineage.Node) bool {
	return len(s.Legs) > s.v.Replicas.Count && !s.v.Protect && s.b.opt.AllowDestroy.Replica(s.v.Name, n)
}

// shownTo reports whether another replica is shown to a node.
func (s *subject) shownTo(n lineage.Node) bool {
	return slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool {
		return h.Node != n && slices.ContainsFunc(s.b.shownBy(h.Node, h.Lvol.UUID), func(x shown) bool { return x.link.To == n })
	})
}

// load counts the volumes that are served on each node, and those that will be
// there whatever else is decided: by configuration, or because the authority of
// one that nobody serves is there.
func (b *builder) load() *takeover.Load {
	if b.engines != nil {
		return b.engines
	}
	b.engines = takeover.NewLoad()
	for _, name := range b.w.Volumes() {
		v := b.cfg.Volume(name)
		for _, id := range b.w.Incarnations(name) {
			if n := b.serving(v, b.w.Incarnation(id)); n != "" {
				b.engines.Serve(name, n)
			}
		}
	}
	for _, v := range b.cfg.Volumes {
		if v.Engine != "" {
			b.engines.Serve(v.Name, v.Engine)
		}
	}
	return b.engines
}

// serving is the node that serves what was seen of a volume, or will; "" when that
// is open. A volume that is not configured is not started.
func (b *builder) serving(v *schema.Volume, inc *state.Incarnation) lineage.Node {
	if all := pieces(inc); len(all) > 0 {
		return all[0].on()
	}
	if v == nil || v.Replicas.Count == 1 && v.Export.Kind == schema.ExportNone {
		return ""
	}
	for _, h := range inc.Heads {
		if h.Name.Mark == lineage.Primary && h.Name.Epoch == inc.Top() {
			return h.Node
		}
	}
	return ""
}

// refuge is the node that the engine moves to, which nobody has set, because no
// replica of the volume is to be where it is: without one of its own it leaves an
// epoch without an authority when it ends. It moves before that replica goes, and
// not before that may. From a node that is drained it moves as soon as there is
// another replica; of a volume all of whose replicas go, before any is copied
// (migrate.go). "" when the engine stays.
func (s *subject) refuge() (n lineage.Node, why string) {
	if s.v.Engine != "" || s.kernelExport() || s.v.Part != nil {
		return "", ""
	}
	if n, why = s.forward(); n != "" {
		return n, why
	}
	own := slices.IndexFunc(s.surplus(), func(l state.CurrentLeg) bool { return l.Node == s.Engine && !s.movesOn(l) })
	switch {
	case s.b.cfg.Drained(s.Engine):
		if s.completing() {
			return "", ""
		}
	case s.ails():
	case s.legOn(s.Engine):
		if own < 0 {
			return "", ""
		}
		if why, _ := s.stays(s.surplus()[own]); why != "" {
			return "", ""
		}
	case s.chosen(s.Engine) || s.unread(s.Engine) || s.completing():
		return "", ""
	}
	var open, away []lineage.Node
	for _, l := range s.Legs {
		if l.Node == s.Engine || !s.chosen(l.Node) || s.ails() && l.Head != nil && s.hurt(l.Place()) != 0 {
			continue
		}
		if l.Head == nil {
			away = append(away, l.Node)
		} else {
			open = append(open, l.Node)
		}
	}
	if len(open) == 0 {
		open = away[:min(1, len(away))] // what is in the way of that is said
	}
	return s.lightest(open)
}

// leave takes a volume in use down, to be started where a replica of it is to stay, or is well.
func (s *subject) leave() result {
	to, best := s.refuge()
	if s.minted || to == "" {
		return idle
	}
	why, pos := fmt.Sprintf("no replica of %s stays on %s", s.v.Name, s.Engine), s.v.At("replicas")
	switch {
	case s.ails():
		why = s.harm(s.own().Place())
	case s.b.cfg.Drained(s.Engine):
		why, pos = fmt.Sprintf("%s %s", s.Engine, s.b.cfg.Node(s.Engine).Leaves()), s.b.posOf(s.Engine)
	}
	if s.b.unattended() && s.v.Export.Kind == schema.ExportNVMf && s.v.Export.Standby == 0 && s.v.Export.VIP == nil {
		s.b.blockAlone("volume "+s.v.Name, pos, "strata apply does it; with standby in its export, and hosts connected to all paths, it is done without a person",
			"its engine is to move from %s to %s, for %s; hosts would have to connect there, so that is left to a person", s.Engine, to, why)
		return idle
	}
	if s.prepare(to, "replicas") == blocked {
		return blocked
	}
	s.sits(to, "%s; %s", why, best)
	hosts := s.follow(to, pos)
	s.takeDown(nil, because(pos, "the engine moves from %s to %s, for %s; %s", s.Engine, to, why, hosts))
	return acted
}

// seated reports whether a replica is under the engine, which has no other there that
// stays, and the engine is not to stay: it goes once the engine is elsewhere.
func (s *subject) seated(l state.CurrentLeg) bool {
	return l.Node == s.engine && s.v.Engine != s.engine && !s.movesOn(l)
}

// completing reports whether the RAID writes to a replica that is not complete:
// it would have to begin anew on another engine.
func (s *subject) completing() bool {
	return slices.ContainsFunc(s.inc.Heads, func(h state.Head) bool { return !h.Lvol.Complete() && s.inRaid(h.Lvol.UUID) })
}
