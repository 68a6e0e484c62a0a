package apply

import (
	"maps"
	"slices"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
	"strata/state"
)

// Patience has since when peers are gone whose links wait, and for how long they are
// waited for. A link counts from when the look began that first found it so, but from
// no more than foundLate before it was found; one that is found
// well begins anew, and so does one to or from a node that was suspended, when the
// configuration says so no more. The zero value knows of none. Runners that follow on one another
// share one, if nobody else has had the nodes for long; they, and Next, are not to be
// called at the same time.
type Patience struct {
	cfg   *schema.Config // of the Runner that uses it
	gone  map[lineage.Link]absence
	waits []state.Waiting // at the last look
	told  []lineage.Link  // somebody was told of these
	// silent has since when nodes do not answer from which another may take over.
	silent map[lineage.Node]silence
}

// absence is of one peer.
type absence struct {
	since  time.Time
	bound  time.Duration // how long it is waited for
	hung   bool          // it hung when it was last looked at
	held   bool          // a node of it was suspended when it was last looked at
	proven time.Time     // from then on it cannot be one that vanished
	over   bool          // it was waited for no more by the last look
}

// hangs is how long a peer that does not answer may be one that vanished, and whose
// packets are not missed yet: the link is not told apart from that to one that hangs.
// With transportAckTimeout 10 that takes 1 s, and twice as long for each more.
func hangs(l schema.Links) time.Duration {
	if l.TransportAckTimeout == 0 {
		return l.Patience() // the target does not miss packets for a quarter of an hour
	}
	return min(l.Patience(), max(2*time.Second, 2*(time.Millisecond<<l.TransportAckTimeout)))
}

// foundLate bounds how long before the end of a look what it found may have been so.
const foundLate = time.Second

// look takes note of which links wait by a look that has ended now, and says of each
// whether its peer is waited for.
func (p *Patience) look(waits []state.Waiting, began, now time.Time) map[lineage.Link]plan.Peer {
	before := p.gone
	p.gone = map[lineage.Link]absence{}
	peers := map[lineage.Link]plan.Peer{}
	for _, w := range waits {
		a, known := before[w.Link]
		if !known {
			a = absence{since: began}
			if bound := now.Add(-foundLate); began.Before(bound) {
				a.since = bound
			}
		}
		suspended, over := p.suspended(w.Link)
		if a.held && !suspended && !over {
			a.since, a.hung, known = now, false, false // from here on it is waited for as any other
		}
		if a.held = suspended; suspended {
			p.gone[w.Link] = a
			continue // the plan waits, and nobody else need
		}
		if a.hung = w.Hung; w.Hung && (!known || !before[w.Link].hung) {
			a.proven = now.Add(hangs(p.cfg.Links))
		}
		a.bound = p.bound(w)
		if peers[w.Link], a.over = plan.PeerWaits, !now.Before(p.until(a)); a.over {
			peers[w.Link] = plan.PeerOver
		}
		p.gone[w.Link] = a
	}
	return peers
}

// bound is how long a peer is waited for. One that a target should give up by itself is, until it
// is certain that this does not happen: it looks at the time only between two tries.
func (p *Patience) bound(w state.Waiting) time.Duration {
	if loss := p.cfg.Links.CtrlrLossTimeoutSec; !w.Link.Wait && w.State != "enabled" && loss > 0 {
		return time.Duration(loss)*time.Second + busyTimeout
	}
	return p.cfg.Links.Patience()
}

// suspended reports whether a node of a link is suspended, or that of the peer is no more
// because it has been for as long as it may.
func (p *Patience) suspended(l lineage.Link) (is, over bool) {
	from := p.cfg.Node(l.From)
	return p.cfg.Suspended(l.From) || p.cfg.Suspended(l.To), from != nil && from.Suspend != nil && from.Suspend.Over
}

// tell says which peers are waited for, unless that was said.
func (p *Patience) tell(told func([]state.Waiting)) {
	var links []lineage.Link
	var waits []state.Waiting
	for _, w := range p.waits {
		if a := p.gone[w.Link]; !a.held && p.until(a).After(time.Now()) {
			links, waits = append(links, w.Link), append(waits, w)
		}
	}
	if told != nil && len(waits) > 0 && !slices.Equal(links, p.told) {
		told(waits)
	}
	p.told = links
}

// until is when a peer is waited for no more.
func (p *Patience) until(a absence) time.Time {
	end := a.since.Add(a.bound)
	if a.hung && a.proven.Before(end) {
		return a.proven
	}
	return end
}

// Next is how long it takes until the next peer is waited for no more, 0 when that is so
// only since the last look; false when none is waited for.
func (p *Patience) Next(now time.Time) (time.Duration, bool) {
	var ends []time.Duration
	for a := range maps.Values(p.gone) {
		if !a.over && !a.held {
			ends = append(ends, max(0, p.until(a).Sub(now)))
		}
	}
	for s := range maps.Values(p.silent) {
		if !s.over {
			ends = append(ends, p.listen(s, now))
		}
	}
	if len(ends) == 0 {
		return 0, false
	}
	return slices.Min(ends), true
}
