package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// The subsystem of a link that waits listens at all addresses of its node. Its controller is connected
// by one at a time; the others are alternates, at which it looks for its peer in turn as soon
// as it does not reach it any more: an address that is lost costs no leg, and hosts wait until
// that is noticed. Which one it goes by makes no difference, nor does their order. Ladder:
//
//	listening  the peer listens at all, which it does once what is missed is shown again
//	attached   by the first that answers
//	alternate  the peer listens at what it could not, or did not have, before; the others are added
//	           one by one, and those taken off that its peer has no more
//
// A crash before the end leaves a link with fewer alternates, which the next plan adds. The target
// compares, as it adds one, what its controller has with what is shown there: it refuses one
// where that differs, and ends where the peer did not show something when the controller
// connected last (v26.05). So none is added to a controller that lacks anything, or that
// connects anew in the same pass; the call looks once more before it does (apply).

// alternates gives links in use the addresses of their peers that they lack.
func (b *builder) alternates() {
	for n, at := range b.readNodes() {
		for _, name := range slices.Sorted(maps.Keys(at.Controllers)) {
			l, ok := b.cfg.Cluster.ParseLink(at.Controllers[name].NQN)
			if ok && l.Wait && l.To == n.Name && name == b.w.Controller(l) && l == b.cfg.Link(l.From, l.To) {
				b.alternatesOf(l, at.Controllers[name])
			}
		}
	}
}

func (b *builder) alternatesOf(l lineage.Link, ctrl *state.Controller) {
	from, conf, key := b.w.Nodes[l.From], b.cfg.Node(l.From), plan.AlternatesKey(l)
	if b.left(key) || b.opt.Skip[plan.LinkKey(l)] || b.opt.Skip[plan.NodeKey(l.To)] {
		return
	}
	if conf == nil || from == nil || from.Unknown != "" || from.Subsystems[ctrl.NQN] == nil || b.links.strays[l] != nil || !b.intact(l, ctrl) {
		return
	}
	sub, wanted, why := from.Subsystems[ctrl.NQN], b.peersAt(l, conf), because(conf.Pos, "%s is reached at all of its addresses", l.From)
	keys := sub.Keys[b.cfg.Cluster.HostNQN(l.To)]
	if b.may("", schema.DutyServe) && keys.IsZero() == (b.cfg.Links.Keys == 0) && sub.Admits(b.cfg.Cluster.HostNQN(l.To)) {
		for _, p := range wanted {
			if p.RDMA == ctrl.RDMA && !slices.Contains(ctrl.Portals(), p) && listens(sub, p) {
				b.section(key).after(plan.LinkKey(l)).then(why, plan.RiskCreate, plan.AlternateAdd{
					At: plan.At{Node: l.To}, Controller: ctrl.Name, NQN: ctrl.NQN, HostNQN: b.cfg.Cluster.HostNQN(l.To), Address: p.Address, Port: p.Port, RDMA: p.RDMA, Keys: keys,
				})
			}
		}
	}
	if !b.may("", schema.DutyChange) {
		return
	}
	for _, p := range slices.Clone(ctrl.Alternates) {
		if !slices.ContainsFunc(wanted, func(w lineage.Portal) bool { return w.Address == p.Address && w.Port == p.Port }) {
			why := because(conf.Pos, "%s is not reached at %s any more", l.From, p)
			b.section(key).after(plan.LinkKey(l)).then(why, plan.RiskCreate, plan.AlternateRemove{At: plan.At{Node: l.To}, Controller: ctrl.Name, Address: p.Address, Port: p.Port, RDMA: p.RDMA})
		}
	}
}

// intact reports whether a controller of a link is connected, is not just then connecting
// anew, and lacks nothing that it had.
func (b *builder) intact(l lineage.Link, ctrl *state.Controller) bool {
	if ctrl.State != "enabled" {
		return false
	}
	if sec := b.sections[plan.LinkKey(l)]; sec != nil {
		for step := range sec.Steps() {
			if _, waits := step.Op.(plan.ControllerWait); waits {
				return false
			}
		}
	}
	at := b.w.Nodes[l.To]
	return !slices.ContainsFunc(b.w.Remotes(l.To, ctrl.Name), func(u lineage.UUID) bool { return at.Remotes[u].Absent })
}
