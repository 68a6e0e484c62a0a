package plan

import (
	"fmt"
	"slices"
	"strconv"

	"strata/lineage"
	"strata/state"
)

// shown is a namespace of a link that shows an lvol to a peer.
type shown struct {
	link lineage.Link
	nsid int
}

// link plans the link's subsystem, host, listener and controller, as far as
// they are missing, and returns "" when the link can then be used. Only the
// peer's host NQN is admitted.
func (b *builder) link(l lineage.Link) string {
	b.needed[l] = true
	if why, done := b.links[l]; done {
		return why
	}
	why := b.makeLink(l)
	b.links[l] = why
	return why
}

// linkName is what the section of a link is called.
func linkName(l lineage.Link) string { return string(l.From) + " → " + string(l.To) }

func linkKey(l lineage.Link) string {
	return (&Section{Kind: KindLink, Name: linkName(l)}).Key()
}

func (b *builder) makeLink(l lineage.Link) string {
	for _, n := range []lineage.Node{l.From, l.To} {
		if at := b.w.Nodes[n]; at == nil || at.Unknown != "" || b.cfg.Node(n) == nil {
			return fmt.Sprintf("node %s cannot be read", n)
		}
		if b.opt.Skip["node "+string(n)] {
			return fmt.Sprintf("node %s could not be set up", n)
		}
	}
	if b.opt.Skip[linkKey(l)] {
		return fmt.Sprintf("the link from %s to %s could not be made", l.From, l.To)
	}
	if why := b.nameTaken(l); why != "" {
		return why
	}
	if lvol := b.held(l); lvol != "" {
		return fmt.Sprintf("controller %s on %s goes once %s there does not read through it any more", b.cfg.Cluster.Controller(l), l.To, lvol)
	}
	from, c := b.cfg.Node(l.From), b.cfg.Cluster
	sec := b.section(KindLink, linkName(l), from.Pos)
	sec.after("node "+string(l.From), "node "+string(l.To))
	uses := func() { sec.because(from.Pos, "%s uses replicas of %s", l.To, l.From) }
	uses()
	b.transport(l.From)
	nqn, port := c.LinkNQN(l), strconv.Itoa(from.Port)
	sub := b.w.Nodes[l.From].Subsystems[nqn]
	if sub == nil {
		sec.then(RiskCreate, SubsystemCreate{At: At{l.From}, NQN: nqn, Serial: "ST" + string(l.From), MaxNamespaces: lineage.LinkNamespaces})
	}
	if sub == nil || !slices.Contains(sub.Hosts, c.HostNQN(l.To)) {
		sec.then(RiskCreate, HostAllow{At{l.From}, nqn, c.HostNQN(l.To)})
	}
	if sub != nil {
		b.shutOut(sec, l, sub)
		uses()
	}
	if sub == nil || !listens(sub, from.Address, port) {
		b.restore(sec, l, nqn)
		sec.then(RiskCreate, ListenerAdd{At{l.From}, nqn, from.Address, port})
	}
	b.attach(sec, l, nqn, port)
	return ""
}

// shutOut closes a link that somebody has opened to others than its peer: they
// would read and write a single replica.
func (b *builder) shutOut(sec *section, l lineage.Link, sub *state.Subsystem) {
	sec.because(b.cfg.Node(l.From).Pos, "only %s may use the link from %s: another host would write to a single replica", l.To, l.From)
	if sub.AnyHost {
		sec.then(RiskCreate, AnyHost{At{l.From}, sub.NQN, false})
	}
	sec.then(RiskReduce, refusals(l.From, sub, b.cfg.Cluster.HostNQN(l.To))...)
}

// refusals end the admission of all hosts but some.
func refusals(n lineage.Node, sub *state.Subsystem, but ...lineage.NQN) (ops []Op) {
	for _, h := range sub.Hosts {
		if !slices.Contains(but, h) {
			ops = append(ops, HostRefuse{At{n}, sub.NQN, h})
		}
	}
	return ops
}

// nameTaken says that l.To has another controller of the link's name; "" when it has not.
func (b *builder) nameTaken(l lineage.Link) string {
	name := b.cfg.Cluster.Controller(l)
	if ctrl := b.w.Nodes[l.To].Controllers[name]; ctrl != nil && ctrl.NQN != b.cfg.Cluster.LinkNQN(l) {
		return fmt.Sprintf("controller %s on %s is attached to %s", name, l.To, ctrl.NQN)
	}
	return ""
}

