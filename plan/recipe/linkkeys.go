package recipe

import (
	"fmt"
	"maps"
	"slices"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// The two ends of a link may have to prove themselves to each other (links: auth), by a pair of
// keys of its own. strata makes pairs, and no name is given to two: so a pair whose files are on
// both nodes is the same on both. Ladder:
//
//	made      the files are there, on the node that attaches first
//	named     both targets have the keys, by name
//	keyed     the peer is let in with these only, before the subsystem listens; one that is let in
//	          already has to use them from then on, and its connections stay
//	used      the controller is attached with them; one that is there is told, and proves itself
//	          at once. Then the keyring there has a further name, for no target tells that
//	dropped   names of other pairs go from both, and then their files
//
// To prove nothing any more goes the other way round: the controller is told first, which it is
// only at its next connection, and then its peer lets it in without. A crash leaves a pair that is
// used, or one of which files are missing; another is made then. A controller that has once failed
// to prove itself never gets through again, with whatever keys, and one that is told of keys while it
// is not connected does not answer: so nothing is changed while it is not, and it comes back
// with what it has. Where that is lost it is waited for no longer than any peer is that is gone.

// linkPair is what a link is to use by now.
type linkPair struct {
	is lineage.LinkKeys // Set is 0 for none
	// made: its files are on both nodes.
	made bool
	// stays: the link is in use and has to stay as it is.
	stays bool
	why   string // it cannot be there, if the link is to be made
}

// pairOf finds what pair a link is to use. The nodes at both ends can be read.
func (b *builder) pairOf(l lineage.Link) linkPair {
	from, to, c := b.w.Nodes[l.From], b.w.Nodes[l.To], b.cfg.Cluster
	set, now := b.cfg.Links.Keys, b.letInBy(l)
	ctrl := to.Controllers[b.w.Controller(l)]
	stands := ctrl != nil && ctrl.NQN == c.LinkNQN(l) && !ctrl.GivenUp() && b.links.strays[l] == nil
	if stands && set > 0 && ctrl.State != "enabled" {
		return b.pairBack(l)
	}
	if stands && now.Set != set && !b.may("", schema.DutyChange) {
		return linkPair{is: now, made: true, stays: true}
	}
	if set == 0 {
		return linkPair{}
	}
	best, top := lineage.LinkKeys{}, 0
	for _, k := range slices.Concat(b.pairs(l, from), b.pairs(l, to)) {
		if k.Set != set {
			continue
		}
		if top = max(top, k.Try); b.onBoth(k) && best != now && (k == now || k.Try > best.Try) {
			best = k
		}
	}
	if best.Try > 0 {
		return linkPair{is: best, made: true}
	}
	for _, n := range []*state.Node{to, from} {
		if n.KeyFilesUnread != "" {
			return linkPair{is: now, stays: stands, why: fmt.Sprintf("which keys of the link from %s to %s are on %s is not known: %s", l.From, l.To, n.Name, n.KeyFilesUnread)}
		}
	}
	return linkPair{is: lineage.LinkKeys{Link: l, Set: set, Try: top + 1}}
}

// provesWhy is why keys of a link come and go.
func (b *builder) provesWhy(l lineage.Link) reason {
	pos := b.cfg.Node(l.From).Pos
	if b.cfg.Links.Keys == 0 {
		return because(pos, "the ends of links have to prove nothing")
	}
	return because(pos, "the ends of links have to prove who they are, with keys of number %d", b.cfg.Links.Keys)
}

// pairBack finds what pair a link is to use whose controller is there and not connected: what
// that uses.
func (b *builder) pairBack(l lineage.Link) linkPair {
	sub, used := b.w.Nodes[l.From].Subsystems[b.cfg.Cluster.LinkNQN(l)], b.usedBy(l)
	switch {
	case sub != nil && slices.Contains(sub.Hosts, b.cfg.Cluster.HostNQN(l.To)):
		return linkPair{is: b.letInBy(l), made: true, stays: true}
	case used.Set > 0 && b.onBoth(used):
		return linkPair{is: used, made: true}
	case used.Set > 0:
		return linkPair{why: fmt.Sprintf("%s waits for %s with keys of which the files are not on both any more: the link is made anew once it waits no longer", l.To, l.From)}
	case !b.keyed(l):
		return linkPair{why: fmt.Sprintf("%s waits for %s, and has no keys to prove itself with: the link is made anew once it waits no longer", l.To, l.From)}
	}
	return linkPair{why: fmt.Sprintf("%s waits for %s, and whether it has keys to prove itself with is not known: the link is made anew once it waits no longer", l.To, l.From)}
}

// keyed reports whether the target of the node that attaches has keys of the link by name.
func (b *builder) keyed(l lineage.Link) bool {
	for name := range b.w.Nodes[l.To].Keyring {
		if k, _, ok := b.cfg.Cluster.ParseLinkKey(name); ok && k.Link == l {
			return true
		}
	}
	return false
}

// letInBy is the pair by which the link's subsystem lets its peer in; zero for none.
func (b *builder) letInBy(l lineage.Link) (k lineage.LinkKeys) {
	if sub := b.w.Nodes[l.From].Subsystems[b.cfg.Cluster.LinkNQN(l)]; sub != nil {
		k, _, _ = b.cfg.Cluster.ParseLinkKey(sub.Keys[b.cfg.Cluster.HostNQN(l.To)].Key)
	}
	return k
}

// usedBy is the pair that the link's controller is known to use; zero for none, or if that is
// not known.
func (b *builder) usedBy(l lineage.Link) lineage.LinkKeys {
	for _, name := range slices.Sorted(maps.Keys(b.w.Nodes[l.To].Keyring)) {
		if k, role, ok := b.cfg.Cluster.ParseLinkKey(name); ok && k.Link == l && role == lineage.LinkUsed {
			return k
		}
	}
	return lineage.LinkKeys{}
}

// pairs are those of a link of which a node has anything.
func (b *builder) pairs(l lineage.Link, n *state.Node) (all []lineage.LinkKeys) {
	for _, name := range linkKeyNames(b.cfg.Cluster, n) {
		if k, _, _ := b.cfg.Cluster.ParseLinkKey(name); k.Link == l && !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}

// linkKeyNames are the names of keys of links that a node has in its keyring, or as files, or by
// which it lets a peer in.
func linkKeyNames(c lineage.Cluster, n *state.Node) []string {
	all := map[string]bool{}
	for _, names := range []map[string]bool{n.KeyFiles, neededKeys(n)} {
		maps.Copy(all, names)
	}
	for name := range n.Keyring {
		all[name] = true
	}
	maps.DeleteFunc(all, func(name string, _ bool) bool {
		_, _, ok := c.ParseLinkKey(name)
		return !ok
	})
	return slices.Sorted(maps.Keys(all))
}

// onBoth reports whether both nodes have both files of a pair. What a target has by name was
// there once; that is believed where nobody can see which files there are.
func (b *builder) onBoth(k lineage.LinkKeys) bool {
	names := b.cfg.Cluster.LinkKeyNames(k)
	for _, end := range []lineage.Node{k.Link.From, k.Link.To} {
		n := b.w.Nodes[end]
		for _, name := range []string{names.Key, names.CtrlKey} {
			if !n.KeyFiles[name] && (n.KeyFilesUnread == "" || n.Keyring[name] == "") {
				return false
			}
		}
	}
	return k.Set > 0
}

// bring has the files of the pair on both nodes, and both targets know them by name.
func (p linkPair) bring(b *builder, sec *section, why reason) {
	if p.is.Set == 0 || p.stays {
		return
	}
	l, names := p.is.Link, b.cfg.Cluster.LinkKeyNames(p.is)
	if !p.made {
		sec.then(why, plan.RiskCreate, plan.LinkKeysMake{At: plan.At{Node: l.To}, Keys: p.is})
	}
	var adds []plan.Op
	for _, end := range []lineage.Node{l.To, l.From} {
		for _, name := range []string{names.Key, names.CtrlKey} {
			if path := b.cfg.Node(end).KeyFile(name); b.w.Nodes[end].Keyring[name] == "" {
				adds = append(adds, plan.KeyAdd{At: plan.At{Node: end}, Name: name, Path: path})
			}
		}
	}
	sec.then(why, plan.RiskCreate, adds...)
}

// names are those of the pair; zero for none.
func (p linkPair) names(c lineage.Cluster) (k lineage.HostKeys) {
	if p.is.Set > 0 {
		k = c.LinkKeyNames(p.is)
	}
	return k
}

// unnote has the keyring of the node that attaches not say any more that the controller uses
// another pair.
func (p linkPair) unnote(b *builder, sec *section, why reason, l lineage.Link) {
	at, c := b.w.Nodes[l.To], b.cfg.Cluster
	sec.then(why, plan.RiskCreate, removals(at, func(name string) bool {
		k, role, ok := c.ParseLinkKey(name)
		return ok && k.Link == l && role == lineage.LinkUsed && k != p.is
	})...)
}

// note has it say that the controller uses the pair.
func (p linkPair) note(b *builder, sec *section, why reason, l lineage.Link) {
	c, at := b.cfg.Cluster, b.w.Nodes[l.To]
	if used := c.LinkKey(p.is, lineage.LinkUsed); p.is.Set > 0 && at.Keyring[used] == "" {
		sec.then(why, plan.RiskCreate, plan.KeyAdd{At: plan.At{Node: l.To}, Name: used, Path: b.cfg.Node(l.To).KeyFile(c.LinkKey(p.is, lineage.LinkHost))})
	}
}

// told has the controller that is there use the pair, or none.
func (p linkPair) told(b *builder, sec *section, why reason, l lineage.Link) {
	if p.stays || p.is.Set == 0 && !b.keyed(l) || p.is.Set > 0 && b.usedBy(l) == p.is {
		return
	}
	p.unnote(b, sec, why, l)
	sec.then(why, plan.RiskCreate, plan.ControllerKeysSet{At: plan.At{Node: l.To}, Controller: b.w.Controller(l), Keys: p.names(b.cfg.Cluster)})
	p.note(b, sec, why, l)
}

// drop takes away what both nodes have of other pairs of the link. Nobody uses them any more.
func (p linkPair) drop(b *builder, sec *section, why reason, l lineage.Link) {
	if p.stays {
		return
	}
	b.dropLinkKeys(sec, why, []lineage.Node{l.To, l.From}, func(k lineage.LinkKeys) bool { return k.Link == l && k != p.is })
}

// dropLinkKeys takes pairs of keys away from nodes: names, then files.
func (b *builder) dropLinkKeys(sec *section, why reason, nodes []lineage.Node, which func(lineage.LinkKeys) bool) {
	goes := func(name string) bool {
		k, _, ok := b.cfg.Cluster.ParseLinkKey(name)
		return ok && which(k)
	}
	var names, files []plan.Op
	for _, n := range nodes {
		names = append(names, removals(b.w.Nodes[n], goes)...)
	}
	sec.then(why, plan.RiskCreate, names...)
	for _, n := range nodes {
		files = append(files, erasures(b.w.Nodes[n], goes)...)
	}
	sec.then(why, plan.RiskCreate, files...)
}

// endLinkKeys takes the keys away of links that are not there any more, and that nobody needs:
// while an end of one cannot be read it may be there.
func (b *builder) endLinkKeys() {
	if !b.may("", schema.DutyChange, schema.DutyServe) {
		return
	}
	for n, at := range b.readNodes() {
		if len(at.Keyring)+len(at.KeyFiles) == 0 {
			continue
		}
		over := map[lineage.Link]bool{}
		for _, name := range linkKeyNames(b.cfg.Cluster, at) {
			if k, _, _ := b.cfg.Cluster.ParseLinkKey(name); b.isOver(k.Link, at) && !b.left(plan.LinkKey(k.Link)) {
				over[k.Link] = true
			}
		}
		for _, l := range slices.SortedFunc(maps.Keys(over), func(l, m lineage.Link) int { return plan.LinkKey(l).Compare(plan.LinkKey(m)) }) {
			why := because(n.Pos, "the link from %s to %s is not there any more", l.From, l.To)
			b.dropLinkKeys(b.section(plan.LinkKey(l)), why, []lineage.Node{n.Name}, func(k lineage.LinkKeys) bool { return k.Link == l })
		}
	}
}

// isOver reports whether nothing is left of a link, on a node and on its ends, and nobody needs it.
func (b *builder) isOver(l lineage.Link, on *state.Node) bool {
	if l == b.cfg.Link(l.From, l.To) && b.links.isNeeded(l) {
		return false
	}
	nqn, ends := b.cfg.Cluster.LinkNQN(l), []*state.Node{on}
	for _, end := range []lineage.Node{l.From, l.To} {
		if b.cfg.Node(end) != nil {
			ends = append(ends, b.w.Nodes[end])
		}
	}
	for _, n := range ends {
		if n == nil || n.Unknown != "" || n.Subsystems[nqn] != nil {
			return false
		}
		for _, ctrl := range n.Controllers {
			if ctrl.NQN == nqn {
				return false
			}
		}
	}
	return true
}
