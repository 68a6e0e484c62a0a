package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// Unused notes of what words of the operator nothing comes: what was released is not
// there, for it is gone already, or misspelt; an engine is not gone.
func Unused(cfg *schema.Config, snap *state.Snapshot, opt plan.Options) []plan.Finding {
	grants := opt.AllowDestroy.All()
	if len(grants)+len(opt.Failover) == 0 {
		return nil
	}
	snap = world.Fit(cfg, snap)
	var out []plan.Finding
	for _, name := range slices.Sorted(maps.Keys(opt.Failover)) {
		if why, hint := notGone(name, cfg, snap); why != "" {
			out = append(out, plan.Finding{About: "volume " + name, Text: fmt.Sprintf("--failover %s does nothing: %s", name, why), Hint: hint})
		}
	}
	for _, g := range grants {
		if why, hint := unused(g, cfg, snap); why != "" {
			out = append(out, plan.Finding{About: about(g), Text: fmt.Sprintf("%s releases nothing: %s", g.Flag(), why), Hint: hint})
		}
	}
	return out
}

// notGone says why nobody takes over from a volume's engine; "" when somebody may.
func notGone(name string, cfg *schema.Config, snap *state.Snapshot) (why, hint string) {
	v := cfg.Volume(name)
	if v == nil {
		return "", ""
	}
	for _, id := range snap.Incarnations(name) {
		inc := snap.Incarnation(cfg.Cluster, id)
		if left, ok := snap.Survivors(cfg.Cluster, inc); ok && cfg.Suspended(left.Engine) {
			return fmt.Sprintf("its engine was on %s, which is suspended", left.Engine), fmt.Sprintf("take maintenance out of %s first", left.Engine)
		}
		if n := snap.Judge(inc, state.Question{Cluster: cfg.Cluster, Replicas: v.Replicas.Count}).Engine; n != "" {
			return fmt.Sprintf("it is served on %s, which answers", n), fmt.Sprintf("to have it served elsewhere, set its engine, or drain %s", n)
		}
	}
	return "", ""
}

func about(g plan.Grant) string {
	if g.Pool != "" {
		return "pool " + g.String()
	}
	return "volume " + g.Volume
}

// unused says why a grant releases nothing; "" when what it names is there, or
// may be where nobody has looked.
func unused(g plan.Grant, cfg *schema.Config, snap *state.Snapshot) (why, hint string) {
	if g.Pool != "" {
		return unusedPool(g, cfg, snap)
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
	differs := false
	for _, id := range ids {
		inc := snap.Incarnation(cfg.Cluster, id)
		for _, h := range inc.Heads {
			nodes = append(nodes, h.Node)
		}
		for _, o := range inc.Others {
			nodes = append(nodes, o.Node)
			is, ok := o.Lvol.Parsed.(lineage.Scrubbed)
			differs = differs || ok && o.Node == g.Node && (is.Differs || is.Damaged != 0)
			if l, ok := o.Lvol.Parsed.(lineage.Layer); ok && !l.Own {
				layers = append(layers, l.Snapshot)
			}
		}
	}
	slices.Sort(layers)
	switch {
	case g.Node != "" && !slices.Contains(nodes, g.Node):
		return fmt.Sprintf("nothing of it was found on %s", g.Node), ""
	case g.OfHead() && (v == nil || v.Head == ""):
		return "its head is not to be reverted", ""
	case g.Layer != "" && !g.OfHead() && !slices.Contains(layers, g.Layer):
		return "it has no such snapshot", schema.Hint(g.Layer, "snapshots", slices.Compact(layers))
	case g.Layer != "" && g.Node != "" && !differs:
		return fmt.Sprintf("no copy on %s is known to differ from others", g.Node), "strata scrub " + g.Volume + " compares them"
	}
	return "", ""
}

// unusedPool is unused for a pool: an lvstore that is there is never written over.
func unusedPool(g plan.Grant, cfg *schema.Config, snap *state.Snapshot) (why, hint string) {
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