// restore shows again what a controller that lost its peer still expects,
// under the same numbers and before the peer can be reached: a controller that
// reconnects does not look at what its namespaces are now.
func (b *builder) restore(sec *section, l lineage.Link, nqn lineage.NQN) {
	from, to, name := b.w.Nodes[l.From], b.w.Nodes[l.To], b.cfg.Cluster.Controller(l)
	ctrl, sub := to.Controllers[name], from.Subsystems[nqn]
	if ctrl == nil || ctrl.NQN != nqn || ctrl.GivenUp() {
		return
	}
	var ops []Op
	for _, u := range sortedKeys(to.Remotes) {
		r := to.Remotes[u]
		if r.Controller != name || !to.Uses(u) || from.LvolByUUID(u) == nil || !from.LvolByUUID(u).Complete() || sub.Namespaces[r.NSID] != nil || len(b.shownBy(l.From, u)) > 0 {
			continue
		}
		ops = append(ops, NamespaceAdd{At: At{l.From}, NQN: nqn, NSID: r.NSID, Bdev: string(u)})
		b.shows[l.From][string(u)] = append(b.shows[l.From][string(u)], shown{l, r.NSID})
		b.restored[shown{l, r.NSID}] = true
	}
	sec.then(RiskCreate, ops...)
}

// attach attaches l.To to the link. A controller that has given its peer up is
// let go first: disabled, then detached, which is the only way that ends on a
// peer that hangs.
func (b *builder) attach(sec *section, l lineage.Link, nqn lineage.NQN, port string) {
	to, from, c := b.w.Nodes[l.To], b.cfg.Node(l.From), b.cfg.Cluster
	name := c.Controller(l)
	if ctrl := to.Controllers[name]; ctrl != nil {
		if ctrl.NQN == nqn && !ctrl.GivenUp() {
			if ctrl.Address != from.Address || ctrl.Port != port {
				b.note("link "+sec.Name, from.Pos, "the new address is used when the link is next attached",
					"%s is attached to %s through %s:%s", l.To, l.From, ctrl.Address, ctrl.Port)
			}
			if ctrl.State != "enabled" && len(sec.Stages) > 0 {
				sec.then(RiskCreate, ControllerWait{At{l.To}, name, b.cfg.Links.ReconnectDelaySec})
			}
			return
		}
		if ctrl.NQN == nqn {
			b.letGo(sec, l.To, ctrl)
		}
	}
	b.initiator(b.section(KindNode, string(l.To), b.cfg.Node(l.To).Pos), to)
	sec.then(RiskCreate, ControllerAttach{At{l.To}, name, nqn, c.HostNQN(l.To), from.Address, port, b.cfg.Links})
}

func (b *builder) letGo(sec *section, n lineage.Node, ctrl *state.Controller) {
	b.dropped[n] = true
	if ctrl.GivenUp() {
		sec.because(b.cfg.Node(n).Pos, "controller %s is %s", ctrl.Name, ctrl.State)
	}
	if ctrl.State != "disabled" {
		sec.then(RiskReduce, ControllerDisable{At{n}, ctrl.Name})
	}
	sec.then(RiskReduce, ControllerDetach{At{n}, ctrl.Name})
}

func listens(sub *state.Subsystem, address, port string) bool {
	return slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return l.Address == address && l.Port == port })
}

// shownBy returns the links through which node n shows an lvol.
func (b *builder) shownBy(n lineage.Node, leg lineage.UUID) []shown {
	at := b.w.Nodes[n]
	if at == nil || at.Unknown != "" {
		return nil
	}
	if b.shows[n] == nil {
		b.shows[n] = map[string][]shown{}
		for _, nqn := range sortedKeys(at.Subsystems) {
			if l, ok := b.cfg.Cluster.ParseLink(nqn); ok && l.From == n {
				for _, nsid := range sortedKeys(at.Subsystems[nqn].Namespaces) {
					bdev := at.Subsystems[nqn].Namespaces[nsid].Bdev
					b.shows[n][bdev] = append(b.shows[n][bdev], shown{l, nsid})
				}
			}
		}
	}
	return b.shows[n][string(leg)]
}

// shownToUnread names a node that could not be read and that node n shows an
// lvol to: whether something there reads through it is not known. "" for none.
func (b *builder) shownToUnread(n lineage.Node, u lineage.UUID) lineage.Node {
	for _, s := range b.shownBy(n, u) {
		if to := b.w.Nodes[s.link.To]; to == nil || to.Unknown != "" {
			return s.link.To
		}
	}
	return ""
}

