package lock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"strata/lineage"
	"strata/lock"
	"strata/spdk"
)

// TestWish has an apply come to nodes that a watch has locked: the watch hears of it
// within a second, and when it has given them up, it waits until the apply is done.
// Nothing of the wish is left.
func TestWish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2", "n3")
		defer c.Close()
		m := on(t, c, "n1", "n2", "n3")
		defer m.close()
		watch := lockOf(1, true, m)
		if err := take(t, watch, m, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		select {
		case <-watch.Wished():
			t.Fatal("somebody wished for the lock")
		default:
		}
		apply := lockOf(2, false, m)
		apply.Wait = 10 * time.Second // as of apply, unless it is told otherwise
		told := make(chan string, 10)
		apply.Tell = func(s string) { told <- s }
		start := time.Now()
		taken := make(chan error, 1)
		go func() { taken <- take(t, apply, m, nil) }()
		<-watch.Wished()
		heard := time.Since(start)
		if heard > 1500*time.Millisecond {
			t.Errorf("the watch heard of the wish after %v", heard)
		}
		time.Sleep(5 * time.Second) // steps in hand
		watch.End()
		watch.Begin(lab, m.clients)
		back := make(chan error, 1)
		go func() { back <- take(t, watch, m, nil) }()
		if err := <-taken; err != nil {
			t.Fatal(err)
		}
		if text := <-told; text[:len("waiting for user1@lab")] != "waiting for user1@lab" {
			t.Error(text)
		}
		time.Sleep(time.Minute)
		select {
		case err := <-back:
			t.Fatalf("the watch did not wait: %v", err)
		default:
		}
		done := time.Now()
		apply.End()
		if err := <-back; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(done); took > time.Second {
			t.Errorf("the watch had the nodes again after %v", took)
		}
		t.Logf("heard after %v", heard)
		watch.End()
		clean(t, m)
	})
}

// clean expects nothing to be left of locks, wishes and seats.
func clean(t *testing.T, m *machine) {
	t.Helper()
	for name, target := range m.clients {
		var all []spdk.Bdev
		if err := target.Round(t.Context(), spdk.GetBdevs(&all)); err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			t.Errorf("%s: %s is left", name, b.Name)
		}
	}
}

// TestWishOfTheDead leaves a wish whose owner is no more: the watch gives the nodes up
// once, for some seconds, and goes on.
func TestWishOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2")
		defer c.Close()
		m := on(t, c, "n1", "n2")
		defer m.close()
		watch := lockOf(1, true, m)
		if err := take(t, watch, m, nil); err != nil {
			t.Fatal(err)
		}
		dying := on(t, c, "n1", "n2")
		ctx, die := context.WithCancel(t.Context())
		go func() {
			snap := read(t, m)
			_ = lockOf(2, false, dying).Take(ctx, []lineage.Node{"n1", "n2"}, snap, nil)
		}()
		<-watch.Wished()
		dying.close()
		die()
		watch.End()
		watch.Begin(lab, m.clients)
		start := time.Now()
		if err := take(t, watch, m, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("the watch had the nodes again after %v", took)
		}
		time.Sleep(10 * time.Second)
		select {
		case <-watch.Wished():
			t.Error("the wish has come back")
		default:
		}
		watch.End()
		clean(t, m)
	})
}

// TestWishWithdrawn stops waiting for a watch that does not give way: the wish is gone.
func TestWishWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2")
		defer c.Close()
		m := on(t, c, "n1", "n2")
		defer m.close()
		watch := lockOf(1, true, m)
		if err := take(t, watch, m, nil); err != nil {
			t.Fatal(err)
		}
		apply := lockOf(2, false, m)
		apply.Wait = 3 * time.Second
		err := take(t, apply, m, nil)
		if !lock.IsLocked(err) {
			t.Errorf("%v", err)
		}
		<-watch.Wished()
		watch.End()
		clean(t, m)
	})
}

// TestWatchDiesWithLock has a watch that has locked nodes go with its machine. An apply
// does not take its locks over, for it knows nothing of that machine; the next watch does,
// within 5 s.
func TestWatchDiesWithLock(t *testing.T) {
	for _, watching := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := targets(t, "n1", "n2", "n3")
			defer c.Close()
			m, gone := on(t, c, "n1", "n2", "n3"), on(t, c, "n1", "n2", "n3")
			defer m.close()
			former := lockOf(1, true, gone)
			if err := take(t, former, gone, nil); err != nil {
				t.Fatal(err)
			}
			next := lockOf(2, watching, m)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { // the next stands by
				for ctx.Err() == nil {
					next.LookOn(ctx)
					time.Sleep(500 * time.Millisecond)
				}
			}()
			time.Sleep(10 * time.Second)
			start := time.Now()
			gone.close()
			time.Sleep(3 * time.Second)
			cancel()
			next.Wait = time.Minute
			err := take(t, next, m, nil)
			switch took := time.Since(start); {
			case watching && (err != nil || took > 5*time.Second):
				t.Errorf("the next watch: %v after %v", err, took)
			case !watching && !lock.IsLocked(err):
				t.Errorf("an apply: %v after %v", err, took)
			}
			next.End()
			former.End()
		})
	}
}

// TestWatchCannotTell cuts a watch off from a node that it has locked: before another may
// take the lock over it changes nothing there any more.
func TestWatchCannotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := targets(t, "n1", "n2")
		defer c.Close()
		m := on(t, c, "n1", "n2")
		defer m.close()
		watch := lockOf(1, true, m)
		if err := take(t, watch, m, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		m.cut("n2")
		time.Sleep(2100 * time.Millisecond)
		if err := watch.Allows("n2"); err == nil {
			t.Error("it still changes n2")
		}
		if err := watch.Allows("n1"); err != nil {
			t.Error(err)
		}
		m.cut()
		time.Sleep(2 * time.Second)
		if err := watch.Allows("n2"); err != nil {
			t.Error(err)
		}
		watch.End()
	})
}
