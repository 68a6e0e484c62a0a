package recipe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"strata/amount"
	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
	"strata/takeover"
)

// An engine is gone whose volume was written to over links that wait: a replica that was
// shown to it ever since the epoch was minted has all that was acknowledged, and takes
// over. Ladder:
//
//	fenced   the engine's node is shut out of every link by which it is shown anything of
//	         the volume, and has no controller there: nothing more is acknowledged
//	off      where hosts may go on reading from a replica of its own, its fence agent
//	         switches it off
//	pledged  the other replicas of the epoch are told of one that is far ahead
//	taken    that epoch, on the one that takes over, alone
//	told     the others are fenced by it
//	serving  start: the only leg, and the export, on a standby path where there is one
//
// The first two are passes of their own: whether all that holds is looked at again after
// them. A crash after fences leaves hosts waiting, and the next plan finds them; one after a
// pledge, an epoch of which nobody was served, for more than half of the legs say so
// (state.Incarnation.Unserved); one after it was taken, an authority that is started as
// after any restart. Writes that were not acknowledged are in one or the other: what does
// not take over is made equal to it as any stale replica is.
//
// An engine that can be read and has no mirror any more was started again: then none of it
// is fenced, and it is started where it was. So it is when all targets were, and nothing
// shows which it was.

// fenceTimeoutMs is how long connections of an engine may take to end; they take
// milliseconds.
const fenceTimeoutMs = 5000

// failover lets a replica take over from an engine that is gone, if that is sure to lose
// nothing and to have no second engine serve hosts. It is idle where names tell who is
// current, or nothing does.
func (s *subject) failover() result {
	b := s.b
	left, gone, is := s.bereft()
	if !is {
		return idle
	}
	why, hint := s.stuckWith(left, gone)
	if why != "" && !gone {
		return idle // what names say of it is said as ever
	}
	witnesses := s.heirs(left)
	if len(witnesses) == 0 {
		witnesses = s.witnesses(left) // none takes over
	}
	if w := s.whole(); gone && w != nil {
		var goesOn bool
		if witnesses, goesOn = w.inherits(witnesses); !goesOn {
			return blocked // said of the whole
		}
	}
	if why != "" {
		b.block("volume "+s.v.Name, s.v.At("failover"), hint, "%s", notTaken(left, why))
		return blocked
	}
	w := takeover.Successor(b.cfg, s.v, witnesses, s.hasPath, b.load())
	if gone && (s.fenceOff(left, w) || s.switchOff(left, w) || s.whole().fencing()) {
		return acted
	}
	s.witness = w.Node
	// The names come before anything else: what shows that a replica has everything is
	// what its link shows, and that goes when it is served; or that no link shows it. Only
	// where it was served it is shown still.
	if gone {
		s.sits(w.Node, "it takes over from %s", left.Engine)
		s.to = w.Node
	}
	if !s.judge() {
		return blocked
	}
	if !gone && left.Engine != "" && (s.engine == left.Engine || !s.may(schema.DutyServe)) {
		return idle
	}
	s.rename(s.Legs)
	s.witness = ""
	if b.opt.Failover[s.v.Name] {
		s.vouched = w.Node
	}
	if s.v.Part != nil {
		s.to = "" // where all parts are served
	}
	return idle
}

// bereft is what is left of a volume of which names do not tell who is current, or which
// no engine is known to serve; and whether that is for its node cannot be read. false where
// there is nothing to take over.
func (s *subject) bereft() (left state.Survivors, gone, is bool) {
	b := s.b
	s.inc = b.w.Incarnation(s.id)
	left, ok := b.w.Survivors(b.cfg.Cluster, s.inc)
	if !ok || b.opt.ResumeOnly != nil || b.opt.Authority[s.v.Name] != "" || b.cfg.Suspended(left.Engine) {
		return left, false, false
	}
	if b.w.Judge(s.inc, s.question()).Unknown == "" {
		return left, false, false
	}
	gone = left.Engine != "" && (b.w.Nodes[left.Engine] == nil || b.w.Nodes[left.Engine].Unknown != "")
	switch hidden, _, _ := b.hidden(); {
	case left.Engine == "" && (hidden > 0 || !s.may(schema.DutyServe)):
		return left, false, false
	case !gone && hidden == 0:
		left.Untold += left.Behind
	}
	return left, gone, true
}

