package view

import (
	"errors"
	"strings"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/report"
	"strata/watch"
)

// Observe takes note of what happens; see watch.Options.Observe.
func (b *Board) Observe(e watch.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch e := e.(type) {
	case watch.Loaded:
		b.loaded(e, now)
	case watch.Broken:
		b.is.Broken = strings.Split(e.Err.Error(), "\n")
	case watch.Mended:
		b.is.Broken = nil
	case watch.Silent:
		b.node(e.Node, now, func(n *Node) { n.Silent = e.Err.Error() })
	case watch.Back:
		b.node(e.Node, now, func(n *Node) { n.Silent, n.Heard = "", true })
	case watch.HeldDown:
		b.node(e.Node, now, func(n *Node) { n.HeldDown = true })
	case watch.Released:
		b.node(e.Node, now, func(n *Node) { n.HeldDown = false })
	case watch.Seated:
		b.is.Leads, b.is.StandsBy = e.Leads, ""
	case watch.StandsBy:
		b.is.StandsBy = e.Why
	case watch.Began:
		b.is.Leads, b.is.Working, b.is.StandsBy = true, true, "" // who has not the seat begins nothing
	case watch.Looked:
		b.looked = &looked{e.Config, e.Snapshot, e.Catalog, now.Add(-e.Took), now}
		select {
		case b.looks <- struct{}{}:
		default: // the one before is passed over
		}
		return
	case watch.Planned:
		b.is.Blocked = e.Plan.Blocked
	case watch.Copying:
		b.copying(e.Copy, now)
	case watch.Stepped:
		if c, is := apply.CopyOf(e.Step.Op); is && !errors.Is(e.Err, apply.ErrLeft) {
			delete(b.copies, copyOf(c).Key())
		}
	case watch.Ended:
		b.ended(e)
	case watch.BackedOff:
		b.troubles[e.Failure.Section] = Trouble{e.Failure.Section, e.Failure.Error(), e.Until}
	case watch.Halted:
		b.troubles[e.Failure.Section] = Trouble{Section: e.Failure.Section, Text: e.Failure.Error()}
	case watch.Recovered:
		delete(b.troubles, e.Section)
	case watch.Waiting:
		b.is.Waiting = e.Plan
	default:
		return
	}
	b.touch()
}

func (b *Board) loaded(e watch.Loaded, now time.Time) {
	b.is.Config, b.is.Auto, b.is.Loaded = e.Config, e.Config.Autos(b.auto), now
	nodes := map[lineage.Node]Node{}
	for _, n := range e.Config.Nodes {
		nodes[n.Name] = b.is.Nodes[n.Name]
	}
	b.is.Nodes = nodes
	clear(b.troubles) // an edit has everything tried again
}

func (b *Board) node(name lineage.Node, now time.Time, change func(*Node)) {
	n := b.is.Nodes[name]
	was := n.State()
	if change(&n); n.State() != was {
		n.Since = now
	}
	b.is.Nodes[name] = n
}

func (b *Board) copying(c apply.Copy, now time.Time) {
	if is := copyOf(c); c.Copied >= c.Total {
		delete(b.copies, is.Key())
	} else {
		b.tell(is, now)
	}
}

// copyOf is a copy as reports have it.
func copyOf(c apply.Copy) report.Copy {
	volume := ""
	if n, ok := lineage.Parse(c.Layer); ok {
		volume = n.Of().Name
	}
	return report.Copy{
		Volume: volume, Layer: c.Layer, From: c.From, To: c.To, Archive: c.Archive,
		Copied: c.Bytes(c.Copied), Total: c.Size, Cluster: max(1, c.Bytes(1)),
	}
}

func (b *Board) ended(e watch.Ended) {
	b.is.Working, b.is.Failed = false, ""
	if e.Err != nil {
		b.is.Failed, b.is.Converged = e.Err.Error(), false
		return
	}
	if !e.Result.Stopped {
		b.is.Converged, b.is.Blocked = e.Result.Converged, e.Result.Plan.Blocked
	}
}
