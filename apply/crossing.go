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
// for a minute, and end. So there are only events at a time whose targets come before
// their peers by name, or only such that come after: then nobody closes a circle. The
// others wait until those are seen through.
type crossings struct {
	cluster lineage.Cluster
	targets map[lineage.Node]*spdk.Client

	mu      sync.Mutex
	way     way
	open    map[remote][]*nsEvent // that may be under way, all this way
	waiting [3]int                // calls, by way
	turned  chan struct{}
	out     map[lineage.NQN]bool // links whose peer was shut out, and hears of nothing
	looks   bool                 // somebody looks what has become of those that are open
}

func newCrossings(c lineage.Cluster, targets map[lineage.Node]*spdk.Client) *crossings {
	return &crossings{cluster: c, targets: targets, open: map[remote][]*nsEvent{}, out: map[lineage.NQN]bool{}}
}

// way is how targets and peers of events come after one another.
type way int

const (
	before way = iota
	after
	mixed // of one peer to several: alone
)

// remote is a bdev that comes, goes or grows on a node.
type remote struct {
	at   lineage.Node
	bdev string // a UUID
}

// nsEvent is the event of one namespace of a link: To asks From about it.
type nsEvent struct {
	lineage.Link
	bdev   string // a UUID
	seen   func([]spdk.Bdev) bool
	began  time.Time     // the call that raises it
	raised time.Time     // that has ended; zero before
	next   time.Duration // after that it is asked after
}

const (
	// hung is after how long a node that answers nothing is taken to hang: others do not
	// wait for events that it is to raise, or to see.
	hung = 3 * time.Second
	// unseen is after how long an event that was not seen will not be, though the node that
	// is to see it answers; most are after some milliseconds.
	unseen = 10 * time.Second
	// seeFirst is after how long others that wait have an event asked after, and then
	// again each time that has doubled, and each second.
	seeFirst = 5 * time.Millisecond
	// seeAwaited is after how long it is where somebody waits for the namespace, who says
	// that it has come.
	seeAwaited = 200 * time.Millisecond
)

func (e *nsEvent) remote() remote { return remote{e.To, e.bdev} }

func shows(all []spdk.Bdev) bool { return len(all) > 0 && len(all[0].Driver.NVMe) > 0 }
func hides(all []spdk.Bdev) bool { return !shows(all) }

func wayOf(events []*nsEvent) way {
	is := mixed
	for i, e := range events {
		w := after
		if e.AsksBack() {
			w = before
		}
		if i > 0 && w != is {
			return mixed
		}
		is = w
	}
	return is
}

// raise makes a call that raises events, once nothing is under way that they would cross.
func (x *crossings) raise(ctx context.Context, events []*nsEvent, call func() error) error {
	if len(events) == 0 {
		return call()
	}
	if err := x.enter(ctx, events); err != nil {
		return err
	}
	err := call()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range events {
		e.raised, e.next = time.Now(), seeFirst
	}
	if err != nil && spdk.ClassOf(err) != spdk.Unknown {
		for _, e := range events {
			x.close(e.remote(), func(o *nsEvent) bool { return o == e })
		}
	}
	return err
}

// enter returns when events may be raised. Where others wait for those that are open, no
// more join these, so that all have their turn; those of one way that wait have it
// together.
func (x *crossings) enter(ctx context.Context, events []*nsEvent) error {
	w := wayOf(events)
	x.mu.Lock()
	defer x.mu.Unlock()
	others := func() int { return x.waiting[before] + x.waiting[after] + x.waiting[mixed] - x.waiting[w] }
	for first := true; len(x.open) > 0 && (x.way != w || w == mixed || first && others() > 0); first = false {
		turned := x.turned
		if turned == nil {
			turned = make(chan struct{})
			x.turned = turned
		}
		x.waiting[w]++
		if !x.looks {
			x.looks = true
			go x.look()
		}
		x.mu.Unlock()
		var err error
		select {
		case <-turned:
		case <-ctx.Done():
			err = ctx.Err()
		}
		x.mu.Lock()
		if x.waiting[w]--; err != nil {
			return err
		}
	}
	x.way = w
	for _, e := range events {
		e.began = time.Now()
		x.open[e.remote()] = append(x.open[e.remote()], e)
	}
	return nil
}