// notTaken says that nobody takes over.
func notTaken(left state.Survivors, why string) string {
	return fmt.Sprintf("its engine was on %s, which cannot be read, and may be serving it still; no other takes over: %s", left.Engine, why)
}

// stuckWith says why nobody takes over, and what would help.
func (s *subject) stuckWith(left state.Survivors, gone bool) (why, hint string) {
	b, asked := s.b, s.b.opt.Failover[s.v.Name]
	byHand := fmt.Sprintf("make it readable; or, if %s is off and stays off, and has not gone on with fewer replicas since, say so: --failover %s", left.Engine, s.id.Whole().Name)
	witnesses := s.witnesses(left)
	if len(witnesses) == 0 {
		return "of no replica it is known that it has all that was acknowledged: " + doubts(left), s.nameOne()
	}
	if err := s.inc.Minority(s.question()); err != "" && !asked {
		return err, byHand
	}
	if asked {
		if v := b.w.Judge(s.inc, s.authorityOf(witnesses[0])); v.Unknown != "" {
			return v.Unknown, ""
		}
	} else if left.Untold < left.Name.Untold() {
		return fmt.Sprintf("of %s of epoch %d only %d could be read, and it takes %d to know that the engine has not gone on without them", amount.Of(left.Name.Legs, "replica"), left.Name.Epoch, left.Untold, left.Name.Untold()), byHand
	}
	if !gone {
		return "", ""
	}
	if len(s.heirs(left)) == 0 {
		why, hint := takeover.Unable(b.cfg, s.v, b.w.Snapshot, witnesses[0].Node)
		return "of those that have everything none can show it to hosts: " + why, hint
	}
	switch {
	case b.cfg.Node(left.Engine) == nil && !asked:
		return fmt.Sprintf("%s is not in the configuration", left.Engine), byHand
	case !asked && !s.v.Failover:
		return `failover is "manual"`, byHand
	case b.unattended() && !s.may(schema.DutyFence):
		return "that takes \"fence\" in its auto", "strata apply does it"
	case !asked && left.Reached() && !s.isOff(left.Engine):
		return fmt.Sprintf("%s is connected to its replicas still, so it may well serve hosts, and merely not answer strata", left.Engine), byHand
	case !asked && b.opt.Silent[left.Engine]:
		return fmt.Sprintf("%s is waited for, %v at most", left.Engine, b.cfg.Links.Patience()), ""
	case s.kernelExport():
		return "its users have a device of that node's kernel", ""
	case s.mayBeRead(left) && !takeover.Switched(b.cfg, left.Engine):
		return fmt.Sprintf("%s may have a replica of its own and show hosts what that has, and nothing says that it is off", left.Engine), byHand
	case s.mayBeRead(left) && b.left(plan.NodeKey(left.Engine)):
		return fmt.Sprintf("%s may have a replica of its own and show hosts what that has, and its fence agent did not switch it off", left.Engine), byHand
	}
	return "", ""
}

// mayBeRead reports whether hosts may go on reading from the engine: it may have a replica of
// its own, and neither is it known to be off, nor has the operator said so.
func (s *subject) mayBeRead(left state.Survivors) bool {
	return !s.b.opt.Failover[s.v.Name] && !left.Bare && !s.isOff(left.Engine)
}

// isOff reports whether a node is known to be off, or was switched off by a step before.
func (s *subject) isOff(n lineage.Node) bool { return s.b.opt.Off[n] != "" || s.b.w.SwitchedOff(n) }

