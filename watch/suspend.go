package watch

import (
	"time"

	"strata/lineage"
	"strata/schema"
)

// count takes note of which nodes the configuration suspends, since when, and for which
// that is over, and tells of what is new. Since when is kept by nobody else: it is from
// when this watch has first read the word. What is in force says it, for those who plan.
func (h *hub) count(now time.Time) {
	if h.cfg == nil {
		return
	}
	for name := range h.suspended {
		if n := h.cfg.Node(name); n == nil || n.Suspend == nil {
			h.tell(Unsuspended{Node: name, After: now.Sub(time.Unix(h.suspended[name], 0))})
			delete(h.suspended, name)
			if at := h.nodes[name]; at != nil {
				at.spared, at.overdue = now, false
			}
		}
	}
	for _, n := range h.cfg.Nodes {
		if _, known := h.suspended[n.Name]; n.Suspend != nil && !known {
			h.suspended[n.Name] = now.Unix()
			h.tell(Suspended{Node: n.Name, Until: now.Add(time.Duration(n.Suspend.ForSec) * time.Second)})
		}
	}
	if len(h.suspended) == 0 {
		return
	}
	h.cfg = h.cfg.Counted(h.suspended, now.Unix())
	for _, n := range h.cfg.Nodes {
		if n.Suspend == nil {
			continue
		}
		at := h.nodes[n.Name]
		if n.Suspend.Over && !at.overdue {
			h.tell(SuspensionOver{Node: n.Name, For: time.Duration(n.Suspend.ForSec) * time.Second})
		}
		at.overdue = n.Suspend.Over // longer from now on, it may be once more
	}
}

// suspends reports whether the configuration in force suspends a node.
func (h *hub) suspends(n lineage.Node) bool { return h.cfg != nil && h.cfg.Suspended(n) }

// ends is when the next suspension has been for as long as it may; zero for never.
func ends(cfg *schema.Config) (at time.Time) {
	for _, n := range cfg.Nodes {
		if n.Suspend == nil || n.Suspend.Over || n.Suspend.Since == 0 {
			continue
		}
		if t := time.Unix(n.Suspend.Until(), 0); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	return at
}

// suspendedFor has the nodes be looked at that have been suspended for as long as they
// may.
func (h *hub) suspendedFor(now time.Time) {
	at := ends(h.cfg)
	if at.IsZero() || now.Before(at) {
		return
	}
	h.count(now)
	h.anew("a node has been suspended for as long as it may")
}
