package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

// The operator has named the replica that is current, and a node that cannot be read may
// serve the volume still. Ladder:
//
//	fenced   over links that wait each such node is shut out of what it is shown of the
//	         volume, and has no controller there: it acknowledges no write any more
//	told     the others are fenced by an epoch that is far ahead (names.go)
//	taken    that epoch, on the replica that was named, alone
//	serving  start
//
// The fence is a pass of its own: whether it holds is looked at before an epoch is minted. A
// crash after it leaves hosts waiting and the volume as undecided as it was: the word has to
// be given again, or the old engine be back, which is let in to its links as after any fence.
// Links that drop a lost peer are no fence: an engine that loses its legs there goes on with
// its own. And no fence keeps hosts from reading what that has.

// unseat fences the nodes that may serve the volume and cannot be read, once the operator
// has named an authority, and says what that means for hosts. It is idle where the word does
// not count: names tell, or it cannot be followed.
func (s *subject) unseat() result {
	b := s.b
	named := b.opt.Authority[s.v.Name]
	if named == "" || b.opt.ResumeOnly != nil {
		return idle
	}
	s.inc = b.w.Incarnation(s.id)
	q := s.question()
	if q.Authority = ""; b.w.Judge(s.inc, q).Unknown == "" {
		return idle
	}
	if q.Authority = named; b.w.Judge(s.inc, q).Unknown != "" {
		return idle
	}
	came := idle
	for _, n := range s.mayServe() {
		if s.shutOut(because(s.v.Pos, "%s", s.warnOf(n, named)), n, b.admitted) {
			came = acted
		}
	}
	return came
}

// admitted reports whether the peer of a link that waits is let in, or is known to be
// connected still. Of a target that does not tell, the fence itself was answered once the
// peer was gone.
func (b *builder) admitted(l lineage.Link) bool {
	sub, host := b.w.Nodes[l.From].Subsystems[b.cfg.Cluster.LinkNQN(l)], b.cfg.Cluster.HostNQN(l.To)
	return sub.Admits(host) || sub.Evidence != nil && slices.Contains(sub.Evidence.Connected, host)
}

// mayServe are the nodes that were not read and may serve the volume: those that a replica
// is shown to; where there are none, those that may have one of their own.
func (s *subject) mayServe() (nodes []lineage.Node) {
	b := s.b
	for _, h := range s.inc.Heads {
		if n := b.shownToUnread(h.Node, h.Lvol.UUID); n != "" && !slices.Contains(nodes, n) && !b.cfg.Suspended(n) {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		for _, n := range b.cfg.Nodes {
			if at := b.w.Nodes[n.Name]; (at == nil || at.Unknown != "") && (s.unread(n.Name) || n.Name == s.v.Engine) && !b.cfg.Suspended(n.Name) {
				nodes = append(nodes, n.Name)
			}
		}
	}
	slices.Sort(nodes)
	return nodes
}

// warnOf notes what naming an authority means while a node may serve the volume, and
// returns what is the case.
func (s *subject) warnOf(n, named lineage.Node) string {
	is := fmt.Sprintf("%s is named, and %s, which does not answer (%s), may be serving it still", named, n, s.whyUnread(n))
	text, then := is, "read what that has, and lose what they write there"
	switch links, legs := s.linksTo(n), s.shownLegs(n); {
	case len(links) > 0:
		var from []string
		for _, l := range links {
			from = append(from, string(l.From))
		}
		text += fmt.Sprintf("; it is shut out of the links from %s first, and acknowledges no write after that", strings.Join(from, ", "))
		if then = "wait"; legs < s.legsNamed() {
			then = "may go on reading from a replica that it has"
		}
	case legs > 0:
		text += "; links drop a lost peer, so nothing shuts it out"
	default:
		text += ", from a replica of its own: nothing is shown to it, so nothing shuts it out"
	}
	s.b.warn(s.v, fmt.Sprintf("see first that %s is off, or that no host reaches it", n), "%s. Hosts that are connected there %s. %s", text, then, s.hostsOf(n))
	return is
}

// shownLegs is how many heads are shown to a node.
func (s *subject) shownLegs(to lineage.Node) (n int) {
	for _, h := range s.inc.Heads {
		if slices.ContainsFunc(s.b.shownBy(h.Node, h.Lvol.UUID), func(x shown) bool { return x.link.To == to }) {
			n++
		}
	}
	return n
}

// hostsOf says what is known of the hosts of an engine that was not read: those that have
// another path were asked after on its node.
func (s *subject) hostsOf(engine lineage.Node) string {
	e := s.v.Export
	switch e.Kind {
	case schema.ExportNVMf:
	case schema.ExportNone:
		return "It is exported nowhere."
	default:
		return fmt.Sprintf("It is a device of that node's kernel, so its users are on %s.", engine)
	}
	var all []string
	for _, x := range slices.Concat(s.inc.Standbys, unreachable(s.inc)) {
		if x.Subsystem.Evidence != nil && len(x.Subsystem.Evidence.Connected) > 0 {
			all = append(all, fmt.Sprintf("with a path to %s as well: %s", x.Node, texts(x.Subsystem.Evidence.Connected)))
		}
	}
	switch {
	case len(all) > 0:
		return "Those are known " + strings.Join(all, "; ") + "."
	case e.AnyHost:
		return "Which these are is not known: any host is let in."
	case len(e.Hosts) == 0:
		return "No host is let in."
	}
	return "Which these are is not known: let in are only " + texts(e.Hosts) + "."
}

func texts[T ~string](all []T) string {
	var parts []string
	for _, t := range slices.Compact(slices.Sorted(slices.Values(all))) {
		parts = append(parts, string(t))
	}
	return strings.Join(parts, ", ")
}

// warn notes something that is true before the first pass, and not after it any more.
func (p *passes) warn(v *schema.Volume, hint, format string, args ...any) {
	f := plan.Finding{About: "volume " + v.Name, Text: fmt.Sprintf(format, args...), Hint: hint, Pos: v.Pos}
	if !slices.ContainsFunc(p.warnings, func(o plan.Finding) bool { return o.About == f.About }) {
		p.warnings = append(p.warnings, f)
	}
}
