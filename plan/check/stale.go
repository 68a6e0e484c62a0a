package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// revive refuses to call a replica current that is stale by its name, unless a person names
// it, the engine writes to it beside one that is current, or to nothing else since it joined,
// what it was told of is taken back for nobody was served in that epoch, or nothing was ever
// written to any of them.
func (c *Checker) revive(op plan.LvolRename) error {
	from, is := lineage.ParseHead(op.From)
	to, will := lineage.ParseHead(op.To)
	v := from.Volume
	if !is || !will || from.Mark != lineage.Fenced || to.Mark == lineage.Fenced || c.opt.Authority[v.Name] == op.Node {
		return nil
	}
	inc := c.w.Incarnation(v)
	if n, name, ok := inc.Unserved(to.Epoch); from.Pledged && ok && name.Untold() > 0 && n >= name.Untold() {
		return nil
	}
	own := c.w.Nodes[op.Node].Lvols[op.Lvstore+"/"+string(op.From)]
	if own.Empty() && !slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Name.Mark != lineage.Fenced && !h.Lvol.Empty() }) {
		return nil
	}
	for _, m := range inc.Raids {
		if !m.Raid.Has(own.UUID) {
			continue
		}
		joined := true
		for _, l := range m.Raid.Legs {
			h := inc.Find(l.UUID)
			if l.Configured && h != nil && h.Name.Mark != lineage.Fenced && h.Lvol.Complete() {
				return nil
			}
			joined = joined && (!l.Configured || h.Joined())
		}
		if joined {
			return nil
		}
	}
	return fmt.Errorf("%s is stale, and nobody writes to it beside one that is current", op.From)
}
