package watch

import (
	"fmt"
	"strings"
	"time"

	"strata/amount"
	"strata/apply"
	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// tookOver says of a step that was done whether with it a replica has taken over from an
// engine whose node does not answer, and what that rests on.
func (r *run) tookOver(e apply.Event) (TookOver, bool) {
	op, is := e.Step.Op.(plan.LvolRename)
	from, _ := lineage.ParseHead(op.From)
	to, named := lineage.ParseHead(op.To)
	seen := r.seen.Load()
	if e.Err != nil || !is || !named || seen == nil || to.Mark == lineage.Fenced || to.Epoch < from.Epoch+lineage.Forced/2 {
		return TookOver{}, false
	}
	snap := seen.Within(r.cfg.Cluster, r.cfg.Lvstores, r.cfg.Disk)
	left, ok := snap.Survivors(r.cfg.Cluster, snap.Incarnation(r.cfg.Cluster, to.Volume))
	at := snap.Nodes[left.Engine]
	if !ok || left.Engine == "" || at != nil && at.Unknown == "" {
		return TookOver{}, false
	}
	out := TookOver{Volume: to.Volume.Name, From: left.Engine, To: op.Node, Evidence: evidence(left, r.opt.Plan.Failover[to.Volume.Name])}
	if heard := (*r.silent.Load())[left.Engine]; !heard.IsZero() {
		out.Silent = time.Since(heard)
	}
	return out, true
}

// evidence is what a takeover rests on, in words.
func evidence(left state.Survivors, vouched bool) string {
	var read []string
	for _, l := range left.Legs {
		read = append(read, string(l.Node))
	}
	text := fmt.Sprintf("of %s of epoch %d those on %s were read, and fenced off %s", amount.Of(left.Name.Legs, "replica"), left.Name.Epoch, strings.Join(read, ", "), left.Engine)
	switch {
	case vouched:
		return text + ", and the operator vouches that it is off"
	case left.Bare:
		return text + ", which has none of its own"
	}
	return text + ", which its fence agent has switched off"
}

// silences are since when nodes that do not answer were not heard.
func (h *hub) silences() map[lineage.Node]time.Time {
	all := map[lineage.Node]time.Time{}
	for name, n := range h.nodes {
		if n.silent {
			all[name] = n.lastHeard
		}
	}
	return all
}
