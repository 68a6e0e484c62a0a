package plan

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
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

// Unused notes what the operator has released and is not there: it is gone
// already, or misspelt.
func Unused(cfg *schema.Config, snap *state.Snapshot, opt Options) []Finding {
	snap = within(cfg, snap)
	var out []Finding
	for _, name := range sortedKeys(opt.AllowDestroy) {
		g, _ := ParseGrant(name)
		if why, hint := g.unused(cfg, snap); why != "" {
			out = append(out, Finding{About: g.about(), Text: fmt.Sprintf("--allow-destroy %s releases nothing: %s", name, why), Hint: hint})
		}
	}
	return out
}

func (g Grant) about() string {
	if g.Pool != "" {
		return fmt.Sprintf("pool %s/%s", g.Node, g.Pool)
	}
	return "volume " + g.Volume
}

// unused says why a grant releases nothing; "" when what it names is there, or
// may be where nobody has looked.
func (g Grant) unused(cfg *schema.Config, snap *state.Snapshot) (why, hint string) {
	if g.Pool != "" {
		return g.unusedPool(cfg, snap)
	}
	v := cfg.Volume(g.Volume)
	ids := snap.Incarnations(g.Volume)
	part := g.Node != "" || g.Layer != ""
	if v == nil && len(ids) == 0 || g.ID != "" && !slices.Contains(ids, lineage.Volume{Name: g.Volume, ID: g.ID}) {
		return "no such volume was found", schema.Hint(g.Volume, "volumes", releasable(cfg, snap, part))
	}
	if n := snap.Nodes[g.Node]; !part || n != nil && n.Unknown != "" {
		return "", ""
	}
	var nodes []lineage.Node
	var layers []string
	for _, id := range ids {
		inc := snap.Incarnation(cfg.Cluster, id)
		for _, h := range inc.Heads {
			nodes = append(nodes, h.Node)
		}
		for _, o := range inc.Others {
			nodes = append(nodes, o.Node)
			if l, ok := o.Lvol.Parsed.(lineage.Layer); ok && !l.Own {
				layers = append(layers, l.Snapshot)
			}
		}
	}
	slices.Sort(layers)
	switch {
	case g.Node != "" && !slices.Contains(nodes, g.Node):
		return fmt.Sprintf("nothing of it was found on %s", g.Node), ""
	case g.Layer == "head" && (v == nil || v.Head == ""):
		return "its head is not to be reverted", ""
	case g.Layer != "" && g.Layer != "head" && !slices.Contains(layers, g.Layer):
		return "it has no such snapshot", schema.Hint(g.Layer, "snapshots", slices.Compact(layers))
	}
	return "", ""
}

// unusedPool is unused for a pool: an lvstore that is there is never written over.
func (g Grant) unusedPool(cfg *schema.Config, snap *state.Snapshot) (why, hint string) {
	n := cfg.Node(g.Node)
	if n == nil || n.Pool(g.Pool) == nil {
		return "no such pool is configured", ""
	}
	p, at := n.Pool(g.Pool), snap.Nodes[g.Node]
	if at != nil && at.Unknown == "" && at.Lvstores[p.Lvstore] != nil {
		return "it has its lvstore", ""
	}
	if !p.Format {
		return "format is not set for it", "set format: true"
	}
	return "", ""
}

// releasable are the volumes of which something can be released: of those that
// are configured only a part.
func releasable(cfg *schema.Config, snap *state.Snapshot, part bool) []string {
	return slices.DeleteFunc(snap.Volumes(), func(name string) bool { return !part && cfg.Volume(name) != nil })
}
