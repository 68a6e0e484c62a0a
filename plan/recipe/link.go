package recipe

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// link plans the link's subsystem, host, listeners and controller, as far as
// they are missing, and returns "" when the link can then be used. Only the
// peer's host NQN is admitted.
func (b *builder) link(l lineage.Link) string {
	b.links.need(l)
	if why, done := b.links.made[l]; done {
		return why
	}
	why := b.makeLink(l)
	b.links.made[l] = why
	return why
}

func (b *builder) makeLink(l lineage.Link) string {
	for _, n := range []lineage.Node{l.From, l.To} {
		if at := b.w.Nodes[n]; at == nil || at.Unknown != "" || b.cfg.Node(n) == nil {
			return b.silent(n)
		}
		if b.opt.Skip[plan.NodeKey(n)] {
			return fmt.Sprintf("node %s could not be set up", n)
		}
	}
	if b.opt.Skip[plan.LinkKey(l)] {
		return fmt.Sprintf("the link from %s to %s could not be made", l.From, l.To)
	}
	if why := b.nameTaken(l); why != "" {
		return why
	}
	if lvol := b.pinnedBy(l); lvol != "" {
		return fmt.Sprintf("controller %s on %s goes once %s there does not read through it any more", b.w.Controller(l), l.To, lvol)
	}
	if ctrl := b.links.strays[l]; ctrl != nil && usesAny(b.w, b.w.Nodes[l.To], ctrl.Name) {
		return fmt.Sprintf("controller %s on %s leads to %s, where %s does not listen: what goes through it is to leave it first", ctrl.Name, l.To, ctrl.Portal(), l.From)
	}
	if why := b.keptLink(l); why != "" {
		return why
	}
	if why := b.queued(l); why != "" {
		return why
	}
	pair := b.pairOf(l)
	if pair.why != "" && !pair.stays {
		return pair.why
	}
	from, c := b.cfg.Node(l.From), b.cfg.Cluster
	if pair.why != "" {
		b.blockAlone(plan.LinkKey(l).String(), from.Pos, "strata runs a shell there, by ssh, to see them", "it stays as it is: %s", pair.why)
	}
	sec := b.section(plan.LinkKey(l))
	sec.after(plan.NodeKey(l.From), plan.NodeKey(l.To))
	uses := because(from.Pos, "%s uses replicas of %s", l.To, l.From)
	b.transport(l.From, b.cfg.Links.RDMA)
	nqn := c.LinkNQN(l)
	sub := b.w.Nodes[l.From].Subsystems[nqn]
	if sub == nil {
		sec.then(uses, plan.RiskCreate, plan.SubsystemCreate{At: plan.At{Node: l.From}, NQN: nqn, Serial: "ST" + string(l.From), MaxNamespaces: lineage.LinkNamespaces})
	}
	proves := b.provesWhy(l)
	pair.bring(b, sec, proves)
	if ctrl := b.w.Nodes[l.To].Controllers[b.w.Controller(l)]; ctrl != nil && !ctrl.GivenUp() && pair.is.Set == 0 {
		pair.told(b, sec, proves, l)
	}
	switch host, is := c.HostNQN(l.To), pair.names(c); {
	case sub == nil || !slices.Contains(sub.Hosts, host):
		sec.then(uses, plan.RiskCreate, plan.HostAllow{At: plan.At{Node: l.From}, NQN: nqn, Host: host, Keys: is})
	case sub.Keys[host] != is && !pair.stays:
		sec.then(proves, plan.RiskCreate, plan.HostKeysSet{At: plan.At{Node: l.From}, NQN: nqn, Host: host, Keys: is})
	}
	if sub != nil {
		b.shutOut(sec, l, sub)
	}
	var silent []plan.Op
	at := b.peersAt(l, from)
	for _, p := range at {
		if sub == nil || !listens(sub, p) {
			silent = append(silent, plan.ListenerAdd{At: plan.At{Node: l.From}, NQN: nqn, Address: p.Address, Port: p.Port, RDMA: p.RDMA})
		}
	}
	listening := len(silent) < len(at)
	b.restore(sec, uses, l, nqn, listening)
	if !listening {
		sec.then(uses, plan.RiskCreate, silent...)
	}
	b.attach(sec, uses, l, nqn, at, pair)
	if listening && len(silent) > 0 && b.may("", schema.DutyServe, schema.DutyChange) && !b.left(plan.AlternatesKey(l)) {
		b.section(plan.AlternatesKey(l)).after(plan.LinkKey(l)).then(uses, plan.RiskCreate, silent...)
	}
	pair.drop(b, sec, proves, l)
	return ""
}

