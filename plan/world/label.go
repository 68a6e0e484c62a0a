package world

import (
	"strata/lineage"
	"strata/plan"
)

// Label fills in what an op's bdevs are called now.
func (w *World) Label(op plan.Op) plan.Op {
	switch op := op.(type) {
	case plan.NamespaceAdd:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case plan.NamespaceRemove:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case plan.LvolCloneBdev:
		op.Label = w.nameOf(op.On(), string(op.Bdev))
		return op
	case plan.ShallowCopy:
		op.Label = w.nameOf(op.On(), string(op.To))
		return op
	case plan.WriteLimit:
		op.Label = w.nameOf(op.On(), string(op.Bdev))
		return op
	case plan.LegWait:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case plan.LegGone:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case plan.RaidCreate:
		for _, l := range op.Legs {
			op.Labels = append(op.Labels, w.nameOf(op.On(), string(l)))
		}
		return op
	case plan.RaidGrow:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case plan.RaidRemoveLeg:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case plan.UblkStart:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case plan.NBDStart:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	}
	return op
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
