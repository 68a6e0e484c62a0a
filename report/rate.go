package report

import (
	"fmt"
	"sync"
	"time"

	"strata/amount"
)

const (
	// rateWindow is over how long the rate of a copy is taken. One that moves
	// less often than that is measured from when it moved last before.
	rateWindow = 30 * time.Second
	// idleAfter is how long a copy may stand still before that is said, if it
	// is not usual for it: a slow one takes that long for a cluster.
	idleAfter = 10 * time.Second
)

// Rate says how fast a copy goes. It is asked and told at the same time.
type Rate struct {
	mu    sync.Mutex
	at    Progress
	moves []move // the oldest is the last before rateWindow, if there is one
}

// Progress is how far a copy is.
type Progress struct {
	Copied, Total int64 // clusters
	Cluster       int64 // bytes
}

// move is when a copy was first seen to have so many clusters.
type move struct {
	when   time.Time
	copied int64
}

// Tell takes note of how far the copy is.
func (p *Rate) Tell(at Progress, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
	n := len(p.moves)
	if n > 0 && p.moves[n-1].copied > at.Copied {
		p.moves, n = nil, 0 // it was begun again
	}
	if n == 0 || p.moves[n-1].copied != at.Copied {
		p.moves = append(p.moves, move{now, at.Copied})
	}
	for len(p.moves) > 2 && now.Sub(p.moves[1].when) >= rateWindow {
		p.moves = p.moves[1:]
	}
}

// Going says how fast the copy goes and how long it may still take; of one that
// stands still, for how long it has.
func (p *Rate) Going(now time.Time) string {
	perSecond, idle := p.perSecond(now)
	switch {
	case idle > 0:
		return "has not moved for " + idle.Truncate(time.Second).String()
	case perSecond == 0:
		return "begun"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.moves[len(p.moves)-1]
	return fmt.Sprintf("%s/s, %s left", amount.About(int64(perSecond*float64(p.at.Cluster))), remaining(float64(p.at.Total-last.copied)/perSecond))
}

// perSecond is how many clusters are copied in a second, 0 where that is not known
// yet; of a copy that stands still, for how long it has.
func (p *Rate) perSecond(now time.Time) (clusters float64, standing time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.moves) == 0 {
		return 0, 0
	}
	first, last := p.moves[0], p.moves[len(p.moves)-1]
	idle, done := now.Sub(last.when), last.copied-first.copied
	usual := last.when.Sub(first.when) / time.Duration(max(done, 1))
	if idle >= max(idleAfter, 2*usual) {
		return 0, idle
	}
	if done == 0 {
		return 0, 0
	}
	// The cluster in hand makes a copy slower once it takes longer than usual.
	took := last.when.Sub(first.when) + max(0, idle-usual)
	return float64(done) / max(took.Seconds(), 0.001), 0
}

// remaining is a time in seconds that somebody has to wait.
func remaining(seconds float64) string {
	if days := seconds / (24 * 60 * 60); days >= 100 {
		return "more than 100 days"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
