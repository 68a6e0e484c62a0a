package check

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// takeover refuses that a replica takes over from an engine that is gone, without a
// person who names it, unless its node has it shown to that engine ever since and counts
// no failed I/O, nothing that is read lets the engine's node in, so many legs of the epoch
// are as they were that none was let go, and no host reads from that engine any more. Of
// the last two a person may say so.
func (c *Checker) takeover(op plan.LvolRename) error {
	from, is := lineage.ParseHead(op.From)
	to, will := lineage.ParseHead(op.To)
	v := from.Volume
	if !is || !will || to.Mark == lineage.Fenced || from.Mark != lineage.Open || to.Epoch < from.Epoch+lineage.Forced/2 || c.opt.Authority[v.Name] != "" {
		return nil
	}
	l := c.w.Nodes[op.Node].Lvols[op.Lvstore+"/"+string(op.From)]
	link, sub := c.shownOn(op.Node, l.UUID)
	switch {
	case sub == nil:
		return c.restarted(op, from, l)
	case sub.Evidence == nil || slices.Contains(sub.Evidence.Failed, string(l.UUID)) || !l.Complete():
		return fmt.Errorf("%s need not have all that was acknowledged: I/O of it may have failed", op.From)
	}
	engine := c.w.Nodes[link.To]
	ended := engine != nil && engine.Unknown == ""
	members, late, shown := 0, 0, 0
	for _, h := range c.w.Incarnation(v).Heads {
		if ended && behind(h, from) {
			late++
		}
		if !pledged(h, from) && (h.Name.Epoch != from.Epoch || h.Name.Mark != lineage.Open) {
			continue
		}
		members++
		other, sub := c.shownOn(h.Node, h.Lvol.UUID)
		if sub == nil {
			continue
		}
		if shown++; other.To != link.To {
			return fmt.Errorf("%s is shown to %s, and what takes over to %s", h.Lvol.Name, other.To, link.To)
		}
	}
	word := c.opt.Failover[v.Name] || c.opt.Failover[v.Whole().Name]
	if err := enough(members, late, from); err != nil && !word {
		return err
	}
	if ended {
		if c.w.Incarnation(v).Running() {
			return fmt.Errorf("%s serves it", link.To)
		}
		return nil
	}
	if !word && shown < from.Legs && c.opt.Off[link.To] == "" && !c.w.SwitchedOff(link.To) {
		return fmt.Errorf("hosts may go on reading from %s, which may have a replica of its own", link.To)
	}
	if err := c.othersOf(from, link.To); err != nil {
		return err
	}
	return c.shutOut(v, link.To)
}

// othersOf refuses that a part is taken over without the others of its whole: as long as
// nothing is left of one of them that can be read, or the engine is let in to one.
func (c *Checker) othersOf(from lineage.Head, engine lineage.Node) error {
	if _, part := lineage.SplitPart(from.Volume.Name); !part {
		return nil
	}
	for i := range from.Layout.Parts {
		v := lineage.Volume{Name: lineage.PartName(from.Volume.Whole().Name, i), ID: from.Volume.ID}
		if !slices.ContainsFunc(c.w.Incarnation(v).Heads, func(h state.Head) bool { return h.Lvol.Complete() && h.Name.Mark != lineage.Fenced }) {
			return fmt.Errorf("no replica of %s is left that could be read, and without it the others are of no use to hosts", v)
		}
		if err := c.shutOut(v, engine); err != nil {
			return fmt.Errorf("%s: %w", v, err)
		}
	}
	return nil
}

// pledged reports whether a head was told of a failover from the epoch of another.
func pledged(h state.Head, from lineage.Head) bool {
	return h.Name.Pledged && h.Name.Epoch > from.Epoch && (h.Name.Epoch-from.Epoch)%lineage.Forced == 0
}

// behind reports whether a head is of the epoch before that of another, and of as many
// legs: it was to be named next when that was minted.
func behind(h state.Head, from lineage.Head) bool {
	return h.Lvol.Complete() && h.Name.Mark != lineage.Fenced && h.Name.Epoch+1 == from.Epoch && h.Name.Legs == from.Legs
}

// restarted refuses that a replica takes over that is shown to no engine, unless every node
// was read, no head is shown to any and none names a later epoch, and as many
// are there as it takes.
func (c *Checker) restarted(op plan.LvolRename, from lineage.Head, l *state.Lvol) error {
	inc, members, late := c.w.Incarnation(from.Volume), 0, 0
	for _, h := range inc.Heads {
		_, sub := c.shownOn(h.Node, h.Lvol.UUID)
		switch {
		case sub != nil:
			return fmt.Errorf("%s is shown to no engine, and another replica is: it need not have all that was acknowledged", op.From)
		case h.Name.Epoch > from.Epoch && !pledged(h, from):
			return fmt.Errorf("%s is of a later epoch than %s", h.Lvol.Name, op.From)
		case behind(h, from):
			late++
		case pledged(h, from), h.Lvol.Complete() && h.Name.Mark != lineage.Fenced && h.Name.Epoch == from.Epoch:
			members++
		}
	}
	for name, n := range c.w.Nodes {
		if n.Unknown != "" {
			return fmt.Errorf("%s is shown to no engine, and one may be left on %s, which cannot be read", op.From, name)
		}
	}
	switch {
	case !from.Wait || !l.Complete():
		return fmt.Errorf("%s is shown to no engine, and need not have all that was acknowledged", op.From)
	case inc.Running():
		return fmt.Errorf("%s is served", from.Volume)
	}
	return enough(members, late, from)
}

