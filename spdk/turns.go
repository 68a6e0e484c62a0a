package spdk

import (
	"context"
	"sync"
	"time"
)

// turns lets few calls be under way at a time: so many of each kind that all
// fit into the backlog of SPDK's proxy, which is 5.
type turns struct {
	ordinary chan struct{}
	hurried  chan struct{} // whose callers have a deadline: hosts may be waiting
	patient  chan struct{} // which may take longer than others
	mu       sync.Mutex
	line     *line
}

// line is all who wait for a turn now.
type line struct {
	away chan struct{} // closed: none of them gets it
	err  error
}

func newTurns() turns {
	return turns{
		ordinary: make(chan struct{}, 2), hurried: make(chan struct{}, 2), patient: make(chan struct{}, 2),
		line: &line{away: make(chan struct{})},
	}
}

// of is the kind of a call.
func (t *turns) of(ctx context.Context, r *Req, usual time.Duration) chan struct{} {
	switch _, hurried := ctx.Deadline(); {
	case hurried:
		return t.hurried
	case r.Timeout > usual:
		return t.patient
	}
	return t.ordinary
}

// take waits for a turn, which must be given back.
func (t *turns) take(ctx, closing context.Context, kind chan struct{}) error {
	t.mu.Lock()
	l := t.line
	t.mu.Unlock()
	select {
	case kind <- struct{}{}:
	case <-l.away:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	case <-closing.Done():
		return errClientClosed
	}
	// The turn may have come together with a reason not to take it.
	var err error
	select {
	case <-l.away:
		err = l.err
	default:
		if err = ctx.Err(); closing.Err() != nil {
			err = errClientClosed
		}
	}
	if err != nil {
		t.give(kind)
	}
	return err
}

func (t *turns) give(kind chan struct{}) { <-kind }

// sendAway ends the wait of all who wait now.
func (t *turns) sendAway(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line.err = err
	close(t.line.away)
	t.line = &line{away: make(chan struct{})}
}
