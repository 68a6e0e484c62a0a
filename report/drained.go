package report

import (
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// draining says how far a node is that is drained; "" for one that is not.
func draining(cfg *schema.Config, s *state.Snapshot, n *schema.Node) string {
	at, word := s.Nodes[n.Name], strings.TrimPrefix(n.Leaves(), "is ")
	switch {
	case !n.Drain:
		return ""
	case at == nil || at.Unknown != "":
		return word
	}
	replicas, engines, rest := 0, 0, false
	for _, name := range s.Volumes() {
		for _, id := range s.Incarnations(name) {
			inc := s.Incarnation(cfg.Cluster, id)
			if slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Node == n.Name }) {
				replicas++
			}
			if serves(inc, n.Name) {
				engines++
			}
			rest = rest || slices.ContainsFunc(inc.Others, func(o state.Placed) bool { return o.Node == n.Name }) ||
				slices.ContainsFunc(slices.Concat(inc.Exports, inc.Standbys), func(e state.Exported) bool { return e.Node == n.Name })
		}
	}
	switch {
	case replicas+engines > 0:
		return fmt.Sprintf("%s: it serves %s and has %s", word, amount.Of(engines, "volume"), amount.Of(replicas, "replica"))
	case rest:
		return word + ": what is left of replicas and paths is on it"
	}
	return "drained: nothing of any volume is on it"
}

// serves reports whether a node has anything through which hosts may use an incarnation.
func serves(inc *state.Incarnation, n lineage.Node) bool {
	return slices.ContainsFunc(inc.Raids, func(m state.Mirror) bool { return m.Node == n }) ||
		slices.ContainsFunc(inc.Exports, func(e state.Exported) bool { return e.Node == n && e.Device != "" })
}

// served counts the incarnations that a node serves.
func served(cfg *schema.Config, s *state.Snapshot, n lineage.Node) (count int) {
	for _, name := range s.Volumes() {
		for _, id := range s.Incarnations(name) {
			if serves(s.Incarnation(cfg.Cluster, id), n) {
				count++
			}
		}
	}
	return count
}
