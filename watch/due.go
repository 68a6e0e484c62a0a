package watch

import (
	"fmt"
	"slices"
	"time"

	"strata/schema"
	"strata/state"
)

// due is when there is something to do although nothing happens.
func (h *hub) due(now time.Time) time.Time {
	if h.run == nil && len(h.reasons) > 0 {
		if now.Before(h.wait) {
			if !h.gone.IsZero() && h.gone.Before(h.wait) {
				return h.gone
			}
			return h.wait
		}
		return now.Add(h.opt.Every) // something else stands in the way
	}
	at := h.looked.Add(h.opt.Every)
	if h.run != nil {
		at = now.Add(h.opt.Every)
	}
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	sooner(h.gone)
	sooner(h.reread)
	// What came since it was last looked for, while something else was taken, is due now.
	sooner(h.trouble.next(h.checked))
	if h.cfg != nil {
		sooner(ends(h.cfg))
		sooner(scheduled(h.periods, h.checked))
		for _, t := range h.scrubs {
			if t.After(h.checked) {
				sooner(t)
			}
		}
		for _, n := range h.nodes {
			sooner(n.held())
			if late := n.late(h.replaceAfter()); h.checked.Before(late) {
				sooner(late)
			}
		}
	}
	return at
}

// come finds what has come due since it was last called. A run in hand ends for what
// it does not know of.
func (h *hub) come(now time.Time) {
	was := h.checked
	h.checked = now
	if h.cfg == nil {
		return
	}
	for key, t := range h.trouble {
		if !t.halted && t.until.After(was) && !t.until.After(now) {
			h.anew(fmt.Sprintf("%s is tried again", key))
		}
	}
	for name, n := range h.nodes {
		if held := n.held(); !held.IsZero() && !now.Before(held) {
			n.hold, n.loud = 0, false
			h.tell(Released{Node: name})
			h.look(fmt.Sprintf("%s is not held down any more", name), false)
		}
		if late := n.late(h.replaceAfter()); late.After(was) && !late.After(now) {
			h.anew(fmt.Sprintf("%s has been away for %v", name, h.replaceAfter()))
		}
	}
	h.suspendedFor(now)
	if at := scheduled(h.periods, was); !at.IsZero() && !at.After(now) {
		h.later("a snapshot is due", now)
	}
	if slices.ContainsFunc(h.scrubs, func(t time.Time) bool { return t.After(was) && !t.After(now) }) {
		h.later("layers are due to be compared", now)
	}
	if !h.gone.IsZero() && !now.Before(h.gone) {
		h.gone, h.wait = time.Time{}, time.Time{}
		h.because("a peer is waited for no more")
	}
	if !h.reread.IsZero() && !now.Before(h.reread) {
		h.reread = time.Time{}
		h.because("a node that answers could not be read")
	}
	if h.run == nil && now.Sub(h.looked) >= h.opt.Every {
		h.because(fmt.Sprintf("the last look was %v ago", h.opt.Every))
	}
}

// unreadable has nodes be read again soon that the last look could not read, although
// their pulse is heard: what is on them is not served meanwhile. Where it stays so the
// time in between doubles.
func (h *hub) unreadable(snap *state.Snapshot, now time.Time) {
	known, some := h.unread(nil), false
	if snap != nil {
		for name, n := range snap.Nodes {
			some = some || n.Unknown != "" && known[name] == "" && h.nodes[name] != nil
		}
	}
	h.reread = time.Time{}
	if !some {
		h.unreads = 0
		return
	}
	h.reread = now.Add(min(time.Second<<min(h.unreads, 6), h.opt.Every))
	h.unreads++
}

// anew gives a reason to look for which a run in hand ends.
func (h *hub) anew(why string) {
	h.settled = nil
	h.because(why)
	if h.run != nil {
		h.run.end()
	}
}

// later gives a reason to look that a run in hand takes up by itself, when it is told what
// time it is: what it copies into archives ends with it.
func (h *hub) later(why string, now time.Time) {
	h.settled = nil
	if h.run == nil || !h.run.until(now) {
		h.anew(why)
		return
	}
	h.run.again(h.unread(h.run), h.silences())
}

// periods are how often volumes have snapshots taken, in seconds, each once.
func periods(cfg *schema.Config) (all []int64) {
	for _, v := range cfg.Volumes {
		if v.Every > 0 && !slices.Contains(all, v.Every) {
			all = append(all, v.Every)
		}
	}
	return all
}

// scheduled is when the next snapshot on schedule falls due; zero for never.
func scheduled(periods []int64, now time.Time) (at time.Time) {
	for _, every := range periods {
		if t := time.Unix((now.Unix()/every+1)*every, 0); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}

// scrubs is when the next round of each volume is due that has its layers compared, as the
// nodes say when the last one began. Of one of which they do not it is due when it is seen.
func scrubs(cfg *schema.Config, seen *state.Snapshot) (all []time.Time) {
	if cfg == nil || seen == nil {
		return nil
	}
	last := seen.LastRounds()
	for _, v := range cfg.Volumes {
		if t := last[v.Name]; v.Scrub != nil && t > 0 {
			all = append(all, time.Unix(t+v.Scrub.Every, 0))
		}
	}
	return all
}