// close ends events of a bdev. When none is left those that wait have their turn.
func (x *crossings) close(of remote, over func(*nsEvent) bool) {
	if x.open[of] = slices.DeleteFunc(x.open[of], over); len(x.open[of]) == 0 {
		delete(x.open, of)
	}
	if len(x.open) == 0 && x.turned != nil {
		close(x.turned)
		x.turned = nil
	}
}

// look asks after the events that are open, as long as others wait for them.
func (x *crossings) look() {
	for {
		time.Sleep(seeFirst)
		x.mu.Lock()
		if x.waiting == [3]int{} {
			x.looks = false
			x.mu.Unlock()
			return
		}
		now := time.Now()
		due := map[lineage.Node][]*nsEvent{}
		for of := range x.open {
			x.close(of, func(e *nsEvent) bool { return x.givenUp(e, now) })
			for _, e := range x.open[of] {
				if !e.raised.IsZero() && now.Sub(e.raised) >= e.next {
					e.next += min(e.next, time.Second)
					due[e.To] = append(due[e.To], e)
				}
			}
		}
		x.mu.Unlock()
		for at, events := range due {
			go x.ask(at, events)
		}
	}
}

// givenUp reports whether nobody waits for an event any more that may be under way.
func (x *crossings) givenUp(e *nsEvent, now time.Time) bool {
	at, since := e.From, e.began
	if !e.raised.IsZero() {
		at, since = e.To, e.raised
	}
	if heard := x.targets[at].Heard(); heard.After(since) {
		since = heard
	}
	return now.Sub(since) > hung || !e.raised.IsZero() && now.Sub(e.raised) > unseen
}

// ask closes the events that a node has dealt with, or does not have, for it is not
// connected. One that nobody reaches raises none, so no circle closes through it.
func (x *crossings) ask(at lineage.Node, events []*nsEvent) {
	ctx, cancel := context.WithTimeout(context.Background(), hung)
	defer cancel()
	var ctrls []spdk.Controller
	bdevs := make([][]spdk.Bdev, len(events))
	all := []*spdk.Req{spdk.GetControllers(&ctrls)}
	for i, e := range events {
		all = append(all, spdk.NewReq(spdk.BdevGet{Name: e.bdev}, &bdevs[i]))
	}
	err := x.targets[at].Round(ctx, all...)
	gone := spdk.ClassOf(err) == spdk.Unreachable
	if (err != nil || all[0].Err != nil) && !gone {
		return
	}
	connected := map[string]bool{}
	for _, c := range ctrls {
		for _, p := range c.Paths {
			connected[p.Trid.SubNQN] = connected[p.Trid.SubNQN] || p.State == "enabled"
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, e := range events {
		err := all[i+1].Err
		known := err == nil || spdk.ClassOf(err) == spdk.NotFound
		if gone || !connected[string(x.cluster.LinkNQN(e.Link))] || known && e.seen(bdevs[i]) {
			x.close(e.remote(), func(o *nsEvent) bool { return o == e })
		}
	}
}

// await waits until a node has seen a bdev come, and takes note of that.
func (x *crossings) await(at lineage.Node, bdev string, wait func() error) error {
	of := remote{at, bdev}
	x.mu.Lock()
	for _, e := range x.open[of] {
		e.next = max(e.next, seeAwaited)
	}
	x.mu.Unlock()
	err := wait()
	if err == nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.close(of, func(e *nsEvent) bool { return !e.raised.IsZero() })
	}
	return err
}

// event is that of a namespace that comes or goes; none where it is no link's.
func (x *crossings) event(nqn lineage.NQN, bdev string, seen func([]spdk.Bdev) bool) []*nsEvent {
	link, ok := x.cluster.ParseLink(nqn)
	x.mu.Lock()
	defer x.mu.Unlock()
	if !ok || x.targets[link.To] == nil || x.out[nqn] {
		return nil
	}
	return []*nsEvent{{Link: link, bdev: bdev, seen: seen}}
}

// shutOut takes note of a link whose peer was shut out: nothing is under way there any more,
// and nothing will be until it is let in.
func (x *crossings) shutOut(nqn lineage.NQN) {
	link, ok := x.cluster.ParseLink(nqn)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.out[nqn] = true; !ok {
		return
	}
	for of := range x.open {
		x.close(of, func(e *nsEvent) bool { return e.Link == link })
	}
}

// letIn takes note of a link whose peer may be let in.
func (x *crossings) letIn(nqn lineage.NQN) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.out, nqn)
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
