package check

import (
	"fmt"

	"strata/lineage"
)

// jobOver refuses to take a key away by which a node and strata prove themselves to each other
// still.
func (c *Checker) jobOver(n lineage.Node, k lineage.JobKey) error {
	at, nqn := c.w.Nodes[n], c.cfg.Cluster.JobNQN(k)
	if at.Subsystems[nqn] != nil {
		return fmt.Errorf("%s shows %s to strata, which proves itself by it", n, nqn)
	}
	for _, ctrl := range at.Controllers {
		if ctrl.NQN == nqn {
			return fmt.Errorf("%s is attached to %s, to which it proves itself by it", n, nqn)
		}
	}
	if k.Run != "" && at.Lock.Holder == k.Run {
		return fmt.Errorf("the run has %s locked that it was made for", n)
	}
	return nil
}

// proven refuses to send data between strata and a node otherwise than it has to go: both prove
// themselves where strata puts keys on the node's machine.
func (c *Checker) proven(n lineage.Node, proven bool) error {
	conf := c.cfg.Node(n)
	if conf == nil {
		return fmt.Errorf("%s is not configured", n)
	}
	switch is, why := conf.Proves(c.w.Nodes[n].KeyFilesUnread); {
	case is && !proven:
		return fmt.Errorf("%s and strata would not prove themselves to each other", n)
	case !is && proven:
		return fmt.Errorf("%s and strata cannot prove themselves to each other: %s", n, why)
	}
	return nil
}
