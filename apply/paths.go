package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// pathTimeout is how long hosts are waited for that come back to a node by themselves: its
// target may just have been started again. The step is tried twice, and Linux tries
// every 10 s.
const pathTimeout = 6 * time.Second

// backTimeout is how long it takes until all hosts are connected again that have lost an
// export's listener, and know what is there: Linux tries every 10 s. One that comes back
// believes for a moment that its disk is there still, and has an error of I/O that it
// sends there when it has no other path just then.
const backTimeout = 12 * time.Second

// opened is when this run has begun to listen for exports.
type opened struct{ times sync.Map } // by node and NQN

type openedKey struct {
	node lineage.Node
	nqn  lineage.NQN
}

// listen begins to listen for a subsystem.
func (c *caller) listen(ctx context.Context, t *spdk.Client, op plan.ListenerAdd) error {
	err := t.ListenerAdd(ctx, spdk.ListenerAdd{NQN: string(op.NQN), Address: address(op.Portal()), ANAState: accessible(op.Standby), Secure: op.TLS})
	if err == nil {
		c.opened.times.Store(openedKey{op.Node, op.NQN}, time.Now())
	}
	return err
}

// settled waits until hosts that had lost a node's listener before this run made it again
// have come back.
func (c *caller) settled(ctx context.Context, node lineage.Node, nqn lineage.NQN) error {
	at, is := c.opened.times.Load(openedKey{node, nqn})
	if !is {
		return nil
	}
	left := time.Until(at.(time.Time).Add(backTimeout))
	c.events.delayed(Delay{node, left, fmt.Sprintf("hosts are given %v until they have found the path to %s again, where this run has begun to listen: %s", backTimeout, node, nqn)})
	return sleep(ctx, left)
}

// expectPaths fails when a host has a path to one node only, and goes on having no other.
func (c *caller) expectPaths(ctx context.Context, t *spdk.Client, op plan.ExpectPaths) error {
	also := c.targets[op.Also]
	if also == nil {
		return fmt.Errorf("there is no connection to %s", op.Also)
	}
	for _, n := range []lineage.Node{op.Node, op.Also} {
		if err := c.settled(ctx, n, op.NQN); err != nil {
			return err
		}
	}
	var alone []string
	for until := time.Now().Add(pathTimeout); ; {
		here, err := connectedTo(ctx, t, string(op.NQN))
		if err != nil || len(here) == 0 {
			return err
		}
		there, err := connectedTo(ctx, also, string(op.NQN))
		if err != nil {
			return fmt.Errorf("on %s: %w", op.Also, err)
		}
		alone = slices.DeleteFunc(here, func(h string) bool { return slices.Contains(there, h) })
		if len(alone) == 0 {
			return nil
		}
		if time.Now().After(until) {
			break
		}
		if err := sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s has no path to %s, and would be left without its disk: let it connect to %s first, as strata status says, or take standby out of the export of the volume",
		strings.Join(alone, ", "), op.Also, op.Also)
}

// connectedTo are the hosts that are connected to a subsystem, each once.
func connectedTo(ctx context.Context, t *spdk.Client, nqn string) (hosts []string, err error) {
	var all []spdk.Connected
	if err := roundErr(ctx, t, spdk.GetConnected(nqn, &all)); err != nil {
		return nil, err
	}
	for _, h := range all {
		hosts = append(hosts, h.HostNQN)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}