// switchOff has the fence agent of the engine's node switch it off, where hosts may go on
// reading from it. It reports whether that has to be done first.
func (s *subject) switchOff(left state.Survivors, w state.Survivor) bool {
	key := plan.NodeKey(left.Engine)
	if !s.mayBeRead(left) {
		s.sec.after(key) // another volume may have it switched off in this pass
		return false
	}
	why := because(s.v.At("failover"), "%s; hosts are not to go on reading from a replica that it may have", s.evidence(left, w))
	s.b.section(key).then(why, plan.RiskReduce, plan.NodeOff{At: plan.At{Node: left.Engine}, Agent: s.b.cfg.Node(left.Engine).Fence.Agent()})
	return true
}

// nameOne says how the operator names the one that is current.
func (s *subject) nameOne() string {
	hidden, _, why := s.b.hidden()
	return s.unblock(hidden, why)
}

// authorityOf asks what is known once the operator has named a replica.
func (s *subject) authorityOf(w state.Survivor) state.Question {
	q := s.question()
	q.Authority = w.Node
	return q
}

// witnesses are the replicas that have all that was acknowledged, on nodes that can be
// worked on.
func (s *subject) witnesses(left state.Survivors) []state.Survivor {
	return takeover.Witnesses(left, s.b.reachable)
}

// heirs are the witnesses that can serve the volume. Where the parts of a whole go is one
// decision for all of them (wholefailover.go).
func (s *subject) heirs(left state.Survivors) []state.Survivor {
	return slices.DeleteFunc(s.witnesses(left), func(l state.Survivor) bool { return s.v.Part == nil && s.b.unable(s.v, l.Node) })
}

// unable reports whether a node cannot show a volume to hosts.
func (b *builder) unable(v *schema.Volume, n lineage.Node) bool {
	why, _ := takeover.Unable(b.cfg, v, b.w.Snapshot, n)
	return why != ""
}

// doubts says what is the matter with each.
func doubts(left state.Survivors) string {
	var all []string
	for _, l := range left.Legs {
		all = append(all, fmt.Sprintf("on %s %s", l.Node, cmp.Or(l.Doubt, "it cannot be reached")))
	}
	return strings.Join(all, "; ")
}

// fenceOff shuts the engine's node out of all links by which it is shown anything of the
// volume, as far as it is not. It reports whether there was any.
func (s *subject) fenceOff(left state.Survivors, w state.Survivor) bool {
	why := because(s.v.At("failover"), "%s", s.evidence(left, w))
	return s.shutOut(why, left.Engine, func(l lineage.Link) bool { return s.b.w.Fenced(s.b.cfg.Cluster, l) != "" })
}

// shutOut fences a node off those links by which it is shown anything of the volume of
// which that is due. It reports whether there was any: also one off which another volume
// fences it in this pass. Volumes do not wait for one another, and whether a fence stands
// is looked at before anything rests on it.
func (s *subject) shutOut(why reason, n lineage.Node, due func(lineage.Link) bool) bool {
	b, waits := s.b, false
	var ops []plan.Op
	for _, l := range s.linksTo(n) {
		switch {
		case b.links.fenced[l]:
			waits = true
		case due(l):
			b.links.fenced[l] = true
			ops = append(ops, plan.Fence{At: plan.At{Node: l.From}, NQN: b.cfg.Cluster.LinkNQN(l), Host: b.cfg.Cluster.HostNQN(n), TimeoutMs: fenceTimeoutMs})
		}
	}
	s.sec.then(why, plan.RiskReduce, ops...)
	b.at.asks = b.at.asks || waits
	return waits || len(ops) > 0
}

// linksTo are the links by which a node is shown anything of the volume.
func (s *subject) linksTo(to lineage.Node) (all []lineage.Link) {
	add := func(p state.Placed) {
		for _, x := range s.b.shownBy(p.Node, p.Lvol.UUID) {
			if x.link.To == to && x.link.Wait && !slices.Contains(all, x.link) {
				all = append(all, x.link)
			}
		}
	}
	for _, h := range s.inc.Heads {
		add(h.Placed)
	}
	for _, o := range s.inc.Others {
		add(o)
	}
	return all
}