// shutOut closes a link that somebody has opened to others than its peer: they
// would read and write a single replica.
func (b *builder) shutOut(sec *section, l lineage.Link, sub *state.Subsystem) {
	if !b.may("", schema.DutyFence) {
		return
	}
	why := because(b.cfg.Node(l.From).Pos, "only %s may use the link from %s: another host would write to a single replica", l.To, l.From)
	if sub.AnyHost {
		sec.then(why, plan.RiskReduce, plan.AnyHost{At: plan.At{Node: l.From}, NQN: sub.NQN, Allow: false})
	}
	sec.then(why, plan.RiskReduce, refusals(l.From, sub, b.cfg.Cluster.HostNQN(l.To))...)
}

// refusals end the admission of all hosts but some.
func refusals(n lineage.Node, sub *state.Subsystem, but ...lineage.NQN) (ops []plan.Op) {
	for _, h := range sub.Hosts {
		if !slices.Contains(but, h) {
			ops = append(ops, plan.HostRefuse{At: plan.At{Node: n}, NQN: sub.NQN, Host: h})
		}
	}
	return ops
}

// nameTaken says that l.To has another controller of the link's name; "" when it has not.
func (b *builder) nameTaken(l lineage.Link) string {
	name := b.w.Controller(l)
	if ctrl := b.w.Nodes[l.To].Controllers[name]; ctrl != nil && ctrl.NQN != b.cfg.Cluster.LinkNQN(l) {
		return fmt.Sprintf("controller %s on %s is attached to %s", name, l.To, ctrl.NQN)
	}
	return ""
}

// restore shows again what a controller that lost its peer still expects,
// under the same numbers and before the peer can be reached: a controller that
// reconnects does not look at what its namespaces are now. Where the peer listens
// already, that is only what is copied to: such a copy waits for it without end.
func (b *builder) restore(sec *section, why reason, l lineage.Link, nqn lineage.NQN, listening bool) {
	from, to, name := b.w.Nodes[l.From], b.w.Nodes[l.To], b.w.Controller(l)
	ctrl, sub := to.Controllers[name], from.Subsystems[nqn]
	if ctrl == nil || ctrl.NQN != nqn || ctrl.GivenUp() {
		return
	}
	wanted := func(u lineage.UUID, r *state.Remote) bool {
		if listening {
			return r.Absent && r.Claimed && !b.w.Uses(l.To, u)
		}
		// A copy that has waited for its peer from the first write on claims nothing yet.
		return r.Claimed || b.w.Uses(l.To, u) || staged(from.LvolByUUID(u))
	}
	var ops []plan.Op
	for _, u := range slices.Sorted(slices.Values(b.w.Remotes(l.To, name))) {
		r := to.Remotes[u]
		if !wanted(u, r) || from.LvolByUUID(u) == nil || !from.LvolByUUID(u).Complete() || sub.Namespaces[r.NSID] != nil || len(b.shownBy(l.From, u)) > 0 {
			continue
		}
		if b.superseded(from.LvolByUUID(u), l.To) {
			continue
		}
		ops = append(ops, plan.NamespaceAdd{At: plan.At{Node: l.From}, NQN: nqn, NSID: r.NSID, Bdev: string(u)})
		b.links.shows[l.From][string(u)] = append(b.links.shows[l.From][string(u)], shown{l, r.NSID})
		b.links.restored[shown{l, r.NSID}] = true
	}
	sec.then(why, plan.RiskCreate, ops...)
}

// superseded reports whether an lvol is a replica that is stale by its name, of a volume of which
// a node has an engine that is not believed: hosts would read there what is stale.
func (b *builder) superseded(l *state.Lvol, at lineage.Node) bool {
	h, is := l.Parsed.(lineage.Head)
	return is && h.Mark == lineage.Fenced && b.w.Nodes[at].Raids[b.cfg.Cluster.Raid(h.Volume)] != nil && b.ousted(h.Volume, at, true)
}

// staged reports whether an lvol is one that a layer is copied to.
func staged(l *state.Lvol) bool {
	if l == nil {
		return false
	}
	_, is := l.Parsed.(lineage.Staging)
	return is
}

