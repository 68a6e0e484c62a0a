package etcdtest

import (
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// TestTakeOver ends the watch that leads in each way there is. The next leads within 5 s,
// and the former, when it comes back, does nothing in its old term.
func TestTakeOver(t *testing.T) {
	c := start(t, nil)
	for range 3 {
		t.Run("its process is killed", func(t *testing.T) { takeOver(t, c, (*watch).kill) })
		t.Run("its machine is cut off", func(t *testing.T) {
			first, second, j := takeOver(t, c, (*watch).cut)
			first.mend()
			time.Sleep(2 * time.Second) // what was sent arrives
			begin := time.Now()
			second.cut()
			j.next(t, 2)
			if took := time.Since(begin); took > within {
				t.Errorf("taken back after %v", took)
			}
			second.mend()
		})
	}
}

// takeOver ends the first of two watches.
func takeOver(t *testing.T, c *etcd, end func(*watch)) (first, second *watch, j *journal) {
	t.Helper()
	first, second = c.watch(t, 1), c.watch(t, 2)
	told := make(chan string, 10)
	second.etcd.Tell = func(s string) { told <- s }
	j = run(t, t.Context(), first, second)
	select {
	case text := <-told:
		if text != "standing by: watch1@lab leads, by election of etcd" {
			t.Error(text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the second does not stand by")
	}
	begin := time.Now()
	end(first)
	j.next(t, 1)
	took := time.Since(begin)
	t.Logf("taken over after %v", took.Round(time.Millisecond))
	if took > within {
		t.Errorf("taken over after %v", took)
	}
	return first, second, j
}

// TestDeposed asks, before and after it is cut off, a watch that leads and does not look
// by itself: in time it is told that it leads no more, and its term stays over.
func TestDeposed(t *testing.T) {
	c := start(t, nil)
	first, second := c.watch(t, 1), c.watch(t, 2)
	old, err := first.etcd.Lead(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Resign()
	if err := old.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.cut()
	begin := time.Now()
	select {
	case <-old.Lost():
	case <-time.After(within):
		t.Fatal("the term does not end")
	}
	stopped := time.Since(begin)
	next, err := second.etcd.Lead(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("stopped after %v, another leads after %v", stopped.Round(time.Millisecond), took.Round(time.Millisecond))
	if took-stopped < 500*time.Millisecond {
		t.Errorf("it stopped %v before another leads", took-stopped)
	}
	first.mend()
	if err := old.Check(t.Context()); err == nil {
		t.Error("it is told that it leads")
	}
	if err := next.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// Another cluster is elected for by itself.
	other, err := first.etcd.Lead(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	other.Resign()
	if err := next.Check(t.Context()); err != nil {
		t.Error(err)
	}
	// Given up, another leads at once.
	elected := make(chan time.Time, 1)
	go func() {
		if term, err := first.etcd.Lead(t.Context(), "lab"); err == nil {
			elected <- time.Now()
			term.Resign()
		}
	}()
	time.Sleep(time.Second)
	begin = time.Now()
	next.Resign()
	if took := (<-elected).Sub(begin); took > time.Second {
		t.Errorf("given up, it was taken after %v", took)
	}
}

// TestMemberLost kills the member that leads etcd, and cuts it off: the watches go on,
// or another leads; never do two.
func TestMemberLost(t *testing.T) {
	for name, end := range map[string]func(*etcd, *member, []*watch){
		"killed":                         func(_ *etcd, m *member, _ []*watch) { m.kill() },
		"cut off from the other members": func(c *etcd, m *member, _ []*watch) { c.isolate(m) },
		"cut off from the watches": func(c *etcd, m *member, watches []*watch) {
			for _, w := range watches {
				w.ways[slices.Index(c.members, m)].cut()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, nil)
			watches := []*watch{c.watch(t, 1), c.watch(t, 2)}
			j := run(t, t.Context(), watches...)
			time.Sleep(2 * time.Second)
			end(c, c.leader(t), watches)
			longest := time.Duration(0)
			for begin := time.Now(); time.Since(begin) < 15*time.Second; time.Sleep(10 * time.Millisecond) {
				longest = max(longest, j.ago())
			}
			t.Logf("nobody led for %v at most", longest.Round(time.Millisecond))
			if longest > 10*time.Second { // etcd, too, has to find a leader, who gives leases more time
				t.Errorf("nobody led for %v", longest)
			}
		})
	}
}

// TestRestarted kills all members: nobody leads. When they are back, one does.
func TestRestarted(t *testing.T) {
	c := start(t, nil)
	j := run(t, t.Context(), c.watch(t, 1), c.watch(t, 2))
	for _, m := range c.members {
		m.kill()
	}
	time.Sleep(5 * time.Second)
	if ago := j.ago(); ago < 2*time.Second {
		t.Errorf("somebody was told %v ago that it leads", ago)
	}
	for _, m := range c.members {
		m.start(t)
	}
	c.ready(t)
	begin := time.Now()
	for j.ago() > time.Second {
		if time.Since(begin) > 15*time.Second {
			t.Fatal("nobody leads")
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("one leads %v after etcd is back", time.Since(begin).Round(time.Millisecond))
}

// TestKeyTaken takes the key of a watch that leads away, with its lease alive: it leads no
// more.
func TestKeyTaken(t *testing.T) {
	c := start(t, nil)
	w := c.watch(t, 1)
	term, err := w.etcd.Lead(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	defer term.Resign()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + c.members[0].client}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	r, err := client.Delete(t.Context(), "/strata/lab/watch/", clientv3.WithPrefix())
	if err != nil || r.Deleted != 1 {
		t.Fatal(r, err)
	}
	if err := term.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "does not lead any more") {
		t.Errorf("%v", err)
	}
	select {
	case <-term.Lost():
	default:
		t.Error("the term is not over")
	}
}
