package watch

import (
	"context"

	"strata/lineage"
	"strata/schema"
	"strata/spdk"
)

// A Leader lets one of several watches of a cluster work; the others stand by.
type Leader interface {
	// Lead waits until this watch has the seat. It is called anew when a term has
	// ended, and when the configuration or the connections are others. Its error is
	// that of ctx, or one that trying again may mend.
	Lead(ctx context.Context, cfg *schema.Config, targets map[lineage.Node]*spdk.Client) (Term, error)
}

// Term is the time for which a watch has the seat.
type Term interface {
	// Lost is closed when the seat is, or may soon be, another's.
	Lost() <-chan struct{}
	// Check fails if the seat is, or may be, another's by now. It is asked before
	// every section that holds, copies, reduces or destroys.
	Check(context.Context) error
	// Resign gives the seat back.
	Resign()
}
