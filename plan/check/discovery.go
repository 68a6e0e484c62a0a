package check

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
)

// known refuses to have hosts look elsewhere than where a node of the cluster is.
func (c *Checker) known(n lineage.Node, p lineage.Portal) error {
	conf := c.cfg.Node(n)
	if !c.cfg.Discovery || conf == nil || !slices.Contains(conf.Addresses, p.Address) || strconv.Itoa(conf.Port) != p.Port {
		return fmt.Errorf("hosts are not to look for volumes at %s: it is not where %s is", p, n)
	}
	return nil
}
