package plan

import (
	"strings"

	"strata/lineage"
	"strata/schema"
)

// Grant is a name that the operator releases for destruction, in its parts.
type Grant struct {
	Volume string       // "" for a pool
	ID     lineage.ID   // of the incarnation; "" for all
	Node   lineage.Node // of a replica, or of the pool; "" for none
	Pool   string       // whose disk may be formatted although it may hold something; "" for none
	Layer  string       // or "head"; "" for none
}

// ParseGrant takes a name of Options.AllowDestroy apart, and reports whether it
// is one.
func ParseGrant(name string) (g Grant, ok bool) {
	if node, pool, ofPool := strings.Cut(name, "/"); ofPool {
		return Grant{Node: lineage.Node(node), Pool: pool}, lineage.ValidName(node) && lineage.ValidName(pool)
	}
	rest, layer, ofLayer := strings.Cut(name, "@")
	rest, node, ofNode := strings.Cut(rest, ":")
	volume, id, ofID := strings.Cut(rest, ".")
	g = Grant{Volume: volume, ID: lineage.ID(id), Node: lineage.Node(node), Layer: layer}
	parts := 0
	for _, part := range []struct{ given, valid bool }{
		{ofLayer, lineage.ValidName(layer)}, {ofNode, lineage.ValidName(node)}, {ofID, lineage.ValidID(g.ID)},
	} {
		if part.given && !part.valid {
			return g, false
		}
		if part.given {
			parts++
		}
	}
	return g, parts <= 1 && lineage.ValidName(volume)
}

// poolGrant is the name by which a disk is released that may have something on it.
func PoolGrant(n *schema.Node, lvstore string) string {
	for _, p := range n.Pools {
		if p.Lvstore == lvstore {
			return string(n.Name) + "/" + p.Name
		}
	}
	return ""
}
