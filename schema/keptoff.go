package schema

import (
	"fmt"
	"maps"
	"slices"
)

// KeptOff says why the configuration keeps replicas of the volume off a node; "" when it does not.
func (v *Volume) KeptOff(n *Node) string {
	r := &v.Replicas
	if n.Drain && v.Engine != n.Name { // an engine that is set there stays, with its replica
		return n.Leaves()
	}
	if len(r.On) > 0 && !slices.Contains(r.On, n.Name) {
		return "is not named in replicas.on"
	}
	if len(r.Require) > 0 {
		for _, k := range slices.Sorted(maps.Keys(r.Require)) {
			if n.Labels[k] != r.Require[k] {
				return fmt.Sprintf("label %s is %q, not %q", k, n.Labels[k], r.Require[k])
			}
		}
	}
	if r.Pool != "" && n.Pool(r.Pool) == nil {
		return "has no pool " + r.Pool
	}
	if len(n.Pools) == 0 {
		return "has no pool"
	}
	return ""
}
