package recipe

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// A link that waits never gives its peer up: while that is gone, hosts that write
// wait with it, and no leg is lost. So it is with every link to a peer that came back
// in time without what is used. It ends in one of two ways.
//
// The peer is back: its target is made again, and shows again what the engine has in
// its mirror, under the same numbers. The controller reconnects, what waited is sent
// again, and no epoch was minted. Until then nothing is begun that waits for I/O.
//
// The peer is waited for no more (plan.Options.Peers). Ladder, of all volumes with a
// leg on it together:
//
//	minted   the next epoch, on the legs that stay, the engine's own first
//	let go   the controller disabled and detached: the legs are lost
//	fenced   what was on the peer, where it can be read (names.go)
//
// A crash before an epoch is minted leaves volumes that wait. One after it, too: the
// names of some say that their leg is out, and while the mirror has it no write is
// acknowledged without it. If the peer is back first, it has all of them, and the
// next epoch has it in again; else it is let go by the next run. One after the
// controller was disabled leaves mirrors as names say.

// lost is a link that waits and whose peer is waited for no more.
type lost struct {
	state.Waiting
	why reason
	// said has the volumes whose names say that their legs there are out, or which nobody
	// reaches while they end, with the sections that see to that.
	said  map[lineage.Volume]plan.Key
	first []plan.Key // the sections of volumes that read through it (idle.go)
}

// findWaiting finds the links that wait for their peers when the pass begins, and
// which of them are to be let go. Others are among them if they should have given their peer
// up by themselves, and do not.
func (b *builder) findWaiting() {
	b.links.waiting = b.w.Waits(b.cfg.Cluster)
	for _, w := range b.w.Resets(b.cfg.Cluster) {
		if b.opt.Peers[w.Link] == plan.PeerOver {
			b.links.waiting = append(b.links.waiting, w)
		}
	}
	b.links.lost = map[lineage.Link]*lost{}
	for _, w := range b.links.waiting {
		if why, over := b.over(w); over {
			b.links.lost[w.Link] = &lost{Waiting: w, why: why, said: map[lineage.Volume]plan.Key{}, first: b.readers(w.At, w.Controller)}
		}
	}
}

// over reports whether a peer is waited for no more, and why.
func (b *builder) over(w state.Waiting) (reason, bool) {
	pos := b.posOf(w.At)
	ctrl := b.w.Nodes[w.At].Controllers[w.Controller]
	peer := b.w.Nodes[w.From]
	unread := peer == nil || peer.Unknown != ""
	if w.Link.To == w.At && b.movedAway(w.Link, ctrl) {
		return because(pos, "%s does not listen at %s any more, where %s waits for it", w.From, ctrl.Portal(), w.At), true
	}
	if w.Link.To == w.At {
		if b.dispossessed(w.Link) {
			how := "was fenced off the link"
			if !b.w.ShutOut(b.cfg.Cluster, w.Link) {
				how = "is not to come again by the link"
			}
			return because(pos, "%s %s from %s, and has writes queued that nobody acknowledged", w.At, how, w.From), true
		}
		if b.w.ShutOut(b.cfg.Cluster, w.Link) && !b.outdated(w.Link, true) {
			return reason{}, false // nobody has taken over: it is let in again
		}
	}
	if b.cfg.Suspended(w.From) || b.cfg.Suspended(w.At) {
		return reason{}, false
	}
	switch b.opt.Peers[w.Link] {
	case plan.PeerWaits:
		return reason{}, false
	case plan.PeerOver:
	default:
		if !unread {
			return reason{}, false
		}
	}
	switch {
	case w.Hung:
		return because(pos, "%s does not answer, and holds up hosts", w.From), true
	case w.State == "enabled":
		return because(pos, "%s is back without what %s writes to, and is waited for no more", w.From, w.At), true
	case !w.Link.Wait:
		return because(pos, "controller %s on %s is not done with connecting to %s, and never will be", w.Controller, w.At, w.From), true
	}
	return because(pos, "%s is gone (controller %s is %s), and is waited for no more", w.From, w.Controller, w.State), true
}

// wait reports whether all legs but the engine's own are reached over links that
// wait, one at least.
func (s *subject) wait(legs []state.CurrentLeg) bool {
	some, at := false, s.b.w.Nodes[s.engine]
	for _, l := range legs {
		if l.Node == s.engine {
			continue
		}
		if at == nil {
			return false // nobody has asked the engine
		}
		r := at.Remotes[l.UUID]
		if r == nil || at.Controllers[r.Controller] == nil {
			return false
		}
		link, ok := s.b.cfg.Cluster.ParseLink(at.Controllers[r.Controller].NQN)
		if !ok || !link.Wait {
			return false
		}
		some = true
	}
	return some
}

