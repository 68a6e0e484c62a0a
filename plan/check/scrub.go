package check

import (
	"fmt"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// scrub refuses to read what is no layer that counts, of a replica that is current: what
// it has need not be what others have.
func (c *Checker) scrub(n *schema.Node, op plan.Scrub) error {
	of, ok := lineage.ParseLayer(op.Layer)
	if !ok {
		return fmt.Errorf("%s is no layer", op.Layer)
	}
	if err := ours(n, op.Lvstore, op.Layer); err != nil {
		return err
	}
	if c.w.Nodes[n.Name].Lvols[op.Lvstore+"/"+string(op.Layer)] == nil {
		return fmt.Errorf("layer %s is not on %s", op.Layer, n.Name)
	}
	if !c.counts(of, lineage.Place{Node: n.Name, Lvstore: op.Lvstore}) {
		return fmt.Errorf("the replica in %s on %s is not known to be current, or does not say that layer %s counts", op.Lvstore, n.Name, op.Layer)
	}
	return nil
}

// counts reports whether a replica is known to be current, and says that a layer counts.
func (c *Checker) counts(of lineage.Layer, place lineage.Place) bool {
	for _, leg := range c.judge(of.Volume).Legs {
		if leg.Head != nil && leg.Place() == place && leg.Head.Name.Cut >= of.Epoch {
			return true
		}
	}
	return false
}
