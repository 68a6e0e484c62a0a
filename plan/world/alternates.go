package world

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// addAlternate has a controller look for its peer at another address, too.
func addAlternate(n *state.Node, op plan.AlternateAdd) error {
	ctrl := n.Controllers[op.Controller]
	if ctrl == nil || slices.Contains(ctrl.Portals(), op.Portal()) {
		return fmt.Errorf("no controller %s on %s, or it knows %s already", op.Controller, n.Name, op.Portal())
	}
	ctrl.Alternates = append(slices.Clip(ctrl.Alternates), op.Portal())
	return nil
}

// removeAlternate has it not look there any more.
func removeAlternate(n *state.Node, op plan.AlternateRemove) error {
	ctrl := n.Controllers[op.Controller]
	if ctrl == nil || !slices.Contains(ctrl.Alternates, op.Portal()) {
		return fmt.Errorf("no controller %s on %s, or it does not look for its peer at %s", op.Controller, n.Name, op.Portal())
	}
	ctrl.Alternates = slices.DeleteFunc(slices.Clone(ctrl.Alternates), func(p lineage.Portal) bool { return p == op.Portal() })
	return nil
}
