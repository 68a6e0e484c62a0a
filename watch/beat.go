package watch

import (
	"fmt"
	"time"
)

// beat takes note of what the pulse of a node found.
func (h *hub) beat(b beat) {
	n := h.nodes[b.node]
	if n == nil {
		return // it has left the configuration
	}
	now, was := time.Now(), n.last
	switch {
	case b.err != nil && n.silent:
		return
	case b.err != nil:
		if n.heard && !h.suspends(b.node) {
			n.goes(now)
		}
		n.silent, n.err, n.since, n.lastHeard = true, b.err, now, b.heard
		h.tell(Silent{Node: b.node, Err: b.err})
		h.look(fmt.Sprintf("%s does not answer any more", b.node), false)
	case !n.heard || n.silent:
		away, restarted := time.Duration(0), n.heard && b.is.PID != was.PID
		if n.silent {
			away = now.Sub(n.since)
		}
		first := !n.heard && !n.silent
		n.heard, n.silent, n.since, n.last = true, false, now, b.is
		h.trouble.about(b.node)
		if first {
			return // the look that the watch begins with has seen it
		}
		h.tell(Back{Node: b.node, Away: away, Restarted: restarted})
		h.heldDown(b, n)
		h.look(fmt.Sprintf("%s answers again", b.node), false)
	case b.is.PID != was.PID:
		if !h.suspends(b.node) {
			n.goes(now)
		}
		n.since, n.last = now, b.is
		h.trouble.about(b.node)
		h.tell(Back{Node: b.node, Restarted: true})
		h.heldDown(b, n)
		h.look(fmt.Sprintf("the target of %s was started again", b.node), false)
	case b.is != was:
		n.last = b.is
		h.tell(Changed{Node: b.node})
		h.look(fmt.Sprintf("something has changed on %s", b.node), true)
	}
}

func (h *hub) heldDown(b beat, n *node) {
	if n.loud = n.hold > 0; n.loud {
		h.tell(HeldDown{Node: b.node, Times: len(n.went), For: n.hold})
	}
}

// look has everything looked at. Of changes, which a run makes itself, the run in hand
// sees to that; where they lead to nothing again and again, they wait a while.
func (h *hub) look(why string, change bool) {
	if h.run != nil {
		if h.run.again(h.unread(h.run), h.silences()); change {
			return
		}
		if len(h.trouble) > 0 || len(h.run.skipped) > 0 {
			h.run.end() // what was given up may be possible now
		}
	}
	if h.because(why); !change {
		h.wait, h.fruitless = time.Time{}, 0
		return
	}
	if now := time.Now(); h.run == nil && !now.Before(h.wait) {
		if now.Sub(h.looked) > time.Minute {
			h.fruitless = 0
		}
		if h.fruitless++; h.fruitless > fruitlessMost {
			h.wait = now.Add(min(time.Second<<min(h.fruitless-fruitlessMost, 5), 15*time.Second))
		}
	}
}

// fruitlessMost is how many runs that change nothing follow on one another at once.
const fruitlessMost = 5
