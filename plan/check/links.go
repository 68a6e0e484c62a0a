package check

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// letGo refuses to let go of a controller of a link that waits while a RAID has a leg
// there that the names of its other legs do not leave out: hosts would be told that
// their writes are done when the names still promise that this leg has them. What was
// given up by others does so already, a RAID without other legs goes down, and nobody
// writes to one that is not shown.
func (c *Checker) letGo(n lineage.Node, controller string) error {
	at := c.w.Nodes[n]
	ctrl := at.Controllers[controller]
	if link, ok := c.cfg.Cluster.ParseLink(ctrl.NQN); !ok || !link.Wait || ctrl.GivenUp() {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(at.Raids)) {
		var gone, rest []lineage.UUID
		if at.Raids[name].Laid != nil {
			continue // a leg of a part is all there is of it
		}
		for _, l := range at.Raids[name].Legs {
			if r := at.Remotes[l.UUID]; l.Configured && r != nil && r.Controller == controller {
				gone = append(gone, l.UUID)
			} else if l.Configured {
				rest = append(rest, l.UUID)
			}
		}
		if len(gone) == 0 || len(rest) == 0 || !c.w.ShowsRaid(n, at.Raids[name]) {
			continue
		}
		v, ok := c.cfg.Cluster.ParseRaid(name)
		if ok && (c.replaced(v, n) || c.helpless(v, n) && !c.heard(v, n)) {
			continue
		}
		if !ok || !c.leavesOut(v, n, rest, gone) {
			return fmt.Errorf("RAID %s on %s has a leg there, and the names of its other legs do not say that it is out", name, n)
		}
		if err := c.kept(v, n, at.Raids[name]); err != nil {
			return err
		}
	}
	return nil
}

// leavesOut reports whether the newest epoch that the legs of rest name is for no more
// than these, and none of gone is of it. The engine's own leg is believed before
// others, so where it has one that has to say so. Legs that nobody can read may be of it
// if it was minted just now, for these: an epoch that was there before may promise that
// what is let go has everything, and mean that by the leg that is counted.
func (c *Checker) leavesOut(v lineage.Volume, engine lineage.Node, rest, gone []lineage.UUID) bool {
	inc := c.w.Incarnation(v)
	gone = slices.DeleteFunc(gone, func(u lineage.UUID) bool {
		h := inc.Find(u)
		return h != nil && !h.Lvol.Complete() // it joins: no epoch has counted it yet
	})
	if len(gone) == 0 {
		return true
	}
	var says *state.Head
	for i, h := range inc.Heads {
		if !slices.Contains(rest, h.Lvol.UUID) || h.Name.Mark == lineage.Fenced {
			continue
		}
		if says == nil || h.Node == engine && says.Node != engine || (h.Node == engine) == (says.Node == engine) && h.Name.Epoch > says.Name.Epoch {
			says = &inc.Heads[i]
		}
	}
	if says == nil {
		return false
	}
	minted, certain := says.Name.Epoch > c.was.Incarnation(c.cfg.Cluster, v).Top(), 0
	for _, u := range rest {
		if h := inc.Find(u); h == nil && minted || h != nil && h.Name.Mark != lineage.Fenced {
			certain++
		}
	}
	if says.Name.Legs > certain {
		return false
	}
	return !slices.ContainsFunc(inc.Heads, func(h state.Head) bool {
		return slices.Contains(gone, h.Lvol.UUID) && h.Name.Mark != lineage.Fenced && h.Name.Epoch >= says.Name.Epoch
	})
}

// kept refuses to let a leg of a RAID go while fewer than half of those that it had, or
// that the names that were found promise it to, say that they are out or stay: the
// others would be taken for current by a failover. A person's word for one of those that
// stay is one for all the rest.
func (c *Checker) kept(v lineage.Volume, n lineage.Node, raid *state.Raid) error {
	inc, was := c.w.Incarnation(v), c.asBegan(v)
	of, begun := 0, false
	for _, h := range was.Heads {
		if h.Name.Quorum && h.Name.Mark != lineage.Fenced && raid.Has(h.Lvol.UUID) {
			of = max(of, h.Name.Legs)
			begun = begun || h.Name.Epoch == was.Top() && h.Name.Mark != lineage.Sealed
		}
	}
	if of > 0 && !begun { // announced to some by a run that ended, and how many it was promised to is not known
		of = max(of, len(raid.Legs))
	}
	var newest lineage.Epoch
	for _, h := range inc.Heads {
		if raid.Has(h.Lvol.UUID) && h.Name.Mark != lineage.Fenced {
			newest = max(newest, h.Name.Epoch)
		}
	}
	told, had := 0, c.was.Nodes[n].Raids[raid.Name] // those that were let go before in this plan are told, too
	for _, h := range inc.Heads {
		before := was.Find(h.Lvol.UUID)
		member := raid.Has(h.Lvol.UUID) || had != nil && had.Has(h.Lvol.UUID) || before != nil && before.Name.Quorum && before.Name.Mark != lineage.Fenced
		if member && h.Lvol.Complete() && h.Name.Epoch >= newest {
			told++
		}
	}
	if by := c.opt.Authority[v.Name]; 2*told < of && !slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Node == by && raid.Has(h.Lvol.UUID) }) {
		return fmt.Errorf("%s told of epoch %d of %s, and that was promised to half of them", amount.OutOf(told, of, "leg", "was", "were"), newest, raid.Name)
	}
	return nil
}

// fence refuses to shut a node out of a link that it is not the peer of, and one that can
// be read and serves by it: hosts would wait for nothing.
func (c *Checker) fence(op plan.Fence) error {
	link, ok := c.cfg.Cluster.ParseLink(op.NQN)
	if !ok || !link.Wait || op.Host != c.cfg.Cluster.HostNQN(link.To) {
		return fmt.Errorf("%s is no link of %s that waits", op.NQN, op.Host)
	}
	if to := c.w.Nodes[link.To]; to != nil && to.Unknown == "" {
		return fmt.Errorf("%s can be read: what is to end there is ended there", link.To)
	}
	return nil
}
