package schema

import "fmt"

// replacedPools has the pools of a node that others of it replace. A pool replaces one of
// its own node: what is on another goes where volumes are to be. It reports what of that
// cannot be.
func (r *relations) replacedPools(n *Node, pools []*spot) {
	for i, p := range n.Pools {
		if p.Replaces == "" {
			continue
		}
		old, at := n.Pool(p.Replaces), pools[i].placement().field("replaces")
		why, hint := unreplaceablePool(n, old, p)
		switch {
		case why == "":
			old.ReplacedBy = p.Name
		case r != nil:
			at.wrong(hint, "%s", why)
		}
	}
}

// unreplaceablePool says why a pool cannot replace another, and what to do; "" if it can.
func unreplaceablePool(n *Node, old, by *Pool) (why, hint string) {
	switch {
	case old == nil:
		var names []string
		for _, p := range n.Pools {
			if p != by {
				names = append(names, p.Name)
			}
		}
		hint = Hint(by.Replaces, "other pools of "+string(n.Name), names)
		return fmt.Sprintf("%q: %s has no pool of that name; a pool replaces one of its own node", by.Replaces, n.Name), hint
	case old == by:
		return "names the pool itself", "name the pool whose replicas are to come here"
	case old.Replaces != "":
		return fmt.Sprintf("names %s, which replaces %s itself", old.Name, old.Replaces), "let that end first"
	case old.ReplacedBy != "":
		return fmt.Sprintf("names %s, which %s replaces already", old.Name, old.ReplacedBy), ""
	case old.BlockSize != 0 && by.BlockSize != 0 && old.BlockSize != by.BlockSize:
		return fmt.Sprintf("names %s, which has blocks of %d bytes, and this pool has blocks of %d: no replica is copied from one to the other", old.Name, old.BlockSize, by.BlockSize),
			fmt.Sprintf("give this pool blockSize: %d", old.BlockSize)
	}
	return "", ""
}

// Meant is the pool of a node that is meant where a volume names one: what replaces it, if
// anything does. nil for none.
func (n *Node) Meant(pool string) *Pool {
	p := n.Pool(pool)
	if p != nil && p.ReplacedBy != "" {
		return n.Pool(p.ReplacedBy)
	}
	return p
}

// KeptOut says why no replica is to be in a pool of a node; "" if one may be.
func (r *Replicas) KeptOut(n *Node, p *Pool) string {
	switch {
	case p.ReplacedBy != "":
		return fmt.Sprintf("pool %s is being replaced by %s", p.Name, p.ReplacedBy)
	case r.Pool != "" && n.Meant(r.Pool) != p:
		return fmt.Sprintf("pool %s is not %s, which replicas.pool names", p.Name, r.Pool)
	}
	return ""
}
