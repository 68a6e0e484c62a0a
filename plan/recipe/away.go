package recipe

import (
	"fmt"

	"strata/lineage"
)

// away says why nothing can be done with a replica on a node, and what helps if
// the node has merely left the configuration.
func (b *builder) away(n lineage.Node) string {
	if b.cfg.Node(n) == nil {
		return fmt.Sprintf("on %s cannot be reached, for %[1]s is not in the configuration: put it back there until nothing of the cluster's is on it", n)
	}
	return fmt.Sprintf("on %s cannot be reached", n)
}

// silent says that a node cannot be read, and what helps if it has merely left
// the configuration.
func (b *builder) silent(n lineage.Node) string {
	if b.cfg.Node(n) == nil {
		return fmt.Sprintf("node %s is not in the configuration: put it back until nothing of the cluster's is on it", n)
	}
	return fmt.Sprintf("node %s cannot be read", n)
}
