package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
)

// hears refuses a listener that lets hosts in without TLS who are to come by it, one of TLS for
// others, and one of either kind where the target is heard in the other way: it would not be
// what it is said to be.
func (c *Checker) hears(op plan.ListenerAdd) error {
	id, export := c.cfg.Cluster.ParseExport(op.NQN)
	v := c.cfg.Shown(id.Name)
	byTLS := export && v != nil && v.Export.TLS()
	switch {
	case byTLS && !op.TLS:
		return fmt.Errorf("hosts of %s come by TLS, and %s would let them in without", v.Name, op.Portal())
	case op.TLS && !byTLS:
		return fmt.Errorf("hosts of %s do not come by TLS", op.NQN)
	case !op.TLS:
		return c.openly(op.Node, op.Portal())
	}
	if n := c.w.Nodes[op.Node]; n != nil {
		if other := n.PlainAt(op.Portal(), ""); other != "" {
			return fmt.Errorf("%s listens at %s without TLS, and so would this", other, op.Portal())
		}
	}
	return nil
}

// openly refuses to listen without TLS where somebody listens by it.
func (c *Checker) openly(n lineage.Node, p lineage.Portal) error {
	if at := c.w.Nodes[n]; at != nil {
		if other := at.SecretAt(p); other != "" {
			return fmt.Errorf("%s listens at %s by TLS, and nobody would come there without", other, p)
		}
	}
	return nil
}

// rekeyed is keyed of a host whose TLS key stays.
func (c *Checker) rekeyed(op plan.HostKeysSet) error {
	keys := op.Keys
	if n := c.w.Nodes[op.Node]; n != nil && n.Subsystems[op.NQN] != nil {
		keys.PSK = n.Subsystems[op.NQN].Keys[op.Host].PSK
	}
	return c.keyed(op.Node, op.NQN, op.Host, keys)
}
