package state

import (
	"fmt"
	"slices"

	"strata/lineage"
)

// running judges a volume that an engine serves: a leg the RAID lists as
// configured, not being rebuilt and complete on its own node, is current. An
// engine that an operator has given up while it could not be read is not
// believed again. Where two contradict each other, the operator decides.
func (s *Snapshot) running(inc *Incarnation, q Question, v *Verdict) bool {
	var engines []Verdict
	for _, e := range s.engines(inc, q, v.Top) {
		if newest, ok := e.outrun(inc); (!ok || newest-e.epoch() < lineage.Forced/2) && !s.succeeded(q.Cluster, e) {
			engines = append(engines, e)
		}
	}
	engines = s.served(s.reached(engines))
	why := contradiction(inc, engines)
	if why != "" && q.Authority != "" {
		engines = slices.DeleteFunc(engines, func(e Verdict) bool {
			return e.robbed() || !slices.ContainsFunc(e.Legs, func(l CurrentLeg) bool { return l.Node == q.Authority })
		})
		if why = ""; len(engines) > 1 {
			why = contradiction(inc, engines)
		} else if len(engines) == 0 {
			v.ByOperator = true
			v.byOperator(inc, q)
			return true
		}
	}
	if why != "" {
		v.Unknown = why
		return false
	}
	if len(engines) == 0 {
		return false
	}
	*v = engines[0]
	if len(v.Legs) == 0 {
		v.Unknown = fmt.Sprintf("what %s serves has no leg that is complete", v.Engine)
	}
	return true
}

// reached leaves out, where there are several engines, those without a leg of their own to
// which no node shows any of theirs any more, while another has its legs and shows the
// volume to hosts: what they have queued nobody acknowledges.
func (s *Snapshot) reached(engines []Verdict) []Verdict {
	if len(engines) < 2 || !slices.ContainsFunc(engines, func(e Verdict) bool { return s.shows(e) && !s.deserted(e) }) {
		return engines
	}
	return slices.DeleteFunc(slices.Clone(engines), s.deserted)
}

// deserted reports whether all legs of an engine are on other nodes, which were read, and
// none of them is shown on the link that the engine knows it by.
func (s *Snapshot) deserted(e Verdict) bool {
	at := s.Nodes[e.Engine]
	return len(e.Legs) > 0 && !slices.ContainsFunc(e.Legs, func(l CurrentLeg) bool {
		r := at.Remotes[l.UUID]
		if l.Head == nil || l.Node == e.Engine || r == nil || at.Controllers[r.Controller] == nil {
			return true
		}
		sub := s.Nodes[l.Node].Subsystems[at.Controllers[r.Controller].NQN]
		return sub != nil && sub.Shows(string(l.UUID))
	})
}

// served leaves out, where there are several engines, those that never served
// hosts: one whose own leg is sealed still, for it is opened before hosts are
// let in; and one that shows the volume to nobody while another, which does, is
// ahead of it. The other was started from sealed replicas, of which the first
// needed more opened than it had to let hosts in.
func (s *Snapshot) served(engines []Verdict) []Verdict {
	if len(engines) < 2 {
		return engines
	}
	var did []Verdict
	for _, e := range engines {
		l := e.local()
		sealed := l != nil && l.Name.Mark == lineage.Sealed
		outrun := slices.ContainsFunc(engines, func(o Verdict) bool {
			return l != nil && o.local() != nil && o.epoch() > e.epoch() && s.shows(o) && !s.shows(e)
		})
		if !sealed && !outrun {
			did = append(did, e)
		}
	}
	return did
}

// shows reports whether an engine gives its device to anybody.
func (s *Snapshot) shows(e Verdict) bool {
	n := s.Nodes[e.Engine]
	r := n.Raids[e.Device]
	if laid := n.Over(e.Device); laid != nil {
		r, e.Device = laid, laid.Name
	}
	for p := range n.Shows() {
		if bdev := n.Deciphered(p.Bdev); bdev == e.Device || r != nil && bdev == string(r.UUID) {
			return true
		}
	}
	return false
}

