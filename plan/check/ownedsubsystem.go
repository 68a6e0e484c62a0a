package check

import (
	"cmp"
	"fmt"

	"strata/lineage"
	"strata/plan"
)

// onSubsystem refuses an op on a subsystem that is not the cluster's, or that shows to hosts
// what they must not see.
func (c *Checker) onSubsystem(op plan.Op) error {
	switch op := op.(type) {
	case plan.SubsystemCreate:
		return cmp.Or(c.nqn(op.NQN), c.numbered(op))
	case plan.SubsystemDelete:
		if b, ok := c.cfg.Cluster.ParseRestore(op.NQN); ok {
			return c.backupOver(op.Node, b)
		}
		return c.nqn(op.NQN)
	case plan.HostAllow:
		return cmp.Or(c.letIn(op), c.keyed(op.Node, op.NQN, op.Host, op.Keys))
	case plan.HostExchange:
		return c.keyed(op.Node, op.NQN, op.Host, op.Keys)
	case plan.HostKeysSet:
		return c.rekeyed(op)
	case plan.HostRefuse:
		return c.nqn(op.NQN)
	case plan.AnyHost:
		return c.nqn(op.NQN)
	case plan.ListenerAdd:
		return cmp.Or(c.nqn(op.NQN), c.hears(op))
	case plan.ListenerRemove:
		return c.nqn(op.NQN)
	case plan.ExpectPaths:
		return c.nqn(op.NQN)
	case plan.ExpectUnused:
		return c.nqn(op.NQN)
	case plan.NamespaceAdd:
		return cmp.Or(c.shows(op), c.wholly(op), c.decrypted(op.Node, op.NQN, op.Bdev), c.nqn(op.NQN))
	case plan.NamespaceRemove:
		return c.nqn(op.NQN)
	case plan.Drain:
		return c.nqn(op.NQN)
	case plan.Pause:
		return cmp.Or(c.wherever(op), c.nqn(op.NQN))
	case plan.Resume:
		return c.nqn(op.NQN)
	}
	return unknown(op)
}

// numbered refuses a subsystem that would give controllers of hosts the numbers that
// one on another node gives them, which has the same name.
func (c *Checker) numbered(op plan.SubsystemCreate) error {
	for name, n := range c.w.Nodes {
		if sub := n.Subsystems[op.NQN]; sub != nil && name != op.Node && sub.IDs.Overlap(op.IDs) {
			return fmt.Errorf("%s gives hosts' controllers the numbers %v on %s, and here it would %v", op.NQN, sub.IDs, name, op.IDs)
		}
	}
	return nil
}

func (c *Checker) nqn(n lineage.NQN) error {
	_, link := c.cfg.Cluster.ParseLink(n)
	_, export := c.cfg.Cluster.ParseExport(n)
	if !link && !export {
		return fmt.Errorf("subsystem %s is not the cluster's", n)
	}
	return nil
}
