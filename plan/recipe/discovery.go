package recipe

import (
	"slices"

	"strata/plan"
	"strata/schema"
)

// refer makes every node known to hosts that look for volumes (NVMe discovery): each listens
// for them, and refers them to all others, so that whoever asks one finds what it is let in to on
// all. What is made is forgotten when a target ends. A referral to a node that is not configured
// any more stays until then, for nothing tells whose it is.
func (b *builder) refer() {
	if !b.cfg.Discovery || !b.may("", schema.DutyServe) {
		return
	}
	for n, at := range b.readNodes() {
		key := plan.DiscoveryKey(n.Name)
		if b.opt.Skip[plan.NodeKey(n.Name)] || b.left(key) || b.opt.Skip[key] {
			continue
		}
		why := because(n.Pos, "hosts that look for volumes find %s, and by it all others", n.Name)
		var ops []plan.Op
		for _, p := range portals(n) {
			if !slices.Contains(at.Discovery.Listeners, p) {
				ops = append(ops, plan.DiscoveryListen{At: plan.At{Node: n.Name}, Address: p.Address, Port: p.Port})
			}
		}
		for _, to := range b.cfg.Nodes {
			for _, p := range portals(to) {
				if to != n && !slices.Contains(at.Discovery.Referrals, p) {
					ops = append(ops, plan.Refer{At: plan.At{Node: n.Name}, To: to.Name, Address: p.Address, Port: p.Port})
				}
			}
		}
		if len(ops) > 0 {
			b.transport(n.Name, false)
			b.section(key).after(plan.NodeKey(n.Name)).then(why, plan.RiskCreate, ops...)
		}
	}
}
