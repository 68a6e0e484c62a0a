package apply

import (
	"time"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// silence is of a node that does not answer and was the engine of a volume that another
// may take over without a word.
type silence struct {
	since time.Time
	// reached: it is connected to all replicas of such a volume still.
	reached bool
	over    bool // it was waited for no more by the last look
}

const (
	// lifeless is how long a node that hangs may be connected to others still: these end its
	// connections after 10 s without a sign of it, and look at that every few seconds
	// (11.8 s were measured).
	lifeless = 20 * time.Second
	// lifelessEvery is how often it is looked whether they have.
	lifelessEvery = time.Second
)

// lost are the nodes that do not answer and were the engines of volumes that another may
// take over without a word, and whether they are connected to the replicas of one still.
func lost(cfg *schema.Config, snap *state.Snapshot) map[lineage.Node]bool {
	nodes := map[lineage.Node]bool{}
	for _, v := range cfg.Volumes {
		if !v.Failover {
			continue
		}
		for _, id := range snap.Incarnations(v.Name) {
			left, ok := snap.Survivors(cfg.Cluster, snap.Incarnation(cfg.Cluster, id))
			if at := snap.Nodes[left.Engine]; ok && left.Engine != "" && (at == nil || at.Unknown != "") {
				nodes[left.Engine] = nodes[left.Engine] || left.Reached()
			}
		}
	}
	return nodes
}

// miss takes note of them by a look that has ended now, and says of each whether it is
// waited for still. None is taken for gone before it was for so long as a lost peer is, or
// while it may hang and be connected still.
func (p *Patience) miss(nodes map[lineage.Node]bool, began, now time.Time) map[lineage.Node]bool {
	before := p.silent
	p.silent = map[lineage.Node]silence{}
	waits := map[lineage.Node]bool{}
	for n, reached := range nodes {
		s, known := before[n]
		if !known {
			s.since = began
			if bound := now.Add(-foundLate); began.Before(bound) {
				s.since = bound
			}
		}
		s.reached = reached
		waits[n] = p.listen(s, now) > 0
		s.over = !waits[n]
		p.silent[n] = s
	}
	return waits
}

// listen is how long it is until a node is to be looked at again that does not answer; 0
// when it is waited for no more.
func (p *Patience) listen(s silence, now time.Time) time.Duration {
	end := s.since.Add(p.cfg.Links.Patience())
	if s.reached && !now.Before(end) {
		return max(0, min(lifelessEvery, end.Add(lifeless).Sub(now)))
	}
	return max(0, end.Sub(now))
}
