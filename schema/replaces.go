package schema

import (
	"fmt"
	"slices"
)

// replaced has the nodes that others replace drained, and reports what of that cannot be.
func (r *relations) replaced(cfg *Config, nodes []*spot) {
	for i, n := range cfg.Nodes {
		if n.Replaces == "" {
			continue
		}
		old, at := cfg.Node(n.Replaces), nodes[i].placement().field("replaces")
		why, hint := unreplaceable(old, n)
		switch {
		case why == "" && old != nil:
			old.ReplacedBy, old.Drain = n.Name, true
		case r == nil: // what is wrong is reported elsewhere
		case old == nil:
			at.noNode(n.Replaces, r)
		default:
			at.wrong(hint, "%s", why)
		}
	}
}

// unreplaceable says why a node cannot replace another, and what to do; "" if it can.
func unreplaceable(old, by *Node) (why, hint string) {
	switch {
	case old == nil:
		return "", ""
	case old == by:
		return "names the node itself", "name the node whose volumes are to come here"
	case old.Replaces != "":
		return fmt.Sprintf("names %s, which replaces %s itself", old.Name, old.Replaces), "let that end first"
	case old.ReplacedBy != "":
		return fmt.Sprintf("names %s, which %s replaces already", old.Name, old.ReplacedBy), ""
	case old.Suspend != nil:
		return fmt.Sprintf("names %s, which is suspended: nothing leaves it meanwhile", old.Name), "take maintenance out there first"
	case by.Drain || by.Suspend != nil:
		return "is for a node that nobody works on: nothing comes to one with maintenance", "take maintenance out"
	}
	return "", ""
}

// replace has the volume's engine and replicas where nodes that are replaced are named be
// on those that replace them.
func (v *Volume) replace(cfg *Config) {
	for _, n := range cfg.Nodes {
		if n.ReplacedBy == "" {
			continue
		}
		if v.Engine == n.Name {
			v.Engine = n.ReplacedBy
		}
		if at := slices.Index(v.Replicas.On, n.Name); at >= 0 && !slices.Contains(v.Replicas.On, n.ReplacedBy) {
			v.Replicas.On = slices.Clone(v.Replicas.On)
			v.Replicas.On[at] = n.ReplacedBy
		}
	}
}

// Leaves says why nothing of a volume is to be on a node; "" if something may be.
func (n *Node) Leaves() string {
	switch {
	case n.ReplacedBy != "":
		return "is being replaced by " + string(n.ReplacedBy)
	case n.Drain:
		return "is being drained"
	}
	return ""
}
