package apply

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// Paced is how fast copies to a node may go, for the sake of hosts.
type Paced struct {
	Node   lineage.Node
	Engine lineage.Node // where hosts' latency is looked at
	// Latency is the mean of hosts' I/O on mirrors of the engine of late, Before what
	// it was before copies began.
	Latency, Before time.Duration
	BytesPerSec     int64 // for all copies to the node together; 0: no limit
}

const (
	// paceEvery is over how long latency is taken.
	paceEvery = 2 * time.Second
	// paceBefore is for how long hosts' I/O is looked at before the first copy, and
	// paceKeep how long what it was then holds when copies have ended.
	paceBefore = time.Second
	paceKeep   = 10 * time.Minute
	// paceOps is how many I/Os tell something.
	paceOps = 20
	// Copies go half as fast where latency is slowAt times what it was before, and
	// faster again, by a quarter, where it is less than fastAt times that.
	slowAt = 2.0
	fastAt = 1.5
)

// pace slows copies down that slow hosts down: it looks at hosts' I/O on the engine's
// mirrors for a moment before copies begin, and while there are any.
type pace struct {
	cluster lineage.Cluster
	targets map[lineage.Node]*spdk.Client
	limits  *limits
	tell    func(Paced)
	seen    atomic.Pointer[state.Snapshot]

	mu      sync.Mutex
	copies  []*pacedCopy
	stop    context.CancelFunc // of who looks; nil while nobody does
	engines map[lineage.Node]*engine
}

// pacedCopy is a copy in hand.
type pacedCopy struct {
	engine, dest lineage.Node
	moved        func() int64 // bytes so far
	last         int64        // when it was last looked at
}

// engine is what is known of hosts' latency on a node.
type engine struct {
	mirrors map[string]counts
	before  float64   // seconds an I/O; 0: not known
	at      time.Time // there were copies
}

// counts are I/Os and the seconds that they took together.
type counts struct{ ops, seconds float64 }

