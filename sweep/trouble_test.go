package sweep

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"strata/spdk/sim"
)

// trouble is a way in which a call can go wrong.
type trouble struct {
	name    string
	alone   bool // no guard stands by
	after   bool // as the one before, but the call has its effect first
	asks    bool // a target that has an event of the node may wait for it, and die
	stops   bool // nothing dies, so who had a volume has it when the run has ended
	guarded bool // strata dies and nothing else: so it is when its guard has ended
	tells   bool // the call has to be one of which another node is told
	archive bool // it is of archives, and no node
	heals   bool // nothing goes wrong: what does in the scenario ends there and then
	lasts   time.Duration
	make    func(w *world, c sim.Call) sim.Fault
}

// Times that matter: a client waits 10 s for an answer, links are given up
// after 15 s, a target needs some seconds to start.
const (
	soon  = 2 * time.Second
	blip  = 6 * time.Second // links are not given up, and find each other again soon
	hangs = 13 * time.Second
	long  = 30 * time.Second
	// A target that has an event of a peer and hears nothing more of it waits
	// for it for so long, and dies.
	asks = 60 * time.Second
)

func plain(name string, f sim.Fault) *trouble {
	return &trouble{name: name, make: func(*world, sim.Call) sim.Fault { return f }}
}

// after makes trouble that is as another where a call has no effect.
func after(t *trouble) *trouble {
	t.after = true
	return t
}

// dying makes trouble in which strata dies. The call that it is about to hear
// of is lost, or has its effect.
func dying(name string, alone bool, f sim.Fault) *trouble {
	return &trouble{name: name, alone: alone, guarded: !alone && !f.Kill, lasts: soon, make: func(w *world, c sim.Call) sim.Fault {
		w.who.die()
		w.back(c, f, soon)
		return f
	}}
}

// stopped makes trouble in which somebody types ^C, and what a call is to do
// fails or is not known.
func stopped(name string, f sim.Fault) *trouble {
	return &trouble{name: name, stops: true, make: func(w *world, c sim.Call) sim.Fault {
		w.who.interrupt()
		return f
	}}
}

// broken makes trouble in which the target dies, and is back after a while.
func broken(name string, lasts time.Duration, f sim.Fault) *trouble {
	return &trouble{name: name, lasts: lasts, make: func(w *world, c sim.Call) sim.Fault {
		w.back(c, f, lasts)
		return f
	}}
}

// back starts a target again that a fault kills.
func (w *world) back(c sim.Call, f sim.Fault, after time.Duration) {
	if f.Kill {
		time.AfterFunc(after, func() { w.boot(c.Node) })
	}
}

// startAgain starts the targets that have ended, as whoever runs them would, from now on.
// Besides those that trouble kills, two may end by themselves that have events of each
// other, and one of which hung.
func (w *world) startAgain() {
	time.AfterFunc(asks, w.startAgain)
	for _, n := range nodes {
		w.boot(n)
	}
}

