package recipe

import (
	"fmt"
	"strings"

	"strata/amount"
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

// A node that cannot be read may have a replica of anything. Who plans while it is away
// may know for how long it has been (plan.Options.Away): until replaceAfter is over,
// what may be there is made nowhere else; then it is.

// unanswered are the configured nodes with pools that could not be read: those that are
// waited for, or those that are waited for no longer.
func (b *builder) unanswered(waited bool) (all []string) {
	if b.opt.Away == nil {
		return nil
	}
	for _, n := range b.cfg.Nodes {
		if at := b.w.Nodes[n.Name]; (at == nil || at.Unknown != "") && len(n.Pools) > 0 && b.opt.Away[n.Name] == waited {
			all = append(all, string(n.Name))
		}
	}
	return all
}

// hiding is how many nodes may have a replica, were not read, and keep what may be there
// from being made elsewhere.
func (s *subject) hiding() int { return s.hidden - len(s.b.unanswered(false)) }

// waits says why no replica is made in a place as long as a node may have it, and what
// would help.
func (s *subject) waits() (why, hint string) {
	if s.b.onlySuspended() {
		return "one may be on " + s.b.whichSuspended(), "nothing is copied to make up for it before that is over"
	}
	if all := s.b.unanswered(true); len(all) > 0 {
		return fmt.Sprintf("one may be on %s, which is waited for until it has been away for %s", strings.Join(all, ", "), duration(s.b.cfg.ReplaceAfterSec)),
			"make it readable; replaceAfter says how long it is waited for"
	}
	return fmt.Sprintf("%s that may have one could not be read", amount.Of(s.hiding(), "node")),
		"make it readable; a node that is gone for good is to leave the configuration, and what it had to be retired"
}
