package watch

import (
	"context"
	"time"
)

// lead reports whether this watch has the seat, and waits for it in the background
// if it has not.
func (h *hub) lead(ctx context.Context) bool {
	switch {
	case h.opt.Leader == nil:
		return true
	case h.term != nil:
		return true
	case h.leading != nil:
		return false
	}
	if h.next != nil && h.adopt(ctx) != nil && h.cfg == nil {
		return false
	}
	ctx, h.leading = context.WithCancel(ctx)
	cfg, targets := h.cfg, h.targets
	go func() {
		term, err := h.opt.Leader.Lead(ctx, cfg, targets)
		h.seats <- seat{term, err}
	}()
	return false
}

// seated takes note of what came of waiting for the seat.
func (h *hub) seated(s seat) {
	h.leading()
	h.leading = nil
	if s.err != nil {
		h.tell(Told{"the seat cannot be had: " + s.err.Error()})
		h.wait = time.Now().Add(time.Second)
		return
	}
	h.term = s.term
	h.tell(Seated{Leads: true})
	h.because("this watch has the seat")
}

// deposed ends the run in hand: the seat is another's.
func (h *hub) deposed() {
	h.term, h.settled = nil, nil
	h.tell(Seated{Leads: false})
	h.because("the seat was lost") // which has it be waited for
	if h.run != nil {
		h.run.end()
	}
}