// enough refuses where so few legs of an epoch are as they were that one may have been let
// go unseen. What it had not come to yet counts where one leg was named, if that is needed.
func enough(members, late int, from lineage.Head) error {
	least := from.Legs
	if from.Quorum {
		least = from.Legs - (from.Legs+1)/2 + 1
	}
	if members == 1 && late < least {
		members += late
	}
	if members < least {
		return fmt.Errorf("%s left of epoch %d, and the engine may have gone on without them", amount.OutOf(members, from.Legs, "leg", "is", "are"), from.Epoch)
	}
	return nil
}

// shutOut refuses as long as a node is let in to, or connected to, any link by which it is
// shown anything of a volume.
func (c *Checker) shutOut(v lineage.Volume, engine lineage.Node) error {
	host, inc := c.cfg.Cluster.HostNQN(engine), c.w.Incarnation(v)
	for _, h := range inc.Heads {
		link, sub := c.shownOn(h.Node, h.Lvol.UUID)
		if sub == nil || link.To != engine {
			continue
		}
		if sub.Admits(host) || sub.Evidence != nil && slices.Contains(sub.Evidence.Connected, host) {
			return fmt.Errorf("%s is not fenced off %s", engine, h.Node)
		}
	}
	return nil
}

// shownOn is the link that waits by which a node shows an lvol; nil for none.
func (c *Checker) shownOn(n lineage.Node, u lineage.UUID) (lineage.Link, *state.Subsystem) {
	for nqn, sub := range c.w.Nodes[n].Subsystems {
		link, ok := c.cfg.Cluster.ParseLink(nqn)
		if ok && link.Wait && link.From == n && sub.Shows(string(u)) {
			return link, sub
		}
	}
	return lineage.Link{}, nil
}

// shows refuses to show a replica that is current by its name to a node that cannot be
// read, or whose mirror has lost it: it would look as if it had been shown ever since.
func (c *Checker) shows(op plan.NamespaceAdd) error {
	link, ok := c.cfg.Cluster.ParseLink(op.NQN)
	if !ok || !link.Wait {
		return nil
	}
	l := c.w.Nodes[op.Node].LvolByUUID(lineage.UUID(op.Bdev))
	if l == nil {
		return nil
	}
	h, ok := l.Parsed.(lineage.Head)
	if ok && h.Mark == lineage.Fenced {
		return c.superseded(h, l, link.To)
	}
	if !ok || !h.Wait || h.Mark != lineage.Open || h.Epoch < c.w.Incarnation(h.Volume).Top() {
		return nil
	}
	to := c.w.Nodes[link.To]
	if to == nil || to.Unknown != "" {
		return fmt.Errorf("%s cannot be read, and may have gone on without %s", link.To, l.Name)
	}
	if raid := to.Raids[c.cfg.Cluster.Raid(h.Volume)]; raid != nil && raid.State == "online" && !raid.Has(l.UUID) {
		return fmt.Errorf("RAID %s on %s has lost %s", raid.Name, link.To, l.Name)
	}
	return nil
}

// superseded refuses to show a replica that is stale by its name to an engine that has it in its
// mirror and is not believed: hosts would read there what is stale.
func (c *Checker) superseded(h lineage.Head, l *state.Lvol, to lineage.Node) error {
	at := c.w.Nodes[to]
	if at == nil || !at.Raids[c.cfg.Cluster.Raid(h.Volume)].Has(l.UUID) || c.cfg.Shown(h.Volume.Whole().Name) == nil {
		return nil
	}
	if verdict := c.judge(h.Volume); verdict.Unknown != "" || verdict.Engine != to {
		return fmt.Errorf("%s is stale, and the engine on %s is not believed", l.Name, to)
	}
	return nil
}

// replaced reports whether the engine of a volume on a node is not the one that is
// believed, and no host reaches it.
func (c *Checker) replaced(v lineage.Volume, n lineage.Node) bool {
	verdict := c.judge(v)
	return verdict.Unknown == "" && verdict.Engine != n && !c.heard(v, n)
}

