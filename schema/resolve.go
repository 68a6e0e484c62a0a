package schema

import (
	"slices"

	"strata/lineage"
)

// Lvstores says which lvstores of a node are those of its pools: the pool's
// Lvstore, by what the target calls each. Paths has the path of the disk that
// each lvstore of the node is on.
//
// A pool that names its lvstore has the one of that name. Any other has the one
// that is called after the cluster and the pool; of several, as when a disk was
// moved here from another node, the one on the pool's own disk, and none where
// that does not tell. What another pool names is not among them. A pool that was
// renamed has the one of its former name, as long as there is none of the new.
func (c *Config) Lvstores(node lineage.Node, paths map[string]string) map[string]string {
	n := c.Node(node)
	if n == nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range n.Pools {
		if name, ok := one(c.Candidates(n, p, paths), p, paths); ok {
			out[name] = p.Lvstore
		}
	}
	return out
}

// Disk is where the disk of a pool is looked for; "" for one in memory. It is
// false for a pool that is not configured, or retired.
func (c *Config) Disk(node lineage.Node, pool string) (path string, ok bool) {
	n := c.Node(node)
	if n == nil || n.Pool(pool) == nil || c.Retires(node, pool) {
		return "", false
	}
	return n.Pool(pool).Path, true
}

// Candidates are the lvstores that may be a pool's, sorted.
func (c *Config) Candidates(n *Node, p *Pool, paths map[string]string) []string {
	if p.Named(c.Cluster) {
		if _, ok := paths[p.Lvstore]; ok {
			return []string{p.Lvstore}
		}
		return nil
	}
	for _, pool := range []string{p.Name, p.RenamedFrom} {
		var found []string
		for name := range paths {
			s, ok := lineage.ParseStore(name)
			given := slices.ContainsFunc(n.Pools, func(o *Pool) bool { return o != p && o.Lvstore == name })
			if ok && s.Cluster == c.Cluster && s.Pool == pool && !given {
				found = append(found, name)
			}
		}
		if slices.Sort(found); len(found) > 0 {
			return found
		}
	}
	return nil
}

// one chooses among a pool's candidates.
func one(names []string, p *Pool, paths map[string]string) (string, bool) {
	if len(names) > 1 {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.Path == "" || paths[name] != p.Path })
	}
	if len(names) != 1 {
		return "", false
	}
	return names[0], true
}

// Named reports whether the user has named the pool's lvstore.
func (p *Pool) Named(c lineage.Cluster) bool { return p.Lvstore != c.Lvstore(p.Name) }
