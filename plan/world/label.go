package world

import (
	"strata/lineage"
	"strata/plan"
)

// Label fills in what an op's bdevs are called now.
func (w *World) Label(op plan.Op) plan.Op {
	return plan.WithLabels(op, func(bdev string) plan.Label { return w.nameOf(op.On(), bdev) })
}

// nameOf finds the lvol with that UUID, on node n or else any; other bdevs have
// only one name.
func (w *World) nameOf(n lineage.Node, bdev string) plan.Label {
	u := lineage.UUID(bdev)
	if at := w.Nodes[n]; at == nil || at.LvolByUUID(u) == nil {
		n = w.Owner(u)
	}
	if n == "" {
		return plan.Label(bdev)
	}
	return plan.Label(string(n) + "/" + w.Nodes[n].LvolByUUID(u).Alias())
}