// begin paces a copy of a layer until end is called.
func (p *pace) begin(ctx context.Context, volume lineage.Volume, dest lineage.Node, moved func() int64) (end func()) {
	if p == nil {
		return func() {}
	}
	at := p.engine(volume)
	if at == "" || p.targets[dest] == nil {
		return func() {}
	}
	c := &pacedCopy{engine: at, dest: dest, moved: moved}
	p.before(ctx, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engines[at] == nil {
		return func() {} // the run has ended
	}
	if p.copies = append(p.copies, c); p.stop == nil {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		p.stop = stop
		go p.run(ctx)
	}
	return func() { p.end(c) }
}

// end is that of a copy.
func (p *pace) end(c *pacedCopy) {
	p.mu.Lock()
	p.copies = slices.DeleteFunc(p.copies, func(x *pacedCopy) bool { return x == c })
	p.engines[c.engine].at = time.Now()
	if len(p.copies) == 0 {
		p.stop()
		p.stop = nil
	}
	p.mu.Unlock()
	p.forget(c.dest)
}

// forget has the next copies to a node begin anew, if there are none now.
func (p *pace) forget(dest lineage.Node) {
	p.mu.Lock()
	copying := slices.ContainsFunc(p.copies, func(x *pacedCopy) bool { return x.dest == dest })
	p.mu.Unlock()
	if !copying {
		p.limits.forget(dest)
	}
}

// before finds out how hosts' I/O on an engine is without copies, unless that is known.
func (p *pace) before(ctx context.Context, at lineage.Node) {
	known := func() *engine {
		p.mu.Lock()
		defer p.mu.Unlock()
		if e := p.engines[at]; e != nil && time.Since(e.at) < paceKeep {
			return e
		}
		return nil
	}
	if known() != nil {
		return
	}
	e := &engine{mirrors: p.read(ctx, at), at: time.Now()}
	if sleep(ctx, paceBefore) != nil {
		return
	}
	mean := e.mean(p.read(ctx, at))
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.before = mean; p.engines[at] == nil || time.Since(p.engines[at].at) >= paceKeep {
		p.engines[at] = e
	}
}

// engine is the node that mirrors a volume; "" for none.
func (p *pace) engine(v lineage.Volume) lineage.Node {
	if snap := p.seen.Load(); snap != nil {
		for name, n := range snap.Nodes {
			if n.Raids[p.cluster.Raid(v)] != nil {
				return name
			}
		}
	}
	return ""
}

// read reads the counters of an engine's mirrors.
func (p *pace) read(ctx context.Context, at lineage.Node) map[string]counts {
	all := map[string]counts{}
	n := p.seen.Load().Nodes[at]
	if n == nil || p.targets[at] == nil {
		return all
	}
	var reqs []*spdk.Req
	for name := range n.Raids {
		if _, ours := p.cluster.ParseRaid(name); ours {
			reqs = append(reqs, spdk.NewReq(spdk.IostatGet{Names: []string{name}}, new(spdk.Iostat)))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, paceEvery)
	defer cancel()
	p.targets[at].Round(ctx, reqs...)
	for _, r := range reqs {
		if s := r.Result.(*spdk.Iostat); r.Err == nil && len(s.Bdevs) == 1 && s.TickRate > 0 {
			b := s.Bdevs[0]
			all[b.Name] = counts{float64(b.ReadOps + b.WriteOps), float64(b.ReadTicks+b.WriteTicks) / float64(s.TickRate)}
		}
	}
	return all
}

func (p *pace) run(ctx context.Context) {
	for sleep(ctx, paceEvery) == nil {
		p.look(ctx)
	}
}

// look sets the rates of copies by the latency on their engines.
func (p *pace) look(ctx context.Context) {
	p.mu.Lock()
	now := map[lineage.Node]map[string]counts{}
	for _, c := range p.copies {
		now[c.engine] = nil
	}
	p.mu.Unlock()
	for at := range now {
		now[at] = p.read(ctx, at)
	}
	for dest, s := range p.speeds(ctx, now) {
		bytes, changed := p.limits.scale(ctx, p.targets[dest], dest, s.factor(), s.rate)
		if changed && p.tell != nil {
			s.told.BytesPerSec = bytes
			p.tell(s.told)
		}
		p.forget(dest) // where the last ended meanwhile
	}
}

// speed is how copies to a node go, and what hosts have of it.
type speed struct {
	rate  int64   // bytes a second
	times float64 // how much slower I/O is than it was without copies, on the worst of their engines
	told  Paced
}

// factor is by how much copies are to be faster.
func (s *speed) factor() float64 {
	switch {
	case s.times >= slowAt:
		return 0.5
	case s.times < fastAt:
		return 1.25
	}
	return 1
}

// speeds are those of copies by destination, by what their engines' counters are now.
func (p *pace) speeds(ctx context.Context, now map[lineage.Node]map[string]counts) map[lineage.Node]*speed {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[lineage.Node]*speed{}
	if ctx.Err() != nil {
		return all // another looks, if anybody does
	}
	late := map[lineage.Node]float64{}
	for at, counters := range now {
		late[at] = p.engines[at].latency(counters)
	}
	for _, c := range p.copies {
		if _, looked := now[c.engine]; !looked {
			continue // it began meanwhile
		}
		s := all[c.dest]
		if s == nil {
			s = &speed{times: -1}
			all[c.dest] = s
		}
		moved := c.moved()
		s.rate += (moved - c.last) * int64(time.Second) / int64(paceEvery)
		c.last = moved
		before, times := p.engines[c.engine].before, 0.0
		if before > 0 {
			times = late[c.engine] / before
		}
		if times > s.times {
			s.times, s.told = times, Paced{Node: c.dest, Engine: c.engine, Latency: seconds(late[c.engine]), Before: seconds(before)}
		}
	}
	return all
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// latency is the mean, in seconds, of hosts' I/O since the counters were last read;
// 0 where there was hardly any.
func (e *engine) latency(now map[string]counts) float64 {
	e.at = time.Now()
	mean := e.mean(now)
	if e.before == 0 {
		e.before = mean // nothing is known of how it was without copies
	}
	return mean
}

// mean is that of the I/O since the counters were last read, in seconds; 0 where there
// was hardly any.
func (e *engine) mean(now map[string]counts) float64 {
	var all counts
	for name, c := range now {
		if was, known := e.mirrors[name]; known && was.ops <= c.ops {
			all.ops, all.seconds = all.ops+c.ops-was.ops, all.seconds+c.seconds-was.seconds
		}
	}
	if e.mirrors = now; all.ops < paceOps {
		return 0
	}
	return all.seconds / all.ops
}
