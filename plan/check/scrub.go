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
	if c.read == nil {
		c.read = map[layerAt]bool{}
	}
	c.read[layerAt{n.Name, op.Lvstore, op.Layer}] = true
	return nil
}

// layerAt is a layer in one place.
type layerAt struct {
	node    lineage.Node
	lvstore string
	layer   lineage.LvolName
}

// compares refuses to say of a layer that it was compared when it was not read, in any of the
// places of current replicas that have it, or to forget what is damaged beside it.
func (c *Checker) compares(n *schema.Node, op plan.Compare) error {
	of, ok := lineage.ParseLayer(op.Layer)
	from, was := lineage.ParseScrubbed(op.From)
	to, will := lineage.ParseScrubbed(op.To)
	switch {
	case !ok || !was || !will || from.Volume != of.Volume || to.Volume != of.Volume:
		return fmt.Errorf("%s and %s do not say of volume %s when it was compared", op.From, op.To, of.Volume)
	case to.Through != of.Epoch && to.Began != 0, to.Last() < from.Last():
		return fmt.Errorf("%s does not say that %s was compared after %s", op.To, op.Layer, op.From)
	case from.Damaged != 0 && (from.Anew || from.Damaged != of.Epoch) && (to.Damaged != from.Damaged || to.Anew != from.Anew), to.Anew && !from.Anew:
		return fmt.Errorf("%s says that the copy of another layer is damaged, and %s does not", op.From, op.To)
	}
	inc, well := c.w.Incarnation(of.Volume), from.Hurt() == 0 || to.Damaged != 0
	for _, leg := range c.judge(of.Volume).Legs {
		if leg.Head == nil {
			return fmt.Errorf("the replica on %s was not read", leg.Node)
		}
		at := layerAt{leg.Node, leg.Head.Lvol.Lvstore, op.Layer}
		well = well || inc.ScrubbedAt(leg.Place()).Hurt() == 0
		if c.w.Nodes[at.node].Lvols[at.lvstore+"/"+string(at.layer)] != nil && !c.read[at] {
			return fmt.Errorf("layer %s was not read on %s", op.Layer, leg.Node)
		}
	}
	if !well {
		return fmt.Errorf("%s says that the copy is damaged, and no other that it could be like is known not to be", op.From)
	}
	return c.changed(n, op.Lvstore, op.From)
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
