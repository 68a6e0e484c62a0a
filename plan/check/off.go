package check

import (
	"fmt"

	"strata/plan"
	"strata/schema"
)

// off refuses to switch off a node that answers, on which somebody works, or by another
// agent than is configured.
func (c *Checker) off(n *schema.Node, op plan.NodeOff) error {
	at := c.w.Nodes[n.Name]
	switch {
	case n.Fence == nil:
		return fmt.Errorf("%s has no fence agent", n.Name)
	case n.Fence.Agent() != op.Agent:
		return fmt.Errorf("the fence agent of %s is %s, not %s", n.Name, n.Fence.Agent(), op.Agent)
	case c.cfg.Suspended(n.Name):
		return fmt.Errorf("%s is suspended: somebody works on it", n.Name)
	case at == nil || at.Unknown == "":
		return fmt.Errorf("%s answers", n.Name)
	}
	return nil
}