// contradiction says why it is not clear which engine is to be believed; ""
// when there is one at most, no other replica is ahead of it, and its legs do not say that
// another took over.
func contradiction(inc *Incarnation, engines []Verdict) string {
	if len(engines) > 1 {
		return fmt.Sprintf("two engines serve it, %s and %s", engines[0].Engine, engines[1].Engine)
	}
	if len(engines) == 1 && len(engines[0].Legs) > 0 {
		if newest, ok := engines[0].outrun(inc); ok {
			return fmt.Sprintf("the engine on %s is at epoch %d, but a replica that it does not know of is at epoch %d", engines[0].Engine, engines[0].epoch(), newest)
		}
		return engines[0].stale()
	}
	return ""
}

// stale says of an engine without a leg of its own that those which could be read were told
// of an epoch that leaves them out, so that another may have taken over from it; "" where
// one was read that is current, or none was, or where all have joined and no other is left.
func (v *Verdict) stale() string {
	var told *Head
	joined := true
	for _, l := range v.Legs {
		switch {
		case l.Node == v.Engine || l.Head != nil && l.Head.Name.Mark != lineage.Fenced:
			return ""
		case l.Head != nil:
			told = l.Head
		}
		joined = joined && l.Head.Joined()
	}
	if told == nil || joined {
		return ""
	}
	return fmt.Sprintf("the engine on %s has %s on %s, which is stale by epoch %d, and no other of its replicas could be read: another may have taken over since", v.Engine, told.Lvol.Name, told.Node, told.Name.Epoch)
}

// engines are all that serve the volume, each with its legs.
func (s *Snapshot) engines(inc *Incarnation, q Question, top lineage.Epoch) []Verdict {
	var engines []Verdict
	for _, m := range inc.Raids {
		if m.Raid.State != "online" || !slices.ContainsFunc(m.Raid.Legs, func(l Leg) bool { return l.Configured }) {
			continue // it is about to end
		}
		e := Verdict{Top: top, Engine: m.Node, Device: m.Raid.Name, Slots: len(m.Raid.Legs)}
		for _, l := range m.Raid.Legs {
			if l.Configured && (m.Raid.Rebuilding == "" || l.Base != m.Raid.Rebuilding) {
				s.addLeg(inc, q.Cluster, &e, l.UUID)
			}
		}
		e.order()
		e.Legs = s.reachable(e)
		e.Legs = e.counted()
		engines = append(engines, e)
	}
	seen := map[string]bool{}
	lone := func(n lineage.Node, device string) {
		leg := s.Nodes[n].Backing(device)
		if key := string(n) + " " + string(leg); leg != "" && !seen[key] {
			seen[key] = true
			e := Verdict{Top: top, Engine: n, Device: device, Slots: 1}
			s.addLeg(inc, q.Cluster, &e, leg)
			engines = append(engines, e)
		}
	}
	for _, x := range inc.Exports {
		lone(x.Node, x.Device)
	}
	for _, c := range inc.Ciphers {
		lone(c.Node, c.Base)
	}
	for _, m := range inc.Laid {
		lone(m.Node, s.Nodes[m.Node].partIn(m.Raid, inc.Volume))
	}
	return engines
}

// counted leaves out the legs whose heads could not be read when there are
// more legs than the engine's heads name: one of them is just joining, and it
// is not known which.
func (v *Verdict) counted() []CurrentLeg {
	named, epoch := 0, v.epoch()
	for _, l := range v.Legs {
		if l.Head != nil && l.Head.Name.Epoch == epoch {
			named = max(named, l.Head.Name.Legs)
		}
	}
	if named == 0 || len(v.Legs) <= named {
		return v.Legs
	}
	return slices.DeleteFunc(slices.Clone(v.Legs), func(l CurrentLeg) bool { return l.Head == nil })
}