// visible reports whether node n shows an lvol through any link now, in the
// middle of the pass.
func (b *builder) visible(n lineage.Node, leg lineage.UUID) bool {
	for _, s := range b.shownBy(n, leg) {
		sub := b.w.Nodes[n].Subsystems[b.cfg.Cluster.LinkNQN(s.link)]
		if sub != nil && sub.Namespaces[s.nsid] != nil && sub.Namespaces[s.nsid].Bdev == string(leg) {
			return true
		}
	}
	return false
}

// offer makes an lvol of l.From a namespace of the link and of no other, and
// waits until the other side sees it. key tells which number it prefers. It
// returns "" or why that cannot be done.
func (b *builder) offer(sec *section, l lineage.Link, leg lineage.UUID, key string) string {
	if why := b.link(l); why != "" {
		return why
	}
	sec.after(linkKey(l))
	b.withdraw(sec, l.From, leg, l.To)
	nqn := b.cfg.Cluster.LinkNQN(l)
	sub := b.w.Nodes[l.From].Subsystems[nqn]
	if sub.Find(string(leg)) == nil {
		nsid := b.freeNSID(l, sub, leg, key)
		if nsid == 0 {
			return fmt.Sprintf("the link from %s to %s has %d namespaces, all it can", l.From, l.To, lineage.LinkNamespaces)
		}
		sec.then(RiskCreate, NamespaceAdd{At: At{l.From}, NQN: nqn, NSID: nsid, Bdev: string(leg)})
		b.shows[l.From][string(leg)] = append(b.shows[l.From][string(leg)], shown{l, nsid})
		if b.connected(l) == "" || b.w.Nodes[l.To].Remotes[leg] != nil {
			sec.then(RiskCreate, LegWait{At: At{l.To}, Leg: leg})
		}
	}
	return ""
}

// connected says why I/O does not pass a link that is made; "" when it does.
func (b *builder) connected(l lineage.Link) string {
	ctrl := b.w.Nodes[l.To].Controllers[b.cfg.Cluster.Controller(l)]
	if ctrl == nil || ctrl.State != "enabled" {
		state := "not attached"
		if ctrl != nil {
			state = ctrl.State
		}
		return fmt.Sprintf("the link from %s to %s is %s", l.From, l.To, state)
	}
	return ""
}

// bring offers a leg that has to be usable before the engine can start.
func (b *builder) bring(sec *section, l lineage.Link, leg lineage.UUID, key string) string {
	if why := b.offer(sec, l, leg, key); why != "" {
		return why
	}
	if why := b.connected(l); why != "" {
		return why
	}
	if r := b.w.Nodes[l.To].Remotes[leg]; r == nil || r.Absent {
		return fmt.Sprintf("%s does not see it yet", l.To)
	}
	return ""
}

// freeNSID picks a namespace number: the one under which the peer still
// expects this leg, for then it reconnects by itself; else one that neither
// side uses, starting where key hashes to.
func (b *builder) freeNSID(l lineage.Link, sub *state.Subsystem, leg lineage.UUID, key string) int {
	if r := b.w.Nodes[l.To].Remotes[leg]; r != nil && r.Controller == b.cfg.Cluster.Controller(l) && sub.Namespaces[r.NSID] == nil {
		return r.NSID
	}
	expected := b.expects(l)
	start := lineage.PreferredNSID(key)
	for i := range lineage.LinkNamespaces {
		nsid := (start-1+i)%lineage.LinkNamespaces + 1
		if sub.Namespaces[nsid] == nil && !expected[nsid] {
			return nsid
		}
	}
	return 0
}

// expects has the namespaces that a link's controller has bdevs of when the
// pass first asks; what the pass adds is in the subsystem as well.
func (b *builder) expects(l lineage.Link) map[int]bool {
	expected := b.expected[l]
	if expected == nil {
		expected = map[int]bool{}
		ctrl := b.cfg.Cluster.Controller(l)
		for _, r := range b.w.Nodes[l.To].Remotes {
			if r.Controller == ctrl {
				expected[r.NSID] = true
			}
		}
		b.expected[l] = expected
	}
	return expected
}

// withdraw takes an lvol off every link but the one to keep. A namespace has
// its bdev to itself: until it is gone no other can show the lvol, nor can a
// RAID use it.
func (b *builder) withdraw(sec *section, n lineage.Node, leg lineage.UUID, keep lineage.Node) {
	var ops []Op
	for _, s := range b.shownBy(n, leg) {
		nqn := b.cfg.Cluster.LinkNQN(s.link)
		if sub := b.w.Nodes[n].Subsystems[nqn]; s.link.To != keep && sub != nil && sub.Namespaces[s.nsid] != nil && sub.Namespaces[s.nsid].Bdev == string(leg) {
			ops = append(ops, NamespaceRemove{At: At{n}, NQN: nqn, NSID: s.nsid, Bdev: string(leg)})
			if b.restored[s] {
				sec.after(linkKey(s.link))
			}
		}
	}
	sec.then(RiskCreate, ops...)
}

