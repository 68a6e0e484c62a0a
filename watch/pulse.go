package watch

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"strata/lineage"
	"strata/spdk"
	"strata/state"
)

// beat is what the pulse of a node found.
type beat struct {
	node lineage.Node
	is   state.Beat
	err  error
	// heard is when the node last answered; zero for never.
	heard time.Time
}

// beatTimeout is after how long a node that says nothing does not answer.
const beatTimeout = 5 * time.Second

// pulses ask each node by itself, so that one that is slow delays no other.
type pulses struct {
	beats  chan beat
	wg     sync.WaitGroup
	on     map[lineage.Node]pulsed
	signer atomic.Pointer[Signer] // nil for none
}

type pulsed struct {
	target *spdk.Client
	stop   context.CancelFunc
}

func newPulses() *pulses { return &pulses{beats: make(chan beat), on: map[lineage.Node]pulsed{}} }

// adopt has exactly these nodes asked, through these clients.
func (p *pulses) adopt(ctx context.Context, targets map[lineage.Node]*spdk.Client) {
	for name, at := range p.on {
		if targets[name] != at.target {
			at.stop()
			delete(p.on, name)
		}
	}
	for i, name := range slices.Sorted(maps.Keys(targets)) {
		if t := targets[name]; p.on[name].target == nil {
			ctx, stop := context.WithCancel(ctx)
			p.on[name] = pulsed{t, stop}
			p.wg.Go(func() { p.ask(ctx, name, t, rhythmOf(i, len(targets))) })
		}
	}
}

// close returns when nobody is asked any more.
func (p *pulses) close() {
	p.adopt(context.Background(), nil)
	p.wg.Wait()
}

// rhythm is how a node is asked.
type rhythm struct {
	after time.Duration // the first pulse comes the second
	whole int           // of so many pulses one has subsystems in it
}

// rhythmOf is that of one of so many nodes. A few are not asked all at once, for of what
// happens between two the one that is asked first tells. Many are: each time that this
// program wakes up costs more than the pulse of a node. And what pulses of many cost is
// mostly the reading of subsystems, which change by themselves only when a disk goes.
func rhythmOf(i, nodes int) rhythm {
	if nodes > 12 {
		return rhythm{beatEvery, 3}
	}
	return rhythm{[]time.Duration{beatEvery, beatEvery / 2, beatEvery * 3 / 4, beatEvery / 4}[i%4], 1}
}

// ask asks at once, then after a while, and from then on each beatEvery. What is as it was
// is not told.
func (p *pulses) ask(ctx context.Context, name lineage.Node, t *spdk.Client, is rhythm) {
	told, again := p.hear(ctx, name, t, nil, true)
	if !again {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(is.after):
	}
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		if told, again = p.hear(ctx, name, t, told, n%is.whole == 0 || told.err != nil); !again {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sign has a term be kept by pulses, if it is kept so; nil for none.
func (p *pulses) sign(t Term) {
	if s, is := t.(Signer); is {
		p.signer.Store(&s)
	} else {
		p.signer.Store(nil)
	}
}

// hear tells what the pulse of a node finds, if that is another than was told, and returns
// it; false when that is over.
func (p *pulses) hear(ctx context.Context, name lineage.Node, t *spdk.Client, told *beat, whole bool) (*beat, bool) {
	b := beat{node: name}
	var was *state.Beat
	if !whole {
		was = &told.is
	}
	if b.is, b.err = p.pulse(ctx, name, t, was); b.err == nil {
		b.heard = time.Now()
	} else if told != nil {
		b.heard = told.heard
	}
	if told != nil && told.is == b.is && (told.err == nil) == (b.err == nil) {
		told.heard = b.heard
		return told, ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return nil, false
	case p.beats <- b:
		return &b, true
	}
}

// pulse asks once more where the connection was to a target that has ended since.
func (p *pulses) pulse(ctx context.Context, name lineage.Node, t *spdk.Client, was *state.Beat) (state.Beat, error) {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	is, err := p.signed(ctx, name, t, was)
	if c := spdk.ClassOf(err); c == spdk.Unreachable || c == spdk.Unknown && ctx.Err() == nil {
		is, err = p.signed(ctx, name, t, was)
	}
	return is, err
}

// signed asks, and gives a sign of life with it where this watch has the seat.
func (p *pulses) signed(ctx context.Context, name lineage.Node, t *spdk.Client, was *state.Beat) (state.Beat, error) {
	var with []*spdk.Req
	if s := p.signer.Load(); s != nil {
		if req, answered := (*s).Sign(name); req != nil {
			with = append(with, req)
			defer answered(ctx)
		}
	}
	return state.Pulse(ctx, t, was, with...)
}
