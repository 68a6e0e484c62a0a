package schema

import (
	"fmt"
	"slices"
	"time"

	"cuelang.org/go/cue"

	"strata/lineage"
)

// Suspend has hosts wait for a node whose target is stopped and started again.
type Suspend struct {
	ForSec int64 // hosts wait no longer, in seconds
	// Since is when who counts that has begun to, in seconds since 1970; 0 where nobody
	// counts. Over is set once it has been for ForSec: the node is as any other then.
	Since int64 `json:",omitempty"`
	Over  bool  `json:",omitempty"`
}

// Until is when hosts wait no longer, in seconds since 1970; 0 where nobody counts.
func (s *Suspend) Until() int64 {
	if s.Since == 0 {
		return 0
	}
	return s.Since + s.ForSec
}

// Span is from when to when it is, in words.
func (s *Suspend) Span() string {
	if s.Since == 0 {
		return fmt.Sprintf("for %s at most under a watch, without one until you end it", s.For())
	}
	clock := func(sec int64) string { return time.Unix(sec, 0).UTC().Format(time.RFC3339) }
	return fmt.Sprintf("since %s, until %s at most", clock(s.Since), clock(s.Until()))
}

// For is how long it may be, in words.
func (s *Suspend) For() string {
	switch {
	case s.ForSec%3600 == 0:
		return fmt.Sprintf("%dh", s.ForSec/3600)
	case s.ForSec%60 == 0:
		return fmt.Sprintf("%dm", s.ForSec/60)
	}
	return fmt.Sprintf("%ds", s.ForSec)
}

const (
	defaultSuspendSec = 10 * 60
	minSuspend        = time.Second
	maxSuspend        = 24 * time.Hour
)

const wantMaintenance = `"suspend", "drain" or {suspend: for: "30m"}`

// maintenance reads what is done about a node that somebody works on.
func (s *spot) maintenance(n *Node) {
	if s == nil || !s.resolve() && s.value.Err() == nil {
		return
	}
	if s.value.Kind() != cue.StringKind {
		n.Suspend = s.suspend()
		return
	}
	switch word, _ := s.matching(wantMaintenance, func(t string) bool { return t == "suspend" || t == "drain" }); word {
	case "suspend":
		n.Suspend = &Suspend{ForSec: defaultSuspendSec}
	case "drain":
		n.Drain = true
	}
}

// suspend reads a suspension of which more is said than the word; nil for none.
func (s *spot) suspend() *Suspend {
	suspend := &Suspend{ForSec: defaultSuspendSec}
	o, ok := s.object(wantMaintenance)
	if !ok {
		return nil
	}
	o.only(maintenanceFields)
	f := o.required("suspend", `for: "30m"`)
	if f == nil {
		return nil
	}
	if o, ok = f.object(`a struct such as {for: "30m"}`); !ok {
		return nil
	}
	o.only(suspendFields)
	if d, ok := o.field("for").lasts(`a time in whole seconds from "1s" to "24h", such as "30m"`, minSuspend, maxSuspend, time.Second); ok {
		suspend.ForSec = int64(d / time.Second)
	}
	return suspend
}

// LosesReplicas says what becomes of replicas on a suspended node where links do not wait;
// "" where nothing does.
func (c *Config) LosesReplicas(n *Node) string {
	if !c.Suspended(n.Name) || c.Links.Wait() || len(n.Pools) == 0 {
		return ""
	}
	return fmt.Sprintf("replicas on %s of volumes that other nodes serve are lost when its target stops, and rebuilt afterwards, for links give a lost peer up; with links: loss: \"wait\" they would be kept, and hosts wait", n.Name)
}

// Suspended reports whether hosts wait for a node that somebody works on.
func (c *Config) Suspended(n lineage.Node) bool {
	conf := c.Node(n)
	return conf != nil && conf.Suspend != nil && !conf.Suspend.Over
}

// Suspending is the configuration with a node suspended, as by the word alone, if it is not
// already. It shares all else with the one that it is made of.
func (c *Config) Suspending(n lineage.Node) *Config {
	if c.Suspended(n) {
		return c
	}
	out := *c
	out.Nodes = slices.Clone(c.Nodes)
	for i, old := range out.Nodes {
		if old.Name == n {
			conf := *old
			conf.Suspend = &Suspend{ForSec: defaultSuspendSec}
			out.Nodes[i] = &conf
		}
	}
	return &out
}

// Drained reports whether no volume is to be served, or have a replica, on a node.
func (c *Config) Drained(n lineage.Node) bool {
	conf := c.Node(n)
	return conf != nil && conf.Drain
}

// Counted is the configuration for who counts how long nodes have been suspended: since
// says for each since when, in seconds since 1970, and for those that have been for so
// long as they may, it is over. It shares all else with the one that it is made of.
func (c *Config) Counted(since map[lineage.Node]int64, now int64) *Config {
	out := *c
	out.Nodes = slices.Clone(c.Nodes)
	for i, n := range out.Nodes {
		if n.Suspend == nil || since[n.Name] == 0 {
			continue
		}
		conf, s := *n, *n.Suspend
		s.Since = since[n.Name]
		s.Over = now >= s.Until()
		conf.Suspend = &s
		out.Nodes[i] = &conf
	}
	return &out
}