// idleLinks are the links that carry nothing when the pass begins: a
// namespace that the pass itself removes keeps its link until the next.
func (b *builder) idleLinks() []lineage.Link {
	idle := map[string]lineage.Link{}
	for _, n := range b.cfg.Nodes {
		at := b.w.Nodes[n.Name]
		if at == nil || at.Unknown != "" {
			continue
		}
		for nqn, sub := range at.Subsystems {
			if l, ok := b.cfg.Cluster.ParseLink(nqn); ok && l.From == n.Name && len(sub.Namespaces) == 0 && !b.carries(l) {
				idle[linkKey(l)] = l
				b.empty[l] = true
			}
		}
		for _, ctrl := range at.Controllers {
			if l, ok := b.cfg.Cluster.ParseLink(ctrl.NQN); ok && l.To == n.Name && (ctrl.GivenUp() || b.gone(l)) && !b.carries(l) {
				idle[linkKey(l)] = l
				b.standing[l] = b.standOn(n.Name, ctrl.Name)
			}
		}
	}
	var links []lineage.Link
	for _, key := range sortedKeys(idle) {
		links = append(links, idle[key])
	}
	return links
}

// dropUnneeded lets go of the idle links nobody asked for.
func (b *builder) dropUnneeded(idle []lineage.Link) {
	for _, l := range idle {
		if !b.needed[l] && b.cfg.Node(l.From) != nil && b.cfg.Node(l.To) != nil {
			b.dropLink(l, b.cfg.Cluster.LinkNQN(l))
		}
	}
}

// carries reports whether something on the link's peer stands on what it saw
// through it: a node that restarted shows nothing and is expected back.
func (b *builder) carries(l lineage.Link) bool {
	to, name := b.w.Nodes[l.To], b.cfg.Cluster.Controller(l)
	if to == nil || to.Controllers[name] == nil || to.Controllers[name].GivenUp() {
		return false
	}
	for u, r := range to.Remotes {
		if r.Controller == name && to.Uses(u) {
			return true
		}
	}
	return false
}

// gone reports whether the link's subsystem is known not to exist.
func (b *builder) gone(l lineage.Link) bool {
	from := b.w.Nodes[l.From]
	return from != nil && from.Unknown == "" && from.Subsystems[b.cfg.Cluster.LinkNQN(l)] == nil
}

// standOn are the sections of the volumes that a controller carries legs of:
// their heads say first that these are current no more.
func (b *builder) standOn(n lineage.Node, ctrl string) []string {
	to := b.w.Nodes[n]
	var keys []string
	for _, name := range sortedKeys(to.Raids) {
		v, ok := b.cfg.Cluster.ParseRaid(name)
		for _, l := range to.Raids[name].Legs {
			if r := to.Remotes[l.UUID]; ok && l.UUID != "" && r != nil && r.Controller == ctrl {
				keys = append(keys, (&Section{Kind: KindVolume, Name: v.Name}).Key())
			}
		}
	}
	return keys
}

func (b *builder) dropLink(l lineage.Link, nqn lineage.NQN) {
	from, to := b.w.Nodes[l.From], b.w.Nodes[l.To]
	ctrl := (*state.Controller)(nil)
	if to != nil && to.Unknown == "" {
		ctrl = to.Controllers[b.cfg.Cluster.Controller(l)]
	}
	hung := ctrl != nil && ctrl.GivenUp() // let go whether its peer can be read or not
	if from == nil || to == nil || from.Unknown != "" && !hung || to.Unknown != "" || b.opt.Skip[linkKey(l)] || b.held(l) != "" {
		return
	}
	sec := b.section(KindLink, linkName(l), b.cfg.Node(l.From).Pos)
	unneeded := func() { sec.because(b.cfg.Node(l.From).Pos, "no volume needs the link from %s to %s", l.From, l.To) }
	unneeded()
	if ctrl != nil && ctrl.NQN == nqn {
		sec.after(b.standing[l]...)
		b.letGo(sec, l.To, ctrl)
	}
	unneeded()
	if from.Subsystems[nqn] != nil && b.empty[l] {
		sec.then(RiskCreate, SubsystemDelete{At{l.From}, nqn})
	}
}
