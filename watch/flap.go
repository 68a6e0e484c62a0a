package watch

import (
	"fmt"
	"slices"
	"time"

	"strata/lineage"
	"strata/state"
)

const (
	// flapWindow is in which a node that went so often is one that flaps.
	flapWindow = 10 * time.Minute
	flapTimes  = 3
	// holdFirst is how long a node that flaps must answer without a break; each time
	// it goes again that doubles.
	holdFirst = 30 * time.Second
	holdMost  = 10 * time.Minute
)

// node is what pulses have found of a node.
type node struct {
	heard  bool // at least once
	last   state.Beat
	silent bool
	err    error     // why it is
	since  time.Time // it is silent, or answers
	// lastHeard is when it was last heard, if it is silent; zero for never.
	lastHeard time.Time
	spared    time.Time // it was suspended until then
	// overdue is set once it was told that it has been suspended for as long as it may.
	overdue bool
	went    []time.Time // when it went, in flapWindow
	hold    time.Duration
	// loud is set while it is held down and nobody has seen to it that no host is offered
	// anything on it that is served elsewhere by now.
	loud bool
}

// goes takes note that the node does not answer any more, or that its target was
// started again, and not because somebody works on it.
func (n *node) goes(now time.Time) {
	n.went = slices.DeleteFunc(n.went, func(t time.Time) bool { return now.Sub(t) > flapWindow })
	n.went = append(n.went, now)
	if len(n.went) >= flapTimes {
		n.hold = min(holdFirst<<min(len(n.went)-flapTimes, 8), holdMost)
	}
}

// held is until when the node, which answers, is taken not to; zero if it is not.
func (n *node) held() time.Time {
	if n.hold == 0 || n.silent {
		return time.Time{}
	}
	return n.since.Add(n.hold)
}

// late is when the node has been silent for so long that what is on it is made
// elsewhere; zero while it answers.
func (n *node) late(after time.Duration) time.Time {
	if !n.silent {
		return time.Time{}
	}
	if n.spared.After(n.since) {
		return n.spared.Add(after)
	}
	return n.since.Add(after)
}

// why says why the node is not asked, for it does not answer, or is taken not to; ""
// if it is asked.
func (n *node) why() string {
	if n.silent {
		return "its target does not answer: " + n.err.Error()
	}
	if n.hold == 0 {
		return ""
	}
	return fmt.Sprintf("it came and went %d times within %v, and counts as away until it has answered for %v without a break", len(n.went), flapWindow, n.hold)
}

// loud are the nodes that are held down, answer, and have not been looked at for what is not
// to wait until they stay (recipe.Quiet): nil where the last run was for that.
func (h *hub) loud() map[lineage.Node]bool {
	all := map[lineage.Node]bool{}
	for name, n := range h.nodes {
		if n.loud && !n.silent && !h.hushed {
			all[name] = true
		}
	}
	h.hushed = len(all) > 0
	return all
}

// quieted takes note of what a run came to that was for that. What it could not do is tried
// again after the next, for which there is a reason in any case.
func (h *hub) quieted(e ended) {
	if len(e.opt.Plan.Quiet) == 0 {
		return
	}
	h.because("what is held down was looked at alone")
	if e.err != nil || e.result.Stopped || len(e.result.Failures) > 0 {
		return
	}
	for name := range e.opt.Plan.Quiet {
		if n, at := h.nodes[name], e.result.Snapshot.Nodes[name]; n != nil && at != nil && at.Unknown == "" {
			n.loud = false
		}
	}
}
