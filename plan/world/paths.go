package world

import (
	"fmt"

	"strata/plan"
	"strata/state"
)

// projectPath projects that a node reaches a peer by another path, or by one less.
func projectPath(n *state.Node, op plan.Op) error {
	var name string
	switch op := op.(type) {
	case plan.PathAttach:
		name = op.Controller
		if c := n.Controllers[name]; c != nil {
			c.AddPath(state.Path{Address: op.Address, Port: op.Port, State: "enabled"})
			return nil
		}
	case plan.PathDetach:
		name = op.Controller
		if c := n.Controllers[name]; c != nil {
			if !c.RemovePath(op.Portal()) {
				return fmt.Errorf("controller %s on %s does not reach its peer by %s and another path", name, n.Name, op.Portal())
			}
			return nil
		}
	default:
		return unknown(op)
	}
	return fmt.Errorf("no controller %s on %s", name, n.Name)
}
