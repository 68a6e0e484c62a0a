package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
)

// authority refuses to name a second head of a volume as the one to believe of an epoch:
// after a restart of its engine nobody could tell which is.
func (c *Checker) authority(op plan.LvolRename) error {
	to, ok := lineage.ParseHead(op.To)
	if !ok || to.Mark != lineage.Primary {
		return nil
	}
	for _, h := range c.w.Incarnation(to.Volume).Heads {
		itself := h.Node == op.Node && h.Lvol.Lvstore == op.Lvstore && h.Lvol.Name == op.From
		if !itself && h.Name.Mark == lineage.Primary && h.Name.Epoch == to.Epoch {
			return fmt.Errorf("%s on %s in %s is the authority of epoch %d already", h.Lvol.Name, h.Node, h.Lvol.Lvstore, to.Epoch)
		}
	}
	return nil
}
