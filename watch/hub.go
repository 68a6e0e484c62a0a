package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/lock"
	"strata/plan"
	"strata/schema"
)

// hub has all that a watch knows. It is one goroutine's but for tell.
type hub struct {
	opt Options
	clients
	pulses *pulses
	edits  *edits
	ended  chan ended
	seats  chan seat

	telling sync.Mutex

	cfg     *schema.Config // in force; nil before the first
	periods []int64        // of its schedules, in seconds
	scrubs  []time.Time    // when layers of its volumes are to be compared again
	next    *schema.Config // to be, when the run in hand has ended
	broken  string         // why what the files say is not in force; "" when it is
	seen    *schema.Sources
	nodes   map[lineage.Node]*node
	reasons map[string]bool // to look
	run     *run            // in hand; nil for none
	trouble troubles
	// suspended has since when nodes are, in seconds since 1970.
	suspended map[lineage.Node]int64
	term      Term
	leading   context.CancelFunc // ends the wait for the seat
	stands    atomic.Value       // string: why that is waited for, as it was told

	peers     *apply.Patience // since when they are gone; the run's that is in hand
	over      int             // peers that were waited for no more when nodes were last looked at
	gone      time.Time       // from then on a peer is waited for no more; zero while a run is in hand, and for none
	reread    time.Time       // when to read nodes again that answer and could not be read; zero for none
	unreads   int             // looks in a row that found one
	looked    time.Time       // when the last run ended
	checked   time.Time       // what had come due by then
	fruitless int             // runs that pulses were the reason of, and did nothing, one after another
	wait      time.Time       // nothing is begun before that
	hushed    bool            // the last run was for nodes that are held down (loud)
	waiting   string          // the plan that waits, as it was told
	settled   *apply.Result   // of the last run, if that was all there was to find
}

// Run watches until ctx ends or Options.Stop is closed. It fails if there is no
// configuration to begin with.
func Run(ctx context.Context, opt Options) error {
	e := lookingEdits()
	if !opt.Polls {
		e = newEdits()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &hub{
		opt: opt, clients: clients{connect: opt.Connect}, pulses: newPulses(), edits: e,
		ended: make(chan ended), seats: make(chan seat),
		peers: &apply.Patience{}, checked: time.Now(), nodes: map[lineage.Node]*node{}, reasons: map[string]bool{}, trouble: troubles{},
		suspended: map[lineage.Node]int64{},
	}
	go h.edits.run()
	defer h.edits.close()
	if err := h.load(); err != nil {
		return err
	}
	if err := h.adopt(ctx); err != nil {
		return err
	}
	defer func() {
		cancel() // before the pulses are waited for: they may have something to say
		h.pulses.close()
		h.clients.close()
	}()
	h.because("strata watch was started")
	return h.loop(ctx)
}

func (h *hub) tell(e Event) {
	if h.opt.Observe != nil {
		h.telling.Lock()
		defer h.telling.Unlock()
		h.opt.Observe(e)
	}
}

func (h *hub) alive() {
	if h.opt.Alive != nil {
		h.opt.Alive()
	}
}

func (h *hub) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		h.alive()
		h.begin(ctx)
		timer.Reset(min(time.Until(h.due(time.Now())), turnEvery))
		var lost <-chan struct{}
		if h.term != nil {
			lost = h.term.Lost()
		}
		select {
		case <-ctx.Done():
			return h.leave(ctx.Err())
		case <-h.opt.Stop:
			return h.leave(nil)
		case <-h.opt.Hangup:
			_ = h.load() // told as Broken
			h.afresh("somebody asked for it (SIGHUP)")
		case <-h.edits.changed:
			_ = h.load()
		case err := <-h.edits.blind:
			h.tell(Blind{Err: err, Every: lookAtFiles})
		case b := <-h.pulses.beats:
			h.beat(b)
		case <-lost:
			h.deposed()
		case s := <-h.seats:
			h.seated(ctx, s)
		case e := <-h.ended:
			h.settle(ctx, e)
		case <-timer.C:
			h.come(time.Now())
		}
	}
}

