package watch

import (
	"context"

	"strata/lineage"
	"strata/lock"
	"strata/schema"
	"strata/spdk"
)

// A Leader lets one of several watches of a cluster work; the others stand by.
type Leader interface {
	// Lead waits until this watch has the seat. It is called anew when a term has
	// ended, and when the configuration or the connections are others. Why it waits it
	// tells standsBy, in words, when that is another reason than before. Its error is that
	// of ctx, or one that trying again may mend.
	Lead(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, standsBy func(why string)) (Term, error)
}

// Term is the time for which a watch has the seat.
type Term interface {
	// Lost is closed when the seat is, or may soon be, another's.
	Lost() <-chan struct{}
	// Check fails if the seat is, or may be, another's by now. It is asked before
	// nodes are locked, before every pass, and before every section that holds, copies,
	// reduces or destroys.
	Check(context.Context) error
	// Resign gives the seat back.
	Resign()
}

// Signer is a Term that is kept by signs of life on the nodes. They go out with pulses,
// as one round, for what is asked of a node by itself costs as much again.
type Signer interface {
	// Sign is a sign of life for a node, and whom to tell when it was answered; nil for none.
	Sign(lineage.Node) (*spdk.Req, func(context.Context))
}

// OnNodes is a Leader that needs nothing but the nodes: the seat is on them, beside
// the locks.
type OnNodes struct {
	Seat *lock.Seat
	// Lock is that of the watch's runs. While the watch stands by it learns who
	// holds locks, so as to know who has died by the time it has the seat.
	Lock *lock.Lock
}

// Lead waits until the seat is this watch's.
func (o OnNodes) Lead(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client, standsBy func(why string)) (Term, error) {
	o.Lock.Begin(cfg.Cluster, targets)
	seat := *o.Seat
	seat.StandingBy, seat.Tell = o.Lock.LookOn, standsBy
	t, err := seat.Lead(ctx, cfg.Cluster, targets)
	if err != nil {
		return nil, err // and no term, which a nil *lock.Term would be
	}
	return t, nil
}
