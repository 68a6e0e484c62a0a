package watch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"strata/apply"
	"strata/lineage"
	"strata/lock"
	"strata/schema"
	"strata/spdk"
	"strata/spdk/sim"
)

// within is the time in which another watch has to work.
const within = 5 * time.Second

// several has a watch be the nth of several.
func several(n int) func(*Options) {
	note := lineage.LockNote{By: fmt.Sprintf("watch%d@lab", n), PID: n, Watch: true}
	id := func(kind int) lineage.UUID {
		return lineage.UUID(fmt.Sprintf("00000000-0000-4000-8000-%010d%02d", kind, n)) // of its lock, of its seat
	}
	l := &lock.Lock{Holder: id(1), Wait: time.Minute, Note: note}
	return func(o *Options) {
		o.Leader = OnNodes{Seat: &lock.Seat{Holder: id(2), Note: note}, Lock: l}
		prepare := o.Prepare
		o.Prepare = func(cfg *schema.Config) (apply.Options, error) {
			opt, err := prepare(cfg)
			opt.Lock = l
			return opt, err
		}
	}
}

// beside begins a watch of the same nodes.
func (s *scene) beside(cfg *schema.Config, options ...func(*Options)) *scene {
	return beginOn(s.t, s.cluster, cfg, options...)
}

// steps are those that were done.
func steps(events []Event) (all []string) {
	for _, e := range of[Stepped](events) {
		all = append(all, fmt.Sprintf("%s: %s: %v", e.Section, e.Step.Op.Words(), e.Err))
	}
	return all
}

// TestSeveral has two watches of one cluster. One works, the other stands by; when the
// one is cut off the other works within 5 s, and the one, when it is back, does nothing.
func TestSeveral(t *testing.T) {
	cfg, after := config(t, two), config(t, `{db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n1", export: nvmf: hosts: "any"}, logs: {size: 4Mi, replicas: on: ["n3"]}}`)
	synctest.Test(t, func(t *testing.T) {
		first := begin(t, cfg, several(1))
		first.mustConverge(10 * time.Second)
		second := first.beside(cfg, several(2))
		events := second.after(time.Minute)
		if s, l := steps(events), of[Looked](events); len(s)+len(l) > 0 {
			t.Errorf("who stands by has done %v, and looked %d times", s, len(l))
		}

		first.cut(true)
		start := time.Now()
		second.edit(after) // which it reads, and does not act upon before it has the seat
		first.edit(after)
		for second.after(100 * time.Millisecond); !converged(second.events); second.after(100 * time.Millisecond) {
			if time.Since(start) > time.Minute {
				t.Fatal("the second does not work")
			}
		}
		if took := time.Since(start); took > within {
			t.Errorf("the second has done its work %v after the first was cut off", took)
		} else {
			t.Logf("the second has done its work %v after the first was cut off", took)
		}
		first.cut(false)
		events = first.after(time.Minute)
		if s := steps(events); len(s) > 0 {
			t.Errorf("who was deposed has done %v", s)
		}
		if s := of[Seated](second.after(time.Second)); len(s) > 0 {
			t.Errorf("the seat has changed hands: %v", s)
		}

		if err := second.leave(); err != nil { // and so gives the seat back
			t.Error(err)
		}
		first.edit(cfg)
		if events := first.after(2 * time.Second); len(of[Seated](events)) != 1 || len(of[Planned](events)) > 0 {
			t.Errorf("the first has the seat again: %v", lines(events))
		}
		if err := first.end(); err != nil {
			t.Error(err)
		}
	})
}

// TestSignsOfLife: they go out with pulses, and by themselves while the watch is held up, by
// the reading of files, say. Then too the other stands by.
func TestSignsOfLife(t *testing.T) {
	cfg := config(t, two)
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{}, 1)
		first := begin(t, cfg, several(1), func(o *Options) {
			load := o.Load
			o.Load = func() (*schema.Config, *schema.Sources, error) {
				select {
				case <-held:
					time.Sleep(30 * time.Second)
				default:
				}
				return load()
			}
		})
		first.mustConverge(10 * time.Second)
		second := first.beside(cfg, several(2))
		second.after(2 * time.Second)
		calls := func(d time.Duration) (signs, pulses int) {
			n1 := first.cluster.Target("n1")
			n1.ResetCalls()
			first.after(d)
			all := n1.Calls().ByMethod
			return all["bdev_null_resize"], all["bdev_nvme_get_controllers"]
		}
		if signs, pulses := calls(20 * time.Second); signs < 19 || signs > 21 || pulses < 39 || pulses > 41 { // the second has pulses too
			t.Errorf("%d signs of life and %d pulses in 20 s", signs, pulses)
		}
		held <- struct{}{}
		first.hangup <- struct{}{}
		first.after(time.Second)
		if err := first.targets["n1"].Call(t.Context(), "nvmf_create_subsystem", map[string]string{"nqn": "nqn.2026-01.io.example:other"}, nil); err != nil {
			t.Fatal(err)
		}
		first.after(2 * time.Second) // what has changed there cannot be told now
		if signs, pulses := calls(20 * time.Second); signs < 14 || signs > 21 || pulses < 19 || pulses > 21 {
			t.Errorf("%d signs of life and %d pulses in 20 s in which the watch was held up", signs, pulses)
		}
		if s := of[Seated](second.after(20 * time.Second)); len(s) > 0 {
			t.Errorf("the seat has changed hands: %v", s)
		}
		if err := errors.Join(second.leave(), first.end()); err != nil {
			t.Error(err)
		}
	})
}

