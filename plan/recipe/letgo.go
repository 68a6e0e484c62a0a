package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/state"
)

// letGoStalled lets go of the peers that hold hosts up: nodes that do not
// answer, with a leg of a mirror in which I/O waits and none gets done. The
// link's controller is disabled, which fails what is outstanding at once, and
// detached; every leg on that peer is lost with it, and the volumes' epochs
// move as after any loss. Over a link that waits they move first (patience.go).
func (b *builder) letGoStalled() {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Raids)) {
			raid := at.Raids[name]
			v, ours := b.cfg.Cluster.ParseRaid(name)
			if !ours || !raid.Stalled || raid.Laid != nil {
				continue
			}
			for _, l := range raid.Legs {
				b.letGoOf(n.Name, v, l)
			}
		}
	}
}

// letGoOf lets go of the peer that a leg is on, unless that was done for another
// volume already.
func (b *builder) letGoOf(n lineage.Node, v lineage.Volume, l state.Leg) {
	at := b.w.Nodes[n]
	r := at.Remotes[l.UUID]
	if r == nil || at.Controllers[r.Controller] == nil {
		return
	}
	ctrl := at.Controllers[r.Controller]
	link, ok := b.cfg.Cluster.ParseLink(ctrl.NQN)
	if !ok || link.Wait || link.To != at.Name || b.opt.Skip[plan.LinkKey(link)] {
		return
	}
	if peer := b.w.Nodes[link.From]; peer != nil && peer.Unknown == "" {
		return
	}
	if ctrl.State == "deleting" {
		// A target that is deleting a controller refuses to disable it.
		b.links.need(link)
		b.links.made[link] = fmt.Sprintf("its controller on %s is being deleted", link.To)
		b.block("volume "+v.Name, b.cfg.Node(at.Name).Pos, "end spdk_tgt on "+string(link.From),
			"%s does not answer and holds up its hosts; somebody has detached controller %s on %s without disabling it first, so they go on when %s answers or is gone",
			link.From, ctrl.Name, link.To, link.From)
		return
	}
	if why := b.keptStalled(n, ctrl); why != "" {
		b.blockAlone("volume "+v.Name, b.cfg.Node(at.Name).Pos, "end spdk_tgt on "+string(link.From)+", or let strata apply do it", "%s does not answer and holds up its hosts: %s", link.From, why)
		return
	}
	sec := b.section(plan.LinkKey(link))
	why := because(b.cfg.Node(at.Name).Pos, "%s does not answer, and holds up the hosts of %s", link.From, v.Name)
	sec.then(why, plan.RiskReduce, plan.ControllerDisable{At: plan.At{Node: at.Name}, Controller: ctrl.Name})
	sec.then(why, plan.RiskReduce, plan.ControllerDetach{At: plan.At{Node: at.Name}, Controller: ctrl.Name})
	b.links.stalled[link.To] = append(b.links.stalled[link.To], plan.LinkKey(link))
}
