package main

import (
	"fmt"
	"sync"
	"time"

	"strata/amount"
	"strata/apply"
	"strata/plan"
	"strata/report"
	"strata/schema"
)

// overall is how far all copying is that a run was found to have to do.
type overall struct {
	rate report.Rate

	mu    sync.Mutex
	total int64            // bytes; 0: it is not known
	done  int64            // bytes, of copies that have ended
	hand  map[string]int64 // by the keys of copies
}

// foresee has the copying of the whole plan told before anything is done, if there are moves
// for which it is worth to make a whole plan, or one is made anyway. Later plans are only of what
// comes next.
func foresee(opt *apply.Options, cfg *schema.Config, tell func(bytes int64)) {
	moves := len(opt.Plan.Wishes) > 0
	for _, n := range cfg.Nodes {
		moves = moves || n.Drain
	}
	vet := opt.Vet
	if !moves && vet == nil && opt.Confirm == nil && opt.Saved == nil {
		return
	}
	opt.Vet = func(p *plan.Plan) error {
		tell(p.Totals().CopyBytes)
		if vet != nil {
			return vet(p)
		}
		return nil
	}
}

// foreseen takes note of how much is to be copied, until something is.
func (o *overall) foreseen(bytes int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hand == nil {
		o.total = bytes
	}
}

// copying takes note of a copy's progress, and returns how much is copied in all; a total of
// 0 is not known.
func (o *overall) copying(at apply.Copy, now time.Time) (copied, total int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hand == nil {
		o.hand = map[string]int64{}
	}
	o.hand[at.Key] = at.Bytes(at.Copied)
	return o.sum(now)
}

// over takes note that a copy has ended, well or not.
func (o *overall) over(c apply.Copy, well bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hand == nil {
		o.hand = map[string]int64{}
	}
	delete(o.hand, c.Key)
	if well {
		o.done += c.Size
	}
	o.sum(now)
}

func (o *overall) sum(now time.Time) (copied, total int64) {
	copied = o.done
	for _, bytes := range o.hand {
		copied += bytes
	}
	o.rate.Tell(report.Progress{Copied: copied, Total: max(o.total, copied), Cluster: 1}, now)
	return copied, o.total
}

// words say how far it is.
func (o *overall) words(copied, total int64, now time.Time) string {
	return fmt.Sprintf("in all %s of %s copied (%d%%), %s", amount.About(copied), amount.About(total), 100*min(copied, total)/total, o.rate.Going(now))
}