// reachable leaves out the legs on peers that the engine has given up: their
// I/O fails, if it ends at all. When no other leg is left, all stay.
func (s *Snapshot) reachable(e Verdict) []CurrentLeg {
	at := s.Nodes[e.Engine]
	givenUp := func(l CurrentLeg) bool {
		r := at.Remotes[l.UUID]
		return r != nil && at.Controllers[r.Controller] != nil && at.Controllers[r.Controller].GivenUp()
	}
	if !slices.ContainsFunc(e.Legs, givenUp) {
		return e.Legs
	}
	if legs := slices.DeleteFunc(slices.Clone(e.Legs), givenUp); len(legs) > 0 {
		return legs
	}
	return e.Legs
}

// local is the engine's own leg, or nil: it is told of an epoch first, once
// hosts are served. One that is fenced is about to go and tells nothing. Of two, in pools
// between which a replica moves, it is the one whose name tells most.
func (v *Verdict) local() (own *Head) {
	for _, l := range v.Legs {
		if l.Node == v.Engine && l.Head != nil && l.Head.Name.Mark != lineage.Fenced && (own == nil || l.Head.Newer(*own)) {
			own = l.Head
		}
	}
	return own
}

// epoch is the one the engine is at: its own leg's, else the highest of its legs.
func (v *Verdict) epoch() lineage.Epoch {
	if h := v.local(); h != nil {
		return h.Name.Epoch
	}
	var e lineage.Epoch
	for _, l := range v.Legs {
		if l.Head != nil && l.Head.Name.Mark != lineage.Fenced {
			e = max(e, l.Head.Name.Epoch)
		}
	}
	return e
}

// robbed reports whether another engine has opened one of the legs since: then
// they need not be equal, whichever of them is the one to believe.
func (v *Verdict) robbed() bool {
	own := v.local()
	return own != nil && slices.ContainsFunc(v.Legs, func(l CurrentLeg) bool {
		return l.Head != nil && l.Head.opened() && l.Head.Name.Epoch > own.Name.Epoch
	})
}

// Joined reports whether the head is complete, and was told of nothing since it joined: it
// stands on the layer that was cut for that, and its name has the epoch of it.
func (h *Head) Joined() bool {
	if h == nil || h.Name.Mark != lineage.Fenced || h.Name.Pledged || !h.Lvol.Complete() {
		return false
	}
	l, is := lineage.ParseLayer(h.Lvol.Parent)
	return is && l.Joint() && l.Epoch == h.Name.Epoch && l.Volume == h.Name.Volume
}

// opened reports whether the head was, or is, in use.
func (h *Head) opened() bool { return h.Name.Mark == lineage.Open || h.Name.Mark == lineage.Primary }

// announced reports whether the head was told of an epoch of a volume in use, before its
// engine entered that: hosts go on writing to it, so it is not drained, and equal to none.
func (h *Head) announced() bool { return h.Name.Mark == lineage.Sealed && h.Name.Wait }

// outrun reports whether a replica knows of a higher epoch than the engine, and
// of which: one that is none of its legs, or a leg that was opened by somebody
// else. An engine without a leg of its own may be ahead in one that cannot be
// read.
func (v *Verdict) outrun(inc *Incarnation) (lineage.Epoch, bool) {
	own, unread := v.local() != nil, false
	var newest lineage.Epoch
	for _, h := range inc.Heads {
		leg := slices.ContainsFunc(v.Legs, func(l CurrentLeg) bool { return l.UUID == h.Lvol.UUID })
		if (!leg || own && h.opened()) && !inc.void(h, v.epoch()) {
			newest = max(newest, h.Name.Epoch)
		}
	}
	for _, a := range inc.Apart {
		leg := slices.ContainsFunc(v.Legs, func(l CurrentLeg) bool { return l.UUID == a.Lvol.UUID && l.Node == a.Node })
		if !leg {
			newest = max(newest, a.Name.Epoch)
		}
	}
	for _, l := range v.Legs {
		unread = unread || l.Head == nil
	}
	return newest, newest > v.epoch() && (own || !unread || newest-v.epoch() >= lineage.Forced/2)
}