// attach attaches l.To to the link. A controller that has given its peer up is
// let go first: disabled, then detached, which is the only way that ends on a
// peer that hangs.
func (b *builder) attach(sec *section, why reason, l lineage.Link, nqn lineage.NQN, at []lineage.Portal, pair linkPair) {
	to, from, c := b.w.Nodes[l.To], b.cfg.Node(l.From), b.cfg.Cluster
	name := b.w.Controller(l)
	if ctrl := to.Controllers[name]; ctrl != nil {
		if ctrl.NQN == nqn && !ctrl.GivenUp() && b.links.strays[l] == nil {
			if !slices.Contains(at, ctrl.Portal()) {
				b.note(sec.Key().String(), from.Pos, usedOnce(l, b.cfg.Links.RDMA == ctrl.RDMA),
					"%s is attached to %s through %s", l.To, l.From, ctrl.Portal())
			}
			if pair.is.Set > 0 {
				pair.told(b, sec, b.provesWhy(l), l)
			}
			if ctrl.State != "enabled" && len(sec.Stages) > 0 {
				sec.then(why, plan.RiskCreate, plan.ControllerWait{At: plan.At{Node: l.To}, Controller: name, ReconnectDelaySec: b.cfg.Links.ReconnectDelaySec})
			}
			return
		}
		if ctrl.NQN == nqn {
			if b.links.strays[l] != nil {
				why = because(from.Pos, "controller %s leads to %s, where %s does not listen", ctrl.Name, ctrl.Portal(), l.From)
			}
			why = b.orGivenUp(why, l.To, ctrl)
			b.letGo(sec, why, l.To, ctrl)
		}
	}
	b.initiator(b.section(plan.NodeKey(l.To)), to)
	links := b.cfg.Links
	links.Keys = 0
	pair.unnote(b, sec, why, l)
	sec.then(why, plan.RiskCreate, plan.ControllerAttach{At: plan.At{Node: l.To}, Controller: name, NQN: nqn, HostNQN: c.HostNQN(l.To), Address: at[0].Address, Others: addresses(at[1:]), Port: at[0].Port, Links: links, Keys: pair.names(c)})
	pair.note(b, sec, why, l)
}

// keptLink says why the controller of a link, which is to be attached anew, is not let
// go without a person; "" when it may, or stays.
func (b *builder) keptLink(l lineage.Link) string {
	ctrl := b.w.Nodes[l.To].Controllers[b.w.Controller(l)]
	if ctrl == nil || ctrl.NQN != b.cfg.Cluster.LinkNQN(l) || !ctrl.GivenUp() && b.links.strays[l] == nil {
		return ""
	}
	return b.kept(l.To, ctrl)
}

// orGivenUp is why a controller is let go: for what it is, where it has given its
// peer up, and else for the reason given.
func (b *builder) orGivenUp(why reason, n lineage.Node, ctrl *state.Controller) reason {
	if ctrl.GivenUp() {
		return because(b.cfg.Node(n).Pos, "controller %s is %s", ctrl.Name, ctrl.State)
	}
	return why
}

func (b *builder) letGo(sec *section, why reason, n lineage.Node, ctrl *state.Controller) {
	b.links.dropped[n] = true
	disconnect(sec, why, n, ctrl)
}

// disconnect takes a controller from a node. It is disabled before (decision 53).
func disconnect(sec *section, why reason, n lineage.Node, ctrl *state.Controller) {
	if ctrl.State != "disabled" {
		sec.then(why, plan.RiskReduce, plan.ControllerDisable{At: plan.At{Node: n}, Controller: ctrl.Name})
	}
	sec.then(why, plan.RiskReduce, plan.ControllerDetach{At: plan.At{Node: n}, Controller: ctrl.Name})
}

// port is a node's, as RPCs take it.
func port(n *schema.Node) string { return strconv.Itoa(n.Port) }

// peersAt are where a node is reached over a link: at the first of its addresses, and at the
// others as well if the link waits (alternates.go).
func (b *builder) peersAt(l lineage.Link, n *schema.Node) []lineage.Portal {
	addresses := n.Addresses
	if !l.Wait {
		addresses = addresses[:1]
	}
	return portalsAt(addresses, port(n), b.cfg.Links.RDMA)
}

// usedOnce says when a link that is attached by none of the addresses it is to be attached by
// goes by one of them: if it has one address, or has it by another transport, not before it is
// attached anew.
func usedOnce(l lineage.Link, sameTransport bool) string {
	if !l.Wait || !sameTransport {
		return "what is configured now is used when the link is next attached"
	}
	return "what is configured now is used once this address is lost, or when the link is next attached"
}

func addresses(at []lineage.Portal) (all []string) {
	for _, p := range at {
		all = append(all, p.Address)
	}
	return all
}

func listens(sub *state.Subsystem, p lineage.Portal) bool {
	return slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return l.Portal() == p })
}
