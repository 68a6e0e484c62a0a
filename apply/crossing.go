package apply

import (
	"context"
	"slices"
	"sync"
	"time"

	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// crossings keeps events of namespaces from crossing. A target that hears of a namespace
// that came, went or grew on a link asks the peer about it, and does nothing else, not
// even answer, until it knows. Two that ask each other, or more in a circle, stand still
// for a minute, and end. So an event that would close a circle is raised once those
// before it are seen through.
type crossings struct {
	cluster lineage.Cluster
	targets map[lineage.Node]*spdk.Client

	mu   sync.Mutex
	open []*nsEvent // that may be under way
}

// nsEvent is the event of one namespace of a link: To asks From about it.
type nsEvent struct {
	lineage.Link
	bdev   string // a UUID
	seen   func([]spdk.Bdev) bool
	raised time.Time // the call that raises it has ended; zero before
}

// eventTime is how long an event may be under way. It is seen some milliseconds after it
// was raised, unless its target hangs; then it does not raise any itself.
const eventTime = 3 * time.Second

// seeEvery is how often an event is asked after that another waits for.
const seeEvery = 5 * time.Millisecond

func shows(all []spdk.Bdev) bool { return len(all) > 0 && len(all[0].Driver.NVMe) > 0 }
func hides(all []spdk.Bdev) bool { return !shows(all) }

// raise makes a call that raises events, once nothing is under way that they would cross.
func (x *crossings) raise(ctx context.Context, events []*nsEvent, call func() error) error {
	for !x.enter(events) {
		if err := sleep(ctx, seeEvery); err != nil {
			return err
		}
	}
	err := call()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range events {
		e.raised = time.Now()
	}
	if err != nil && spdk.ClassOf(err) != spdk.Unknown {
		x.drop(events)
	}
	return err
}

// enter takes note of events that are about to be raised, if they close no circle, and
// else looks whether those are seen through by now that they would close it with.
func (x *crossings) enter(events []*nsEvent) bool {
	x.mu.Lock()
	now := time.Now()
	x.open = slices.DeleteFunc(x.open, func(o *nsEvent) bool { return !o.raised.IsZero() && now.Sub(o.raised) > eventTime })
	var before []*nsEvent
	for _, e := range events {
		before = append(before, x.path(e.From, e.To, nil)...)
	}
	if len(before) == 0 {
		x.open = append(x.open, events...)
	}
	x.mu.Unlock()
	for _, o := range before {
		if !o.raised.IsZero() && x.through(o) {
			x.mu.Lock()
			x.drop([]*nsEvent{o})
			x.mu.Unlock()
		}
	}
	return len(before) == 0
}

// path returns the open events for whose sake one node waits for another.
func (x *crossings) path(from, to lineage.Node, past []lineage.Node) (all []*nsEvent) {
	for _, o := range x.open {
		if o.To != from || slices.Contains(past, o.From) {
			continue
		}
		if o.From == to || len(x.path(o.From, to, append(past, from))) > 0 {
			all = append(all, o)
		}
	}
	return all
}

// through reports whether the target of an event has dealt with it, or has none, for it
// is not connected.
func (x *crossings) through(o *nsEvent) bool {
	t := x.targets[o.To]
	if t == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), eventTime)
	defer cancel()
	var bdevs []spdk.Bdev
	var ctrls []spdk.Controller
	bdev, ctrl := spdk.NewReq(spdk.BdevGet{Name: o.bdev}, &bdevs), spdk.GetControllers(&ctrls)
	if t.Round(ctx, bdev, ctrl) != nil || ctrl.Err != nil || bdev.Err != nil && spdk.ClassOf(bdev.Err) != spdk.NotFound {
		return false
	}
	nqn := string(x.cluster.LinkNQN(o.Link))
	connected := slices.ContainsFunc(ctrls, func(c spdk.Controller) bool {
		return slices.ContainsFunc(c.Paths, func(p spdk.ControllerPath) bool { return p.Trid.SubNQN == nqn && p.State == "enabled" })
	})
	return !connected || o.seen(bdevs)
}

// saw takes note that a node has seen a bdev come or go.
func (x *crossings) saw(at lineage.Node, bdev string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.open = slices.DeleteFunc(x.open, func(o *nsEvent) bool { return o.To == at && o.bdev == bdev && !o.raised.IsZero() })
}

func (x *crossings) drop(events []*nsEvent) {
	x.open = slices.DeleteFunc(x.open, func(o *nsEvent) bool { return slices.Contains(events, o) })
}

// event is that of a namespace that comes or goes; none where it is no link's.
func (x *crossings) event(nqn lineage.NQN, bdev string, seen func([]spdk.Bdev) bool) (events []*nsEvent) {
	if link, ok := x.cluster.ParseLink(nqn); ok {
		events = append(events, &nsEvent{Link: link, bdev: bdev, seen: seen})
	}
	return events
}

// grown are the events of the namespaces that show an lvol which is to grow.
func (x *crossings) grown(ctx context.Context, t *spdk.Client, alias string, op plan.LvolResize) (events []*nsEvent, err error) {
	b, err := t.GetBdev(ctx, alias)
	if err != nil {
		return nil, err
	}
	subsystems, err := t.GetSubsystems(ctx)
	if err != nil {
		return nil, err
	}
	large := func(all []spdk.Bdev) bool { return !shows(all) || int64(all[0].Size()) >= op.To }
	for _, sub := range subsystems {
		if slices.ContainsFunc(sub.Namespaces, func(ns spdk.Namespace) bool { return ns.BdevName == b.UUID || ns.BdevName == b.Name }) {
			events = append(events, x.event(lineage.NQN(sub.NQN), b.UUID, large)...)
		}
	}
	return events, nil
}
