// Package fence switches nodes off, by the fence agents that ClusterLabs' Pacemaker
// uses, or programs that do as they do. It believes none of them that a node is off but
// by what the agent says when it is asked afterwards. When a node is to be switched off,
// others decide.
package fence

import (
	"context"
	"fmt"
	"time"

	"strata/lineage"
	"strata/program"
	"strata/schema"
)

// An Agent is the fence agent of a node. Every one of its methods ends within the
// timeout that is configured, and leaves nothing of the agent running.
type Agent struct {
	Node  lineage.Node
	Fence *schema.Fence
	// Secret reads a secret from where the configuration says that it is; it is called
	// whenever the agent is, so that one may be changed meanwhile.
	Secret func(context.Context, schema.Secret) (string, error)
}

// Power is whether a node has any.
type Power int

// What an agent says of it.
const (
	Unknown Power = iota
	On
	Off
)

func (p Power) String() string { return [...]string{"unknown", "on", "off"}[p] }

// Evidence is that a node was off.
type Evidence struct {
	Node  lineage.Node
	Agent string    // as it is called
	At    time.Time // when it said so
	How   string    // what came before, in words
}

func (e Evidence) String() string {
	return fmt.Sprintf("%s said at %s that %s is off; %s", e.Agent, e.At.UTC().Format(time.RFC3339), e.Node, e.How)
}

// askAgain is how long after a status the next one is asked for.
const askAgain = time.Second

// Off switches the node off, unless it is off already, and waits until the agent says
// that it is. An error is that nobody knows that; the node may be off all the same.
func (a *Agent) Off(ctx context.Context) (Evidence, error) {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	if err := a.suits(ctx); err != nil {
		return Evidence{}, fmt.Errorf("nothing was switched off: %w", err)
	}
	power, err := a.status(ctx)
	switch {
	case err != nil:
		return Evidence{}, fmt.Errorf("nothing was switched off: %w", err)
	case power == Off:
		return a.evidence("so it was when it was first asked"), nil
	}
	off, err := a.ask(ctx, actionOff)
	if err != nil {
		return Evidence{}, fmt.Errorf("it is not known to be off: %w", err)
	}
	return a.confirmed(ctx, off)
}

// confirmed waits until the agent says that the node is off, after what it answered to
// being told to switch it off.
func (a *Agent) confirmed(ctx context.Context, off answer) (Evidence, error) {
	var why error
	for ctx.Err() == nil {
		power, err := a.status(ctx)
		switch {
		case err == nil && power == Off:
			return a.evidence("it had been switched off just before"), nil
		case err == nil && off.code != 0:
			return Evidence{}, fmt.Errorf("it is on: %w", off.failure())
		case err == nil:
			why = fmt.Errorf("%s: it says that it has switched the node off, and when asked that it is on, still after %v", a.Fence.Agent(), a.Fence.Timeout())
		case why == nil || ctx.Err() == nil:
			why = err
		}
		wait(ctx, askAgain)
	}
	return Evidence{}, fmt.Errorf("it is not known to be off: %w", why)
}

// Check asks the agent whether it works and whether the node has power, and switches
// nothing.
func (a *Agent) Check(ctx context.Context) (Power, error) {
	ctx, cancel := a.limited(ctx)
	defer cancel()
	if err := a.suits(ctx); err != nil {
		return Unknown, err
	}
	power, err := a.status(ctx)
	if err != nil {
		return Unknown, err
	}
	works, err := a.ask(ctx, actionMonitor)
	switch {
	case err != nil:
		return Unknown, err
	case works.code == 0, works.code == exitOff && power == Off: // as an agent of a single machine may say
		return power, nil
	}
	return Unknown, works.failure()
}

// status is what the agent says of the node's power.
func (a *Agent) status(ctx context.Context) (Power, error) {
	said, err := a.ask(ctx, actionStatus)
	switch {
	case err != nil:
		return Unknown, err
	case said.code == exitOn:
		return On, nil
	case said.code == exitOff:
		return Off, nil
	}
	return Unknown, said.failure()
}

func (a *Agent) evidence(how string) Evidence {
	return Evidence{Node: a.Node, Agent: a.Fence.Agent(), At: time.Now(), How: how}
}

func (a *Agent) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.Fence.Timeout(), program.ErrTimeout)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
