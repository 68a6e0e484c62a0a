package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A link may be reached by several addresses of its node: then the controller of the peer has a
// path by each, and what is lost with one goes on by another. Ladder, for each link whose peer
// is let in, in a section of its own, for what does not work of it is no reason to do without the
// link:
//
//	abreast  a path goes that has missed what changed on the link while it was not connected:
//	         it would never be told, and keep what is gone
//	heard    the node listens for the link at all its addresses
//	reached  the peer has a path by each
//	left     a path goes that leads to what is no address of the node any more
//
// Each rung is told by what targets list: the listeners of the link, and the paths of the
// controller with the namespaces that each knows. A path is only ever taken away while another
// is connected, so every leg stays; a crash after any call leaves a path more or less. A path that
// is lost, and has missed nothing, comes back by itself. A link whose only path is lost gets one by
// another address, too: what waits for the peer goes on by that.
func (b *builder) paths() {
	for to, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			ctrl := at.Controllers[name]
			l, ok := b.cfg.Cluster.ParseLink(ctrl.NQN)
			if !ok || l.To != to.Name || ctrl.GivenUp() || b.links.empty[l] && !b.links.isNeeded(l) || b.links.lost[l] != nil {
				continue
			}
			conf, from := b.cfg.Node(l.From), b.w.Nodes[l.From]
			key := plan.PathsKey(l)
			if conf == nil || from == nil || from.Unknown != "" || from.Subsystems[ctrl.NQN] == nil || !slices.Contains(from.Subsystems[ctrl.NQN].Hosts, b.cfg.Cluster.HostNQN(l.To)) || b.opt.Skip[plan.LinkKey(l)] || b.left(key) {
				continue
			}
			b.pathsOf(l, conf, ctrl, from.Subsystems[ctrl.NQN])
		}
	}
}

func (b *builder) pathsOf(l lineage.Link, conf *schema.Node, ctrl *state.Controller, sub *state.Subsystem) {
	want := portals(conf, conf.Addresses)
	led := []lineage.Portal{ctrl.Portal()}
	var behind, lead, hear, leave []plan.Op
	for _, p := range ctrl.Also {
		if p.Behind || p.GivenUp() {
			behind = append(behind, plan.PathDetach{At: plan.At{Node: l.To}, Controller: ctrl.Name, Address: p.Address, Port: p.Port, Behind: p.Behind})
		} else {
			led = append(led, p.Portal())
		}
	}
	for _, p := range want {
		if !listens(sub, p) {
			hear = append(hear, plan.ListenerAdd{At: plan.At{Node: l.From}, NQN: ctrl.NQN, Address: p.Address, Port: p.Port})
		}
		if !slices.Contains(led, p) {
			lead = append(lead, plan.PathAttach{At: plan.At{Node: l.To}, Controller: ctrl.Name, NQN: ctrl.NQN, HostNQN: b.cfg.Cluster.HostNQN(l.To), Address: p.Address, Port: p.Port, Links: b.cfg.Links})
		}
	}
	for _, p := range led {
		if !slices.Contains(want, p) {
			leave = append(leave, plan.PathDetach{At: plan.At{Node: l.To}, Controller: ctrl.Name, Address: p.Address, Port: p.Port})
		}
	}
	if !b.may("", schema.DutyServe) {
		return
	}
	if !b.may("", schema.DutyChange) || ctrl.State != "enabled" && len(lead) == 0 {
		leave = nil
	}
	if len(behind)+len(hear)+len(lead)+len(leave) == 0 {
		return
	}
	sec := b.section(plan.PathsKey(l)).after(plan.LinkKey(l))
	sec.then(because(conf.Pos, "it has missed what changed on the link from %s while it was not connected", l.From), plan.RiskCreate, behind...)
	why := because(conf.Pos, "%s reaches %s by all its addresses", l.To, l.From)
	sec.then(why, plan.RiskCreate, hear...)
	sec.then(why, plan.RiskCreate, lead...)
	sec.then(because(conf.Pos, "it leads to no address of %s any more", l.From), plan.RiskCreate, leave...)
}
