package schema

import (
	"cmp"
	"slices"
	"strings"

	"strata/lineage"
)

// retired reads what is gone for good, after the nodes.
func (s *spot) retired(cfg *Config, rel *relations) {
	elems, ok := s.list(`a list of nodes or pools that are gone for good, such as ["n2", "n3/fast"]`)
	if !ok {
		return
	}
	for _, e := range elems {
		name, ok := e.matching(`a node such as "n2", or a pool of a node such as "n3/fast"`, func(text string) bool {
			node, pool, part := strings.Cut(text, "/")
			return lineage.ValidName(node) && (!part || lineage.ValidName(pool))
		})
		if !ok {
			continue
		}
		node, pool, _ := strings.Cut(name, "/")
		if rel != nil && pool == "" && cfg.Node(lineage.Node(node)) != nil {
			e.wrong("take it out of one of the two", "%q: is a node of this configuration", name)
			continue
		}
		cfg.Retired = append(cfg.Retired, Retired{lineage.Node(node), pool})
	}
	slices.SortFunc(cfg.Retired, func(a, b Retired) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Pool, b.Pool)) })
	cfg.Retired = slices.Compact(cfg.Retired)
}