// TestCutOffAtWork cuts a watch off at every third call of changes that hold hosts; the
// other has the locks of the one as soon as it has the seat, and ends what was begun.
func TestCutOffAtWork(t *testing.T) {
	before := config(t, two)
	after := config(t, `{db: {size: 16Mi, replicas: on: ["n1", "n2", "n3"], engine: "n1", snapshots: ["base"], export: nvmf: hosts: "any"}}`)
	longest := time.Duration(0)
	for nth := 1; ; nth += 3 {
		over := false
		synctest.Test(t, func(t *testing.T) {
			first := begin(t, before, several(1))
			first.mustConverge(10 * time.Second)
			second := first.beside(after, several(2))
			second.after(10 * time.Second)
			calls := 0
			var start time.Time
			first.cluster.Inject(func(c sim.Call) sim.Fault {
				if c.Writes && c.Method != "bdev_null_resize" { // which is a sign of life
					if calls++; calls == nth {
						start = time.Now()
						first.cut(true)
					}
				}
				return sim.Fault{}
			})
			first.edit(after)
			if first.after(time.Second); start.IsZero() {
				over = true
			}
			for until := time.Now().Add(time.Minute); !over && !converged(second.after(100*time.Millisecond)); {
				if time.Now().After(until) {
					t.Fatalf("call %d: the second does not end it", nth)
				}
			}
			if took := time.Since(start); !over {
				longest = max(longest, took)
			}
			first.cut(false)
			for _, step := range of[Stepped](first.after(time.Minute)) {
				if !over && step.Err == nil {
					t.Errorf("call %d: who was deposed has done %s", nth, step.Step.Op.Words())
				}
			}
			if err := second.leave(); err != nil {
				t.Error(err)
			}
			if err := first.end(); err != nil {
				t.Error(err)
			}
		})
		if over || t.Failed() {
			if nth < 30 {
				t.Errorf("only %d calls or so change something", nth)
			}
			t.Logf("cut off at each third of %d calls or so: ended by the other after %v at most", nth, longest)
			break
		}
	}
	if longest > within {
		t.Errorf("ended by the other after %v", longest)
	}
}

// TestNodeJoins has the configuration of the watch with the seat, and of the one that
// stands by, get a node: the seat is on it, too. Which of the two it is that has the seat
// then is all the same, for the one gave it back for as long as it took to reach the node.
func TestNodeJoins(t *testing.T) {
	cfg := config(t, two)
	fewer := *cfg
	fewer.Nodes = cfg.Nodes[:2]
	synctest.Test(t, func(t *testing.T) {
		first := begin(t, &fewer, several(1))
		first.mustConverge(10 * time.Second)
		second := first.beside(&fewer, several(2))
		second.after(10 * time.Second)
		first.edit(cfg)
		second.edit(cfg)
		works, other, id := first, second, 2
		if !converged(first.after(10 * time.Second)) {
			works, other, id = second, first, 1
		}
		if events := works.events; !converged(events) {
			t.Errorf("neither works: %v", lines(events))
		}
		if events := other.events; len(of[Stepped](events)) > 0 {
			t.Errorf("who stands by has done something: %v", lines(events))
		}
		other.after(0)
		if err := works.leave(); err != nil {
			t.Error(err)
		}
		other.mustConverge(5 * time.Second)
		for _, n := range other.seen.Nodes {
			if want := fmt.Sprintf("00000000-0000-4000-8000-00000000020%d", id); string(n.Seat.Holder) != want {
				t.Errorf("%s: %q has the seat, and not %s", n.Name, n.Seat.Holder, want)
			}
		}
		if err := other.end(); err != nil {
			t.Error(err)
		}
	})
}

// elected is a Leader whose answer is given, and a term that lasts.
type elected struct{ err error }

func (e *elected) Lead(context.Context, *schema.Config, map[lineage.Node]*spdk.Client, func(string)) (Term, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e, nil
}

func (e *elected) Lost() <-chan struct{}       { return nil }
func (e *elected) Check(context.Context) error { return nil }
func (e *elected) Resign()                     {}

// TestSeatCannotBeHad has a watch stand by while it cannot be found out whose the seat is:
// it tries each second, and says so once.
func TestSeatCannotBeHad(t *testing.T) {
	cfg := config(t, two)
	synctest.Test(t, func(t *testing.T) {
		leader := &elected{errors.New("etcd hangs")}
		s := begin(t, cfg, func(o *Options) { o.Leader = leader })
		events := s.after(time.Minute)
		if by := of[StandsBy](events); len(by) != 1 || by[0].Why != "standing by: the seat cannot be had: etcd hangs" {
			t.Errorf("it has said %v", by)
		}
		if l := of[Looked](events); len(l) > 0 {
			t.Errorf("it has looked %d times", len(l))
		}
		leader.err = nil
		s.mustConverge(10 * time.Second)
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
}

// TestPulseOfNodeThatJoins has a watch with a seat get a node by an edit: from then on it
// is asked for its pulse as the others are, though the seat was waited for meanwhile.
func TestPulseOfNodeThatJoins(t *testing.T) {
	cfg := config(t, `{db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n1"}}`)
	fewer := *cfg
	fewer.Nodes = cfg.Nodes[:2]
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &fewer, several(1))
		s.mustConverge(10 * time.Second)
		s.edit(cfg)
		s.mustConverge(10 * time.Second)
		s.after(5 * time.Second)
		s.cluster.Target("n3").Stop()
		if silent := of[Silent](s.after(3 * time.Second)); len(silent) != 1 || silent[0].Node != "n3" {
			t.Errorf("nobody has missed n3: %v", silent)
		}
		if err := s.cluster.Target("n3").Restart(); err != nil {
			t.Fatal(err)
		}
		if back := of[Back](s.after(3 * time.Second)); len(back) != 1 {
			t.Errorf("n3 is not back: %v", back)
		}
		if err := s.end(); err != nil {
			t.Error(err)
		}
	})
}
