package watch

import (
	"context"
	"time"

	"strata/apply"
)

// seat is what came of waiting for the seat, or of giving it back.
type seat struct {
	term Term // nil for neither
	err  error
}

// lead reports whether this watch has the seat, and waits for it in the background
// if it has not. A term is of the connections that it began with: for others the
// seat is given back, and asked for again.
func (h *hub) lead(ctx context.Context) bool {
	switch {
	case h.opt.Leader == nil:
		return true
	case h.leading != nil:
		if h.next != nil {
			h.leading() // nothing is waited for with what is to be in force no more
		}
		return false
	case h.term != nil && !h.moves():
		return true
	}
	waiting, cancel := context.WithCancel(ctx)
	h.leading = cancel
	if h.term != nil {
		h.unseat()
		return false
	}
	if h.adopt(ctx) != nil && h.cfg == nil { // pulses go on when the wait ends
		h.leading()
		h.leading = nil
		return false
	}
	cfg, targets := h.cfg, h.targets
	go func() {
		term, err := h.opt.Leader.Lead(waiting, cfg, targets, h.standsBy)
		h.seats <- seat{term, err}
	}()
	return false
}

// standsBy tells why this watch waits for the seat, when that is another reason than before.
func (h *hub) standsBy(why string) {
	if h.stands.Swap(why) != why {
		h.tell(StandsBy{why})
	}
}

// moves reports whether the configuration that is to be in force reaches other nodes,
// or some in another way.
func (h *hub) moves() bool {
	if h.next == nil {
		return false
	}
	for _, n := range h.next.Nodes {
		if was, known := h.reached[n.Name]; !known || !sameWay(was, wayTo(n)) {
			return true
		}
	}
	return len(h.next.Nodes) != len(h.reached)
}

// seated takes note of what came of waiting for the seat.
func (h *hub) seated(ctx context.Context, s seat) {
	h.leading()
	h.leading = nil
	switch {
	case s.term != nil:
		h.term = s.term
		h.pulses.sign(s.term)
		h.stands.Store("")
		h.tell(Seated{Leads: true})
		h.because("this watch has the seat")
	case s.err != nil && h.next == nil && ctx.Err() == nil:
		h.standsBy("standing by: the seat cannot be had: " + s.err.Error())
		h.wait = time.Now().Add(time.Second)
	}
}

// deposed ends the run in hand: the seat is another's.
func (h *hub) deposed() {
	h.settled = nil
	h.peers = &apply.Patience{}    // another has the nodes for who knows how long
	h.because("the seat was lost") // which has it be waited for
	if h.run != nil {
		h.run.end()
	}
	_, h.leading = context.WithCancel(context.Background())
	h.unseat()
}

// unseat gives back what this watch has of the seat, in the background.
func (h *hub) unseat() {
	term := h.term
	h.term = nil
	h.pulses.sign(nil)
	h.tell(Seated{Leads: false})
	go func() {
		term.Resign()
		h.seats <- seat{}
	}()
}