// leave ends the run in hand and gives the seat back.
func (h *hub) leave(err error) error {
	if h.leading != nil {
		h.leading()
		if s := <-h.seats; s.term != nil {
			s.term.Resign()
		}
	}
	if h.run != nil {
		h.run.end()
		for ended := false; !ended; h.alive() {
			select {
			case e := <-h.ended:
				h.tell(Ended{Result: e.result, Err: e.err, Took: time.Since(e.began)})
				ended = true
			case <-h.pulses.beats:
			}
		}
	}
	if h.term != nil {
		h.term.Resign()
	}
	return err
}

// because gives a reason to look.
func (h *hub) because(why string) { h.reasons[why] = true }

// afresh tries everything again, also what was given up.
func (h *hub) afresh(why string) {
	h.settled = nil
	h.trouble.afresh()
	h.wait, h.fruitless = time.Time{}, 0
	h.anew(why)
}

// load reads the configuration. One that cannot be used leaves the last in force.
func (h *hub) load() error {
	var before stamp
	if h.seen != nil {
		before = stampOf(h.seen)
	}
	start := time.Now()
	cfg, src, err := h.opt.Load()
	if src != nil {
		h.seen = src
		h.edits.of(sources{src, before, start})
	}
	if was := h.inForce(); err == nil && was != nil && was.Cluster != cfg.Cluster {
		err = fmt.Errorf("the cluster is called %s now, and was %s: that is another one, which needs a watch of its own; call it %s again, or start strata watch anew", cfg.Cluster, was.Cluster, was.Cluster)
	}
	if err != nil {
		if h.broken != err.Error() {
			h.broken = err.Error()
			h.tell(Broken{Err: err})
		}
		return err
	}
	if h.broken != "" {
		h.broken = ""
		h.tell(Mended{})
	}
	h.next = cfg
	h.tell(Loaded{Config: cfg, Took: time.Since(start)})
	h.afresh("the configuration was edited")
	return nil
}

// inForce is the configuration that is, or is about to be, in force.
func (h *hub) inForce() *schema.Config {
	if h.next != nil {
		return h.next
	}
	return h.cfg
}

// adopt puts the configuration in force that was read last. Nothing may be under way.
func (h *hub) adopt(ctx context.Context) error {
	cfg := h.next
	if cfg == nil {
		return nil
	}
	h.next = nil
	if err := h.clients.adopt(cfg); err != nil {
		h.broken = err.Error()
		h.tell(Broken{Err: err})
		return err
	}
	h.cfg, h.periods = cfg, periods(cfg)
	h.pulses.adopt(ctx, h.targets)
	maps.DeleteFunc(h.nodes, func(name lineage.Node, _ *node) bool { return h.targets[name] == nil })
	for name := range h.targets {
		if h.nodes[name] == nil {
			h.nodes[name] = &node{}
		}
	}
	h.count(time.Now())
	return nil
}

// begin begins a run, if there is a reason and nothing stands in its way.
func (h *hub) begin(ctx context.Context) {
	if h.run != nil || len(h.reasons) == 0 || time.Now().Before(h.wait) || !h.lead(ctx) {
		return
	}
	if err := h.adopt(ctx); err != nil && h.cfg == nil {
		return
	}
	opt, err := h.opt.Prepare(h.cfg)
	if err != nil {
		h.tell(Ended{Err: err})
		h.wait = time.Now().Add(h.opt.Every)
		return
	}
	now := time.Now()
	h.checked = now // what has come due by now it knows of
	r := &run{
		cfg: h.cfg, targets: h.targets, opt: opt, tell: h.tell,
		skipped: h.trouble.skip(now), over: h.over, stop: make(chan struct{}),
	}
	r.opt.Plan.Away, r.opt.Patience = h.away(now), h.peers
	if r.opt.Plan.Quiet = h.loud(); len(r.opt.Plan.Quiet) > 0 {
		h.settled = nil
	}
	r.again(h.unread(r), h.silences())
	var may func(context.Context) error
	if h.term != nil {
		may = h.term.Check
	}
	why := slices.Sorted(maps.Keys(h.reasons))
	if h.reasons = map[string]bool{}; len(r.skipped) == 0 {
		r.before = h.settled
	}
	h.settled, h.gone = nil, time.Time{}
	h.tell(Began{Why: why})
	h.run = r
	go func() {
		e := ended{run: r, began: now}
		if e.err = r.prepare(may); e.err == nil {
			e.result, e.waits, e.err = r.drive(ctx)
		}
		h.ended <- e
	}()
}

