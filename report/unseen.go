package report

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// unseen are the nodes that may have what was not seen, each with why.
func unseen(cfg *schema.Config, s *state.Snapshot) (gone map[lineage.Node]string) {
	gone = map[lineage.Node]string{}
	for _, n := range cfg.Nodes {
		at := s.Nodes[n.Name]
		if at == nil || at.Unknown != "" {
			gone[n.Name] = fmt.Sprintf("node %s could not be read", n.Name)
			continue
		}
		for _, p := range n.Pools {
			blank := false
			for _, d := range at.Disks {
				blank = blank || d.Path == p.Path && !d.Claimed
			}
			if lvs := at.Lvstores[p.Lvstore]; lvs == nil && !blank {
				gone[n.Name] = fmt.Sprintf("pool %s of %s was not found", p.Name, n.Name)
			} else if lvs != nil && lvs.Doubt != "" {
				gone[n.Name] = lvs.Doubt
			}
		}
	}
	for _, m := range s.Missed(s.Reminders(), cfg.Retires) {
		if gone[m.Node] == "" {
			gone[m.Node] = fmt.Sprintf("pool %s of %s was not found", m.Pool, m.Node)
		}
	}
	return gone
}

// why says of one of the nodes that may have something why it was not seen: of one that
// nobody has suspended, if there is one.
func why(cfg *schema.Config, gone map[lineage.Node]string) (why string) {
	all := slices.Sorted(maps.Keys(gone))
	for _, n := range all {
		if !cfg.Suspended(n) {
			why = gone[n]
		}
	}
	if why == "" {
		why = fmt.Sprintf("one may be on %s, which is suspended", all[0])
	}
	return why
}
