package lock_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/spdk/sim"
)

// within is the time in which another watch has to have the seat.
const within = 5 * time.Second

// leads has a watch wait for the seat. The channel has its term.
func leads(t *testing.T, s *lock.Seat, m *machine) <-chan *lock.Term {
	t.Helper()
	got := make(chan *lock.Term, 1)
	go func() {
		term, err := s.Lead(t.Context(), lab, m.clients)
		if err == nil {
			got <- term
		}
	}()
	return got
}

// two has one watch with the seat, for a while, and one that stands by.
func two(t *testing.T, a, b *machine) (first *lock.Term, second <-chan *lock.Term) {
	t.Helper()
	first = <-leads(t, seat(1), a)
	time.Sleep(700 * time.Millisecond)
	second = leads(t, seat(2), b)
	time.Sleep(time.Minute)
	if lost(first) {
		t.Fatal("the first has lost the seat")
	}
	select {
	case <-second:
		t.Fatal("both have the seat")
	default:
	}
	return first, second
}

// TestTakeOverOfSeat ends the watch that has the seat in each way there is, at every
// moment of a second. The next has it within 5 s, and the former one, if it lives, has
// stopped before.
func TestTakeOverOfSeat(t *testing.T) {
	all := []lineage.Node{"n1", "n2", "n3"}
	for name, end := range map[string]func(c *sim.Cluster, m *machine){
		"its process is killed":         func(_ *sim.Cluster, m *machine) { m.close() },
		"its machine is cut off":        func(_ *sim.Cluster, m *machine) { m.cut(all...) },
		"it is cut off with a node":     func(c *sim.Cluster, m *machine) { m.cut("n2", "n3"); c.Target("n1").Stop() },
		"it goes with a target of many": func(c *sim.Cluster, m *machine) { m.close(); c.Target("n1").Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			longest := time.Duration(0)
			for phase := time.Duration(0); phase < time.Second; phase += 100 * time.Millisecond {
				synctest.Test(t, func(t *testing.T) {
					c := targets(t, "n1", "n2", "n3")
					defer c.Close()
					a, b := on(t, c, all...), on(t, c, all...)
					defer b.close()
					defer a.close()
					first, second := two(t, a, b)
					time.Sleep(phase)
					start := time.Now()
					end(c, a)
					stopped := make(chan time.Duration, 1)
					go func() {
						<-first.Lost()
						stopped <- time.Since(start)
					}()
					next := <-second
					took := time.Since(start)
					select {
					case s := <-stopped:
						if took-s < 500*time.Millisecond {
							t.Errorf("the first stopped %v before the second had the seat", took-s)
						}
					default:
						t.Error("the second has the seat before the first has stopped")
					}
					if took > within {
						t.Errorf("taken over after %v", took)
					}
					if first.Check(t.Context()) == nil {
						t.Error("the first may go on")
					}
					longest = max(longest, took)
					next.Resign()
					first.Resign()
				})
			}
			t.Logf("taken over after %v at most", longest)
		})
	}
}

// TestWakesUpDeposed has the watch that has the seat hang, and wake up when another has
// it: it does nothing more.
func TestWakesUpDeposed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2")
		defer c.Close()
		a, b := on(t, c, "n1", "n2"), on(t, c, "n1", "n2")
		defer b.close()
		defer a.close()
		first, second := two(t, a, b)
		locks := lockOf(1, true, a)
		if err := take(t, locks, a, nil); err != nil {
			t.Fatal(err)
		}
		wake := a.pause()
		asked := make(chan error, 1)
		go func() { asked <- first.Check(t.Context()) }() // which waits
		next := <-second
		wake()
		if err := <-asked; err == nil {
			t.Error("it was told that it has the seat")
		}
		if err := first.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "lost the seat") {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
		if lost(next) {
			t.Error("the second has lost the seat")
		}
		for n, holder := range holders(t, b) {
			if holder != uuid(2) {
				t.Errorf("%s: %s has the seat", n, holder)
			}
		}
		first.Resign()
		locks.End()
		next.Resign()
		clean(t, b)
	})
}

// TestTargetHangs has a target hang, and one restart: neither costs the seat.
func TestTargetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2", "n3")
		defer c.Close()
		a, b := on(t, c, "n1", "n2", "n3"), on(t, c, "n1", "n2", "n3")
		defer b.close()
		defer a.close()
		first, second := two(t, a, b)
		c.Target("n1").Freeze()
		time.Sleep(time.Minute)
		if err := first.Check(t.Context()); err != nil || lost(first) {
			t.Errorf("n1 hangs: %v", err)
		}
		c.Target("n1").Thaw()
		time.Sleep(time.Minute)
		c.Target("n1").Stop()
		time.Sleep(time.Second)
		if err := c.Target("n1").Restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if lost(first) || len(second) > 0 {
			t.Error("the seat has changed hands")
		}
		for n, holder := range holders(t, b) {
			if holder != uuid(1) {
				t.Errorf("%s: %q has the seat", n, holder)
			}
		}
		first.Resign()
		start := time.Now()
		next := <-second
		if took := time.Since(start); took > 1500*time.Millisecond {
			t.Errorf("given up, the seat was taken after %v", took)
		}
		next.Resign()
		clean(t, b)
	})
}

// TestHalves cuts a cluster in two, with a watch in each half: each has the seat in its
// own. When they see each other again, one gives it up.
func TestHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2", "n3", "n4")
		defer c.Close()
		a, b := on(t, c, "n1", "n2", "n3", "n4"), on(t, c, "n1", "n2", "n3", "n4")
		defer b.close()
		defer a.close()
		first, second := two(t, a, b)
		a.cut("n1", "n2")
		b.cut("n3", "n4")
		other := <-second
		if err := first.Check(t.Context()); err != nil {
			t.Errorf("the first, in its half: %v", err)
		}
		if err := other.Check(t.Context()); err != nil {
			t.Errorf("the second, in its half: %v", err)
		}
		time.Sleep(time.Minute)
		a.cut()
		b.cut()
		time.Sleep(3 * time.Second)
		if !lost(first) || lost(other) {
			t.Errorf("the first has lost the seat: %v, the second: %v", lost(first), lost(other))
		}
		first.Resign()
		time.Sleep(3 * time.Second)
		for n, holder := range holders(t, b) {
			if holder != uuid(2) {
				t.Errorf("%s: %q has the seat", n, holder)
			}
		}
		other.Resign()
		clean(t, b)
	})
}

// TestManyAtOnce starts watches at once, and ends one after the other: never has more
// than one the seat.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2", "n3")
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		terms := make(chan *lock.Term)
		for i := range 5 {
			m := on(t, c, "n1", "n2", "n3")
			defer m.close()
			go func() {
				if term, err := seat(i+1).Lead(ctx, lab, m.clients); err == nil {
					terms <- term
				}
			}()
		}
		for range 5 {
			term := <-terms
			select {
			case <-terms:
				t.Error("two have the seat")
			case <-time.After(20 * time.Second):
			}
			if lost(term) {
				t.Error("it was lost")
			}
			term.Resign()
		}
	})
}