// heard reports whether hosts reach a volume on a node.
func (c *Checker) heard(v lineage.Volume, n lineage.Node) bool {
	return slices.ContainsFunc(c.w.Incarnation(v).Exports, func(e state.Exported) bool {
		return e.Node == n && (e.Subsystem == nil || len(e.Subsystem.Listeners) > 0)
	})
}

// letIn refuses to let a node in to a link by which it cannot come, as long as it uses
// anything through it that another has taken over: it would send again what it has queued. Of
// one that it was fenced off, and not one that is made again, it has to be known that it
// does not.
func (c *Checker) letIn(op plan.HostAllow) error {
	link, ok := c.cfg.Cluster.ParseLink(op.NQN)
	sub := c.w.Nodes[op.Node].Subsystems[op.NQN]
	if !ok || !link.Wait || op.Host != c.cfg.Cluster.HostNQN(link.To) {
		return nil
	}
	fenced := sub != nil && len(sub.Listeners) > 0
	to := c.w.Nodes[link.To]
	switch {
	case to != nil && to.Unknown == "":
	case fenced:
		return fmt.Errorf("%s cannot be read, and may have writes queued", link.To)
	default:
		return nil
	}
	believed := func(v lineage.Volume, ours bool) bool {
		verdict := c.judge(v)
		if known := ours && verdict.Unknown == "" && c.cfg.Shown(v.Whole().Name) != nil && (verdict.Engine != "" || c.w.AllRead()); !fenced && !known {
			return true
		}
		return ours && verdict.Unknown == "" && verdict.Engine == link.To
	}
	for nqn, shown := range to.Subsystems {
		v, ours := c.cfg.Cluster.ParseExport(nqn)
		ns := shown.Namespaces[state.ExportNSID]
		if !ours || ns == nil {
			continue
		}
		r := to.Remotes[to.Backing(ns.Bdev)]
		if r == nil || to.Controllers[r.Controller] == nil || to.Controllers[r.Controller].NQN != op.NQN || to.Controllers[r.Controller].GivenUp() {
			continue
		}
		if !believed(v, true) {
			return fmt.Errorf("%s on %s may have writes queued, and would send them again", nqn, link.To)
		}
	}
	for _, raid := range to.Raids {
		for _, l := range raid.Legs {
			r := to.Remotes[l.UUID]
			if !l.Configured || r == nil || to.Controllers[r.Controller] == nil {
				continue
			}
			v, ours := c.cfg.Cluster.ParseRaid(raid.Name)
			if believed(v, ours) {
				continue // what it has queued is of the volume as it is
			}
			if ctrl := to.Controllers[r.Controller]; ctrl.NQN == op.NQN && !ctrl.GivenUp() {
				return fmt.Errorf("RAID %s on %s may have writes queued, and would send them again", raid.Name, link.To)
			}
		}
	}
	return nil
}

// serves reports whether another node than that is the engine that is believed, and lets
// hosts in.
func (c *Checker) serves(v lineage.Volume, but lineage.Node) bool {
	verdict := c.judge(v)
	return verdict.Unknown == "" && verdict.Engine != "" && verdict.Engine != but && slices.ContainsFunc(c.w.Incarnation(v).Exports, func(e state.Exported) bool {
		return e.Node == verdict.Engine && e.Subsystem != nil && e.Device != "" && slices.ContainsFunc(e.Subsystem.Listeners, func(l state.Listener) bool { return !l.Paused })
	})
}

// helpless reports whether a node has a RAID of a volume, or shows a leg of it as it is, and
// is fenced off every leg: hosts wait there in any case.
func (c *Checker) helpless(v lineage.Volume, n lineage.Node) bool {
	at := c.w.Nodes[n]
	var legs []lineage.UUID
	if raid := at.Raids[c.cfg.Cluster.Raid(v)]; raid != nil {
		for _, l := range raid.Legs {
			if l.Configured {
				legs = append(legs, l.UUID)
			}
		}
	} else if sub := at.Subsystems[c.cfg.Cluster.ExportNQN(v)]; sub != nil && sub.Namespaces[state.ExportNSID] != nil {
		legs = append(legs, at.Backing(sub.Namespaces[state.ExportNSID].Bdev))
	} else {
		return false
	}
	return !slices.ContainsFunc(legs, func(u lineage.UUID) bool {
		r := at.Remotes[u]
		if r == nil || at.Controllers[r.Controller] == nil {
			return true
		}
		link, ok := c.cfg.Cluster.ParseLink(at.Controllers[r.Controller].NQN)
		return !ok || !c.w.ShutOut(c.cfg.Cluster, link)
	})
}

// leftover reports whether a node has a RAID of a volume, which is known not to be that of
// the engine to believe.
func (c *Checker) leftover(v lineage.Volume, n lineage.Node) bool {
	verdict := c.judge(v)
	return verdict.Unknown == "" && verdict.Engine != n && c.w.Nodes[n].Raids[c.cfg.Cluster.Raid(v)] != nil
}
