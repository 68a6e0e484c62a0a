package apply

import (
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// lost are the nodes that do not answer and were the engines of volumes that another may
// take over without a word.
func lost(cfg *schema.Config, snap *state.Snapshot) (nodes []lineage.Node) {
	for _, v := range cfg.Volumes {
		if !v.Failover {
			continue
		}
		for _, id := range snap.Incarnations(v.Name) {
			left, ok := snap.Survivors(cfg.Cluster, snap.Incarnation(cfg.Cluster, id))
			if at := snap.Nodes[left.Engine]; ok && (at == nil || at.Unknown != "") {
				nodes = append(nodes, left.Engine)
			}
		}
	}
	return nodes
}

// miss takes note of them by a look that has ended now, and says of each whether it is
// waited for still. None is taken for gone before it was for so long as a lost peer is.
func (p *Patience) miss(nodes []lineage.Node, began, now time.Time) map[lineage.Node]bool {
	before := p.silent
	p.silent = map[lineage.Node]time.Time{}
	waits := map[lineage.Node]bool{}
	for _, n := range nodes {
		since, known := before[n]
		if !known {
			since = began
			if bound := now.Add(-foundLate); began.Before(bound) {
				since = bound
			}
		}
		p.silent[n] = since
		waits[n] = now.Before(since.Add(p.cfg.Links.Patience()))
	}
	return waits
}