// settle takes note of what a run came to.
func (h *hub) settle(ctx context.Context, e ended) {
	now := time.Now()
	h.run, h.looked, h.over = nil, now, e.over
	h.quieted(e)
	if left, waits := h.peers.Next(now); waits {
		h.gone = now.Add(left)
	}
	h.tell(Ended{Result: e.result, Err: e.err, Took: now.Sub(e.began)})
	if e.err != nil {
		h.because("the last run did not come to its end")
		h.wait = now.Add(afterError(e.err))
		return
	}
	if e.stale.Load() {
		h.because("something has changed during the run before")
	}
	for _, f := range e.result.Failures {
		if errors.Is(f.Err, apply.ErrLeft) || errors.As(f.Err, new(unseated)) || settledBy(f, e.result.Snapshot) {
			continue
		}
		if t := h.trouble.add(f, now); t.halted {
			h.tell(Halted{Failure: f})
		} else {
			h.tell(BackedOff{Failure: f, Times: t.times, Until: t.until})
		}
	}
	if e.urgent {
		h.trouble.retry()
	}
	switch {
	case e.result.GaveWay:
		h.because("somebody else had asked for the nodes")
		return
	case e.result.Stopped:
		h.because("the run before was ended for it")
		return
	}
	if len(e.opt.Plan.Quiet) == 0 {
		for _, key := range h.trouble.done(e.skipped, e.result.Failures) {
			h.tell(Recovered{Section: key})
		}
	}
	if e.result.Passes > 0 {
		h.fruitless = 0
	}
	h.unreadable(e.result.Snapshot, now)
	h.scrubs = scrubs(e.cfg, e.result.Snapshot)
	if len(e.skipped)+len(e.result.Failures) == 0 && len(h.reasons) == 0 && h.gone.IsZero() {
		h.settled = e.result
	}
	h.waits(e.waits)
}

// waits tells of the plan that waits for a person when it is another than before.
func (h *hub) waits(p *plan.Plan) {
	if p == nil {
		return
	}
	var is []string
	for _, pass := range p.Passes {
		for _, s := range pass.Sections {
			for step := range s.Steps() {
				is = append(is, s.Key().String()+" "+string(step.Op.On())+" "+step.Op.Words())
			}
		}
	}
	for _, f := range p.Notes {
		is = append(is, f.About+": "+f.Text)
	}
	if text := strings.Join(is, "\n"); text != h.waiting {
		h.waiting = text
		h.tell(Waiting{Plan: p})
	}
}

// afterError is when to look again after a run that could not go on.
func afterError(err error) time.Duration {
	if lock.IsLocked(err) {
		return time.Second
	}
	return 10 * time.Second
}

// away are the nodes that are waited for, should they not be read: all but those that
// have been silent for too long.
func (h *hub) away(now time.Time) map[lineage.Node]bool {
	all := map[lineage.Node]bool{}
	for name, n := range h.nodes {
		if late := n.late(h.replaceAfter()); late.IsZero() || now.Before(late) || h.suspends(name) {
			all[name] = true
		}
	}
	return all
}

// replaceAfter is how long a node may be away before replicas are made elsewhere.
func (h *hub) replaceAfter() time.Duration { return time.Duration(h.cfg.ReplaceAfterSec) * time.Second }

// unread are the nodes that do not answer or are held down, with the reason: who is
// asked nevertheless delays the look at all others. A run that quiets nodes which are held
// down reads those.
func (h *hub) unread(r *run) map[lineage.Node]string {
	all := map[lineage.Node]string{}
	for name, n := range h.nodes {
		if why := n.why(); why != "" && !(r != nil && r.opt.Plan.Quiet[name] && !n.silent) {
			all[name] = why
		}
	}
	return all
}