// waitingLeg is a lvol in the volume's mirror, or what it serves as it is, and the link
// that it waits for.
type waitingLeg struct {
	state.CurrentLeg
	on *state.Waiting
}

// waitingLegs are those that the engine waits for, of replicas that are current or join.
func (s *subject) waitingLegs() (all []waitingLeg) {
	for i, w := range s.b.links.waiting {
		if w.At != s.Engine {
			continue
		}
		for _, u := range w.Legs {
			if s.isLeg(u) || s.mirrors() && s.b.w.Nodes[s.Engine].Raids[s.Device].Has(u) {
				all = append(all, waitingLeg{state.CurrentLeg{Node: w.From, UUID: u, Head: s.inc.Find(u)}, &s.b.links.waiting[i]})
			}
		}
	}
	return all
}

// patience deals with legs whose peers are gone, of a volume in use over links that
// wait: they are waited for, or the epoch without them is minted. Nothing else is done
// to the volume meanwhile.
func (s *subject) patience() result {
	if s.Engine == "" {
		return idle
	}
	var gone []waitingLeg
	stay, out := slices.Clone(s.Legs), map[lineage.Link]bool{}
	for _, l := range s.waitingLegs() {
		if s.b.links.lost[l.on.Link] == nil || !s.may(schema.DutyFence) {
			gone = append(gone, l)
			continue
		}
		out[l.on.Link] = true
		stay = slices.DeleteFunc(stay, func(o state.CurrentLeg) bool { return o.UUID == l.UUID })
	}
	if len(out) > 0 && !slices.ContainsFunc(stay, s.tellable) {
		if s.forfeits() {
			return acted
		}
		if !s.rejoined() {
			s.stranded()
		}
		return blocked
	}
	if len(out) > 0 && (s.admitted() || s.breaks(s.waitingLegs())) {
		return blocked
	}
	if len(out) > 0 && newest(stay) < newest(s.Legs) {
		// A run ended when it had said of these that they are out, and they are in the mirror
		// still. Were the others let go first, nobody would know of the last epoch.
		s.rename(s.Legs)
		s.await(s.waitingLegs())
		return acted
	}
	if len(out) > 0 {
		// Also where none of what is let go counts as current: the names may mean one of
		// them, when nobody can read which legs they mean.
		s.rename(stay)
	}
	for link := range out {
		s.b.links.lost[link].said[s.id] = s.sec.Key()
	}
	s.await(gone)
	switch {
	case len(gone) > 0:
		return blocked
	case len(out) > 0:
		return acted
	}
	return idle
}

// rejoined shows the engine again what peers have that are back, of a volume that nothing is
// left of without them, however late that is: they have all that was acknowledged. It
// reports whether any of them is back.
func (s *subject) rejoined() bool {
	all, back := s.waitingLegs(), false
	for _, l := range all {
		if from := s.b.w.Nodes[l.on.From]; l.on.To == l.on.At && from != nil && from.Unknown == "" {
			back = true
			delete(s.b.links.lost, l.on.Link)
		}
	}
	if back {
		s.await(all)
	}
	return back
}

// newest is the highest epoch that legs say they are in.
func newest(legs []state.CurrentLeg) (e lineage.Epoch) {
	for _, l := range legs {
		if l.Head != nil && l.Head.Name.Mark != lineage.Fenced {
			e = max(e, l.Head.Name.Epoch)
		}
	}
	return e
}

// forfeits gives the volume's mirror up, or the leg that it serves as it is, where all its
// legs are on links that its node is to leave for the sake of another volume, whose engine
// it was: hosts are to wait when that goes, so its listeners go first. It is started anew
// then, for its replicas have all that was acknowledged. It reports whether that is so.
func (s *subject) forfeits() bool {
	raid := s.b.w.Nodes[s.Engine].Raids[s.Device]
	legs := s.waitingLegs()
	for _, l := range legs {
		if s.b.links.lost[l.on.Link] == nil || !s.b.dispossessed(l.on.Link) {
			return false
		}
	}
	if raid == nil && (len(s.Legs) != 1 || len(legs) != 1) { // it serves a leg as it is, or is none
		return false
	}
	if raid != nil && slices.ContainsFunc(raid.Legs, func(r state.Leg) bool {
		return r.Configured && !slices.ContainsFunc(legs, func(l waitingLeg) bool { return l.UUID == r.UUID })
	}) {
		return false
	}
	s.silent(s.Engine, because(s.v.Pos, "%s lets go of the links from which it was fenced off, and %s has nothing there without them: hosts wait until it is served anew", s.Engine, s.v.Name))
	for _, l := range legs {
		s.b.links.lost[l.on.Link].said[s.id] = s.sec.Key()
	}
	return true
}

