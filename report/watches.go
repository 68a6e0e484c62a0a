package report

import (
	"cmp"
	"fmt"
	"slices"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Watch is a watch that has the seat. There are two only as long as they do not reach
// the same nodes.
type Watch struct {
	Holder lineage.UUID   `json:"holder"`
	By     string         `json:"by"` // in words
	Nodes  []lineage.Node `json:"nodes"`
}

// watches are those that have the seat, by their first node.
func watches(cfg *schema.Config, s *state.Snapshot) (all []Watch) {
	for _, conf := range cfg.Nodes {
		n := s.Nodes[conf.Name]
		if n == nil || n.Seat.Holder == "" {
			continue
		}
		i := slices.IndexFunc(all, func(w Watch) bool { return w.Holder == n.Seat.Holder })
		if i < 0 {
			note := n.Seat.Note()
			i = len(all)
			all = append(all, Watch{Holder: note.Holder, By: fmt.Sprintf("%s, process %d, since %s, last seen %s", cmp.Or(note.By, "somebody"), note.PID, cmp.Or(note.Since, "some time"), cmp.Or(note.Seen, "never"))})
		}
		all[i].Nodes = append(all[i].Nodes, conf.Name)
	}
	return all
}
