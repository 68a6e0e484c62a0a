package apply

import (
	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/state"
)

// trace is what passes have touched, by section, since all nodes were looked at.
type trace map[plan.Key][]lvolKey

// add notes what the sections of a pass touch.
func (t trace) add(p plan.Pass) {
	for i := range p.Sections {
		s := &p.Sections[i]
		for step := range s.Steps() {
			at := func(lvstore string, names ...lineage.LvolName) {
				for _, name := range names {
					t[s.Key()] = append(t[s.Key()], lvolKey{step.Op.On(), lvstore, name})
				}
			}
			switch op := step.Op.(type) {
			case plan.LvolCreate:
				at(op.Lvstore, op.Name)
			case plan.LvolClone:
				at(op.Lvstore, op.Name)
			case plan.LvolResize:
				at(op.Lvstore, op.Name)
			case plan.LvolRename:
				at(op.Lvstore, op.To)
			case plan.LvolSnapshot:
				at(op.Lvstore, op.Lvol, op.Layer)
			default: // leaves no lvol otherwise that is there after it
			}
		}
	}
}

// expected is what sections that have ended are to have left: the lvols that they
// touched, and the RAIDs of their volumes as they were.
func (t trace) expected(w *world.World, busy map[plan.Key][]lineage.Node, call *caller) (all []state.Expected) {
	for key, lvols := range t {
		if _, copies := busy[key]; copies {
			continue
		}
		of := map[lineage.Volume]bool{}
		for _, k := range lvols {
			if l := w.Nodes[k.node].Lvols[k.alias()]; l != nil && l.Parsed != nil {
				of[l.Parsed.Of()] = true
				uuid := lineage.UUID(call.resolve(string(l.UUID)))
				if plan.IsToken(uuid) {
					uuid = ""
				}
				all = append(all, state.Expected{Node: k.node, Bdev: call.alias(k.node, k.lvstore, k.name), Lvol: l, UUID: uuid})
			}
		}
		for v := range of {
			for _, m := range w.Incarnation(v).Raids {
				all = append(all, state.Expected{Node: m.Node, Bdev: m.Raid.Name, Raid: m.Raid})
			}
		}
		delete(t, key)
	}
	return all
}
