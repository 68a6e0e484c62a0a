package report

import (
	"fmt"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// maintenance says what is done for who works on a node; "" for nothing. What is written and
// not carried out yet cannot be told from what was for as long as it may, and is over.
func maintenance(cfg *schema.Config, s *state.Snapshot, n *schema.Node) string {
	serves := 0
	if at := s.Nodes[n.Name]; n.Suspend != nil && at != nil && at.Unknown == "" {
		serves = served(cfg, s, n.Name)
	}
	switch {
	case n.Suspend == nil:
		return ""
	case n.Suspend.Over:
		return fmt.Sprintf("was suspended for %s, which is over", n.Suspend.For())
	case serves > 0:
		return fmt.Sprintf("is to be suspended, %s, and serves %s: that is not carried out yet, or over; do not stop its target", n.Suspend.Span(), amount.Of(serves, "volume"))
	}
	return "suspended, " + n.Suspend.Span()
}

// awaits is the suspended node that the hosts of a volume wait for which no engine
// serves: it is to serve it, or what it has is needed to know what is current; "" for none.
func awaits(cfg *schema.Config, v *schema.Volume, verdict state.Verdict, inc *state.Incarnation, gone map[lineage.Node]string) lineage.Node {
	if verdict.Engine != "" || v.Export.Kind == schema.ExportNone && v.Replicas.Count < 2 {
		return ""
	}
	if v.Engine != "" && cfg.Suspended(v.Engine) {
		return v.Engine
	}
	sealed := slices.ContainsFunc(inc.Heads, func(h state.Head) bool {
		return h.Name.Epoch == verdict.Top && h.Name.Mark == lineage.Sealed
	})
	if !sealed {
		return ""
	}
	for _, n := range cfg.Nodes {
		if !cfg.Suspended(n.Name) {
			continue
		}
		if gone[n.Name] != "" || slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Node == n.Name }) {
			return n.Name
		}
	}
	return ""
}
