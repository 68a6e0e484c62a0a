package check

import (
	"fmt"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// address refuses to have any other address moved than that of the volume, or by another
// program, and any while the volume's hosts are let in there by a node that was read: they
// would lose it, or two nodes would answer them.
func (c *Checker) address(nqn lineage.NQN, address, program string, moves bool) error {
	id, ok := c.cfg.Cluster.ParseExport(nqn)
	v := c.cfg.Volume(id.Name)
	switch {
	case !ok || v == nil || v.Export.Kind != schema.ExportNVMf || v.Export.VIP == nil:
		return fmt.Errorf("%s has no address that moves", nqn)
	case v.Export.VIP.Address != address || v.Export.VIP.Program() != program:
		return fmt.Errorf("the address of %s is %s and is moved by %s, not %s by %s", v.Name, v.Export.VIP.Address, v.Export.VIP.Program(), address, program)
	}
	for name, n := range c.w.Nodes {
		if sub := n.Subsystems[nqn]; moves && sub != nil && slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return l.Address == address }) {
			return fmt.Errorf("hosts are let in at %s by %s", address, name)
		}
	}
	return nil
}

// wherever refuses a pause that leaves hosts a way in: what they send there would not be
// waited for, and be in one replica's layer and not in another's.
func (c *Checker) wherever(op plan.Pause) error {
	n := c.w.Nodes[op.Node]
	if n == nil || n.Subsystems[op.NQN] == nil {
		return nil
	}
	for _, l := range n.Subsystems[op.NQN].Listeners {
		if !l.Paused && !slices.Contains(op.Portals, l.Portal()) {
			return fmt.Errorf("hosts of %s go on by %s meanwhile", op.NQN, l.Portal())
		}
	}
	return nil
}