// admitted lets an engine without a replica of its own in again to the links that it was
// fenced off, and from which nobody has taken over: one that is fenced off and has a leg
// that is stale is one that another has taken over from (state.Judge), so no name says
// that of a leg before. It reports whether there are any.
func (s *subject) admitted() bool {
	all := s.waitingLegs()
	some := slices.ContainsFunc(all, func(l waitingLeg) bool {
		return l.on.To == l.on.At && s.b.w.ShutOut(s.b.cfg.Cluster, l.on.Link) && !s.b.dispossessed(l.on.Link)
	})
	if !some || slices.ContainsFunc(s.Legs, func(l state.CurrentLeg) bool { return l.Node == s.Engine }) {
		return false
	}
	for _, l := range all {
		delete(s.b.links.lost, l.on.Link)
	}
	s.await(all)
	return true
}

// stranded says of a volume that nothing is left of without the peers that are gone that
// it waits for them all the same. Whichever is back shows the engine what it had.
func (s *subject) stranded() {
	var all []string
	for _, l := range s.waitingLegs() {
		how := l.on.How()
		if why := s.expect(l); why != "" {
			how += "; " + why
		}
		all = append(all, fmt.Sprintf("on %s (%s)", l.on.From, how))
	}
	for _, l := range s.Legs {
		if l.Head == nil && !slices.ContainsFunc(s.waitingLegs(), func(w waitingLeg) bool { return w.UUID == l.UUID }) {
			all = append(all, s.b.away(l.Node))
		}
	}
	s.b.blockAlone("volume "+s.v.Name, s.v.Pos, "make one of them work again: hosts go on then, and nothing is lost",
		"its hosts wait for its replicas, for none is left that could be told that it is the only one: %s", strings.Join(all, ", "))
}

// await shows the engine again what its peers have lost with their targets, and says
// what is waited for.
func (s *subject) await(legs []waitingLeg) {
	for _, l := range legs {
		w := l.on
		if s.b.cfg.Suspended(w.From) {
			s.b.links.need(w.Link)
			s.b.note("volume "+s.v.Name, s.v.Pos, "", "hosts that write wait for its replica on %s, which is suspended", w.From)
			continue
		}
		why := s.expect(l)
		if why != "" {
			why = ": " + why
		}
		bound := fmt.Sprintf(", %v at most", s.b.cfg.Links.Patience())
		if s.b.links.lost[w.Link] != nil || s.b.opt.Peers[w.Link] == plan.PeerOver {
			bound = ""
		}
		s.b.block("volume "+s.v.Name, s.v.Pos, "", "its replica on %s is waited for%s, and hosts that write wait with it; %s%s", w.From, bound, w.How(), why)
	}
}

// expect keeps the link of a leg that is waited for, and has its peer show the engine again
// what it had there, if that can be read; or says why it cannot yet.
func (s *subject) expect(l waitingLeg) string {
	w := l.on
	s.b.links.need(w.Link)
	if from := s.b.w.Nodes[w.From]; w.To != w.At || from == nil || from.Unknown != "" {
		return ""
	}
	return s.showAgain(l.CurrentLeg)
}

// showAgain shows the engine a leg whose peer is back, or says why it cannot yet. One
// that joined and whose copies are not complete is degraded: no target shows it before
// the layer it reads through is there. Which that is its node does not tell, so all that
// it is shown are brought to it.
func (s *subject) showAgain(l state.CurrentLeg) string {
	b := s.b
	lvol := b.w.Nodes[l.Node].LvolByUUID(l.UUID)
	if lvol == nil {
		return fmt.Sprintf("%s has it no more", l.Node)
	}
	if !lvol.Degraded {
		return s.bringLeg(l)
	}
	for _, link := range s.layersShown(l.Node) {
		s.sec.after(plan.LinkKey(link))
		b.link(link)
	}
	return fmt.Sprintf("what it reads through is not back on %s", l.Node)
}

// posOf is where a node stands in the configuration.
func (b *builder) posOf(n lineage.Node) schema.Pos {
	if conf := b.cfg.Node(n); conf != nil {
		return conf.Pos
	}
	return schema.Pos{}
}
