// Package watch keeps nodes as they are configured: it says when to look again, and
// nothing else. What is to be done, and whether it may be, packages plan and apply
// say; a Runner of apply does it. It remembers nothing that a restart would miss.
//
// One goroutine (hub.go) has all that is known and decides; the rest tell it: that the
// files have changed (edits.go), what the pulse of a node finds (pulse.go), how the run
// in hand has ended (run.go), and that a time has come (due.go).
package watch

import (
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/schema"
	"strata/spdk"
)

// Options of a watch.
type Options struct {
	// Load reads the configuration, and says of which files, also with an error.
	Load func() (*schema.Config, *schema.Sources, error)
	// Connect makes a client of a node; it need not connect. The client is closed
	// when the node leaves the configuration, or is reached in another way.
	Connect func(*schema.Node) (*spdk.Client, error)
	// Prepare has what a run needs beside what the watch adds: duties, lock, guard,
	// parallelism, rules, and a nonce if that is not to be drawn. It is called for
	// every run.
	Prepare func(*schema.Config) (apply.Options, error)
	// Every is how long nothing is looked at when nothing happens.
	Every time.Duration
	// Leader gives the seat to one of several watches; nil: there is one only.
	Leader Leader
	// Polls has the files looked at from time to time; else the system is asked to
	// tell when they change.
	Polls bool
	// Observe is told of all that happens, one thing at a time; nil for nobody.
	Observe func(Event)
	// Alive is called whenever the watch has taken an event, and at least once a second;
	// nil for nobody. Where it is not called for long, the watch hangs.
	Alive func()
	// Stop, when closed, ends the watch after the steps in hand and after any
	// section that holds hosts' I/O.
	Stop <-chan struct{}
	// Hangup asks for the configuration to be read again, and for a look: what was
	// given up is tried again.
	Hangup <-chan struct{}
}

const (
	// beatEvery is how often each node is asked for its pulse.
	beatEvery = time.Second
	// turnEvery is how often Options.Alive is called where nothing happens.
	turnEvery = time.Second
)

// clients are the connections to the nodes of a configuration.
type clients struct {
	connect func(*schema.Node) (*spdk.Client, error)
	targets map[lineage.Node]*spdk.Client
	reached map[lineage.Node]schema.Node // how
}

// adopt keeps the clients of nodes that are reached as before, makes those that are
// missing, and closes the rest. With an error everything is as it was.
func (c *clients) adopt(cfg *schema.Config) error {
	targets, reached := map[lineage.Node]*spdk.Client{}, map[lineage.Node]schema.Node{}
	var made []*spdk.Client
	for _, n := range cfg.Nodes {
		reached[n.Name] = wayTo(n)
		if old := c.targets[n.Name]; old != nil && sameWay(c.reached[n.Name], reached[n.Name]) {
			targets[n.Name] = old
			continue
		}
		t, err := c.connect(n)
		if err != nil {
			for _, t := range made {
				t.Close()
			}
			return err
		}
		targets[n.Name] = t
		made = append(made, t)
	}
	for name, old := range c.targets {
		if targets[name] != old {
			old.Close()
		}
	}
	c.targets, c.reached = targets, reached
	return nil
}

// wayTo is how a node is reached.
func wayTo(n *schema.Node) schema.Node { return schema.Node{RPC: n.RPC, SSH: n.SSH, HTTP: n.HTTP} }

// sameWay reports whether a node is reached as before.
func sameWay(a, b schema.Node) bool {
	same := func(a, b any) bool { return a == b }
	if (a.SSH == nil) != (b.SSH == nil) || (a.HTTP == nil) != (b.HTTP == nil) {
		return false
	}
	return a.RPC == b.RPC && (a.SSH == nil || same(*a.SSH, *b.SSH)) && (a.HTTP == nil || same(*a.HTTP, *b.HTTP))
}

func (c *clients) close() {
	for _, t := range c.targets {
		t.Close()
	}
}