// evidence says what a failover rests on.
func (s *subject) evidence(left state.Survivors, w state.Survivor) string {
	var read, proven []string
	for _, l := range left.Legs {
		read = append(read, string(l.Node))
		if l.Doubt == "" {
			proven = append(proven, string(l.Node))
		}
	}
	to, by := w.Node, ""
	if x := s.whole(); x != nil && x.heir.to != "" && x.heir.to != to {
		to, by = x.heir.to, fmt.Sprintf(" with the replica on %s", w.Node)
	}
	text := fmt.Sprintf("%s takes over%s from %s, which does not answer (%s): of %s of epoch %d those on %s were read just now, shown to %s since that was minted and without failed I/O: %s",
		to, by, left.Engine, s.whyUnread(left.Engine), amount.Of(left.Name.Legs, "replica"), left.Name.Epoch, strings.Join(read, ", "), left.Engine, strings.Join(proven, ", "))
	switch off := s.b.opt.Off[left.Engine]; {
	case s.b.opt.Failover[s.v.Name] && (left.Untold < left.Name.Untold() || !left.Bare && off == ""):
		text += fmt.Sprintf("; you vouch that %s is off, and has not gone on with fewer replicas since", left.Engine)
	case off != "":
		text += fmt.Sprintf("; %s is off: %s", left.Engine, off)
	case left.Bare:
		text += fmt.Sprintf("; %s has none of its own", left.Engine)
	}
	return text
}

func (s *subject) whyUnread(n lineage.Node) string {
	if at := s.b.w.Nodes[n]; at != nil && at.Unknown != "" {
		return at.Unknown
	}
	return "it is not in the configuration"
}

// pledges reports whether a head that is fenced is one of those that a failover tells of
// its epoch before that is taken: nobody is served in it before all are told for good.
func (s *subject) pledges(h state.Head) bool {
	return h.Name.Epoch == s.Top && h.Name.Mark == lineage.Open || h.Name.Pledged
}

// unpledge takes back what replicas were told of a failover that went no further, before
// the volume goes on otherwise: of its next epoch nobody could tell that it is not behind
// that one. Those that were legs of the last are so again, and others are stale.
func (s *subject) unpledge(legs []state.CurrentLeg) {
	_, as, ok := s.inc.Unserved(s.Top)
	if !ok {
		return
	}
	why := because(s.v.Pos, "no failover from epoch %d has begun", s.Top)
	var ops []plan.Op
	for _, h := range s.inc.Heads {
		if !h.Name.Pledged || h.Name.Epoch <= s.Top {
			continue
		}
		name := lineage.Head{Volume: s.id, Epoch: s.Top, Cut: h.Name.Cut, Mark: lineage.Fenced, Layout: h.Name.Layout, Check: h.Name.Check}
		if (h.Name.Epoch-s.Top)%lineage.Forced == 0 {
			name.Legs, name.Wait, name.Quorum, name.Mark = as.Legs, as.Wait, as.Quorum, lineage.Open
		}
		ops = append(ops, plan.LvolRename{At: plan.At{Node: h.Node}, Lvstore: h.Lvol.Lvstore, From: h.Lvol.Name, To: name.Lvol()})
	}
	if len(ops) == 0 {
		return
	}
	s.sec.then(why, plan.RiskCreate, ops...)
	s.renamed(legs)
	s.reread()
}

// takes reports whether the volume is about to be taken over by these legs, and they are
// not named so yet.
func (s *subject) takes(epoch lineage.Epoch, legs []state.CurrentLeg) bool {
	if s.witness == "" || !s.forces() {
		return false
	}
	now := s.b.w.Incarnation(s.id)
	return !slices.ContainsFunc(legs, func(l state.CurrentLeg) bool {
		h := now.Find(l.UUID)
		return h != nil && h.Name.Epoch == epoch
	})
}

// superseded reports whether another node has taken over from one that is set as the
// engine and cannot be read: it has the authority of the latest epoch.
func (s *subject) superseded(n lineage.Node) bool {
	at := s.b.w.Nodes[n]
	if at != nil && at.Unknown == "" || s.legOn(n) {
		return false
	}
	return slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool {
		return l.Head != nil && l.Head.Name.Mark == lineage.Primary && s.b.reachable(l.Node)
	})
}
