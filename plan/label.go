package plan

import "strata/lineage"

// label fills in what an op's bdevs are called now.
func (w *world) label(op Op) Op {
	switch op := op.(type) {
	case NamespaceAdd:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case NamespaceRemove:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case LvolCloneBdev:
		op.Label = w.nameOf(op.On(), string(op.Bdev))
		return op
	case ShallowCopy:
		op.Label = w.nameOf(op.On(), string(op.To))
		return op
	case WriteLimit:
		op.Label = w.nameOf(op.On(), string(op.Bdev))
		return op
	case LegWait:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case LegGone:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case RaidCreate:
		for _, l := range op.Legs {
			op.Labels = append(op.Labels, w.nameOf(op.On(), string(l)))
		}
		return op
	case RaidGrow:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case RaidRemoveLeg:
		op.Label = w.nameOf(op.On(), string(op.Leg))
		return op
	case UblkStart:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	case NBDStart:
		op.Label = w.nameOf(op.On(), op.Bdev)
		return op
	}
	return op
}

// nameOf finds the lvol with that UUID, on node n or else any; other bdevs have
// only one name.
func (w *world) nameOf(n lineage.Node, bdev string) Label {
	u := lineage.UUID(bdev)
	if at := w.Nodes[n]; at == nil || at.LvolByUUID(u) == nil {
		n = w.owner(u)
	}
	if n == "" {
		return Label(bdev)
	}
	return Label(string(n) + "/" + w.Nodes[n].LvolByUUID(u).Alias())
}
