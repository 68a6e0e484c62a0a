package report

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
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
			gone[n.Name] = unread(n.Name)
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

// why says of the nodes that may have something why it was not seen: of all that could not be
// read, else of one of the others that nobody has suspended, if there is one.
func why(cfg *schema.Config, gone map[lineage.Node]string) (why string) {
	var silent, suspended []string
	for _, n := range slices.Sorted(maps.Keys(gone)) {
		switch {
		case cfg.Suspended(n):
			suspended = append(suspended, string(n))
			continue
		case gone[n] == unread(n):
			silent = append(silent, string(n))
		}
		why = gone[n]
	}
	switch {
	case len(silent) > 1:
		return fmt.Sprintf("nodes %s could not be read", amount.List(silent))
	case why == "":
		return fmt.Sprintf("one may be on %s, which %s suspended", amount.List(suspended), amount.Verb(len(suspended), "is", "are"))
	}
	return why
}

func unread(n lineage.Node) string { return fmt.Sprintf("node %s could not be read", n) }