var troubles = []*trouble{
	plain("lost", sim.Fault{LoseBefore: true}),
	after(plain("lost-after", sim.Fault{LoseAfter: true})),
	plain("late", sim.Fault{Late: 12 * time.Second}),
	plain("cut", sim.Fault{LoseBefore: true, Cut: true}),
	after(plain("cut-after", sim.Fault{Cut: true})),
	plain("error", sim.Fault{Err: &sim.Error{Code: -32603, Message: "Internal error"}}),
	stopped("stopped", sim.Fault{LoseBefore: true}),
	after(stopped("stopped-after", sim.Fault{LoseAfter: true})),
	dying("strata-dies", false, sim.Fault{LoseBefore: true}),
	after(dying("strata-dies-after", false, sim.Fault{})),
	dying("strata-dies-unguarded", true, sim.Fault{LoseBefore: true}),
	after(dying("strata-dies-after-unguarded", true, sim.Fault{})),
	broken("target-dies", soon, sim.Fault{LoseBefore: true, Kill: true}),
	after(broken("target-dies-after", soon, sim.Fault{Kill: true})),
	broken("target-away", long, sim.Fault{LoseBefore: true, Kill: true}),
	dying("both-die", false, sim.Fault{LoseBefore: true, Kill: true}),
	after(dying("both-die-after", false, sim.Fault{Kill: true})),
	dying("both-die-unguarded", true, sim.Fault{Kill: true}),
	{name: "hang", asks: true, lasts: hangs, make: func(*world, sim.Call) sim.Fault { return sim.Fault{Hang: hangs} }},
	{name: "blip", lasts: blip + 2*soon, make: func(w *world, c sim.Call) sim.Fault {
		go w.isolate(c.Node, blip)
		return sim.Fault{}
	}},
	{name: "isolated", lasts: long, make: func(w *world, c sim.Call) sim.Fault {
		go w.isolate(c.Node, long)
		return sim.Fault{}
	}},
	{name: "unreachable", lasts: long, make: func(w *world, c sim.Call) sim.Fault {
		go func() {
			w.c.Target(c.Node).CutRPC()
			time.Sleep(long)
			w.c.Target(c.Node).RestoreRPC()
		}()
		return sim.Fault{LoseBefore: true}
	}},
	{name: "told-and-gone", tells: true, lasts: long, make: func(w *world, c sim.Call) sim.Fault {
		go w.tellAndGo(c, long)
		return sim.Fault{}
	}},
	{name: "told-and-gone-for-good", tells: true, lasts: asks + long + soon, make: func(w *world, c sim.Call) sim.Fault {
		go w.tellAndGo(c, asks+long)
		time.AfterFunc(asks+soon, w.startAgain)
		return sim.Fault{}
	}},
	{name: "hang-then-die", lasts: hangs + soon, make: func(w *world, c sim.Call) sim.Fault {
		w.back(c, sim.Fault{Kill: true}, hangs+soon)
		time.AfterFunc(hangs, func() { w.c.Target(c.Node).Stop() })
		return sim.Fault{Hang: 2 * hangs}
	}},
	{name: "all-back", heals: true, make: func(w *world, _ sim.Call) sim.Fault {
		go w.heal()
		return sim.Fault{}
	}},
	{name: "power", alone: true, lasts: soon, make: func(w *world, c sim.Call) sim.Fault {
		w.who.die()
		go func() {
			var up []string
			for _, n := range nodes {
				if t := w.c.Target(n); t.Running() {
					up = append(up, n)
					t.Stop()
				}
			}
			time.Sleep(soon)
			for _, n := range up {
				w.boot(n)
			}
		}()
		return sim.Fault{LoseBefore: true}
	}},
}

// tellAndGo takes a node's network away as a peer has an event of it, and asks
// what that is about.
func (w *world) tellAndGo(c sim.Call, lasts time.Duration) {
	link := strings.Split(linkOf.FindString(string(c.Params)), ":")
	r, err := sim.ParseRule(fmt.Sprintf("cut %s %s on event", c.Node, link[len(link)-1]))
	if err == nil {
		err = w.c.Play(r)
	}
	w.wrong(err)
	time.Sleep(20 * time.Millisecond) // or it is not told
	w.c.Unplay()
	w.isolate(c.Node, lasts)
}

// linkOf finds the link that a call is about.
var linkOf = regexp.MustCompile(`io\.strata:lab:n\d:n\d\b`)

// told says whether a call has another node told of a namespace.
func (c callID) told() bool {
	return (strings.Contains(c.call, " nvmf_subsystem_add_ns ") || strings.Contains(c.call, " nvmf_subsystem_remove_ns ")) && linkOf.MatchString(c.call)
}

// heal has everything that hangs or is cut off work again.
func (w *world) heal() {
	for i, n := range nodes {
		w.c.Target(n).Thaw()
		w.c.Target(n).RestoreRPC()
		for _, m := range nodes[:i] {
			w.c.Heal(n, m)
		}
	}
}

func (w *world) isolate(node string, lasts time.Duration) {
	for _, n := range nodes {
		if n != node {
			w.c.Partition(n, node)
		}
	}
	time.Sleep(lasts)
	for _, n := range nodes {
		if n != node {
			w.c.Heal(n, node)
		}
	}
}
