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

// leaving says how far a pool is that another replaces; "" for every other.
func leaving(cfg *schema.Config, s *state.Snapshot, n lineage.Node, p *schema.Pool) string {
	lvs := s.Nodes[n].Lvstores[p.Lvstore]
	switch {
	case p.ReplacedBy == "":
		return ""
	case lvs == nil || lvs.Doubt != "":
		return "being replaced by " + p.ReplacedBy
	}
	in, replicas, rest := lineage.Place{Node: n, Lvstore: p.Lvstore}, 0, false
	for _, name := range s.Volumes() {
		for _, id := range s.Incarnations(name) {
			inc := s.Incarnation(cfg.Cluster, id)
			if slices.ContainsFunc(inc.Heads, func(h state.Head) bool { return h.Place() == in }) {
				replicas++
			}
			rest = rest || slices.ContainsFunc(inc.Others, func(o state.Placed) bool { return o.Place() == in })
		}
	}
	switch {
	case replicas > 0:
		return fmt.Sprintf("being replaced by %s: it has %s", p.ReplacedBy, amount.Of(replicas, "replica"))
	case rest:
		return fmt.Sprintf("being replaced by %s: what is left of replicas is in it", p.ReplacedBy)
	}
	return fmt.Sprintf("replaced by %s: nothing of any volume is in it", p.ReplacedBy)
}
