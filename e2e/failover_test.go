package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const failoverVolume = `db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: hosts: "any"}`

// TestFailover stops the target of an engine that has no replica of its own, under a host
// that verifies what it writes. Another takes over; the old one is back with its mirror,
// its queued writes and its listener, ends without having any of them done, and serves
// again. What was acknowledged is on both replicas.
func TestFailover(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = waitLinks
	l.Configure(failoverVolume)
	l.Apply(0)
	if heads := l.Heads("db"); !strings.HasSuffix(heads["n1"], "w") || !strings.HasSuffix(heads["n2"], "w") {
		t.Fatalf("heads are %v", heads)
	}
	w := l.StartWriter("db", 3, 2, 8)
	w.Going(100, 30*time.Second)
	l.Targets["n3"].Freeze()
	w.Stalled(time.Second, 30*time.Second)

	l.StartApply("--timeout", "3s").Expect(3)
	if heads := l.headsOf("n1", "n2"); !strings.HasSuffix(heads[0], "w") || !strings.HasSuffix(heads[1], "w") {
		t.Fatalf("without a word heads are %v", heads)
	}
	run := l.StartApply("--timeout", "3s", "--failover", "db")
	run.Expect(3)
	heads := l.headsOf("n1", "n2")
	if !strings.HasSuffix(heads[0], "p") && !strings.HasSuffix(heads[1], "p") {
		t.Fatalf("nobody has taken over: heads are %v", heads)
	}
	t.Logf("taken over %v after apply was started: %v", time.Since(run.start).Round(time.Millisecond), heads)

	l.Targets["n3"].Thaw()
	l.Apply(0)
	t.Log(l.finish(w))
}

// headsOf are the names of the heads of some nodes, for one that is stopped answers nothing.
func (l *Lab) headsOf(nodes ...string) (heads []string) {
	l.t.Helper()
	for _, n := range nodes {
		var lvols []struct{ Name string }
		l.Targets[n].Into(&lvols, "bdev_lvol_get_lvols", "")
		for _, lv := range lvols {
			if strings.Contains(lv.Name, "#") {
				heads = append(heads, lv.Name)
			}
		}
	}
	return heads
}

// TestFailoverWatched ends the engine of a volume whose engine has no replica of its own,
// and once more has it hang, while a watch runs and a host with both paths verifies what it
// writes. Another takes over by itself. The host goes on within 2 s of when the engine was
// waited for long enough, and what it has to retry; from one that hangs an SPDK host
// goes nowhere, but another has taken over within 2.5 times as long as its connections
// live without a sign of it.
func TestFailoverWatched(t *testing.T) {
	const patience, signs = 2 * time.Second, 10 * time.Second
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = `{loss: "wait", patience: "2s"}`
	l.Configure(`db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 1}, auto: ["serve", "fence", "rebuild", "change"], failover: "auto"}`)
	watch := l.StartWatch()
	watch.Logged(time.Time{}, "nothing is left to do", `"converged":true`)
	w := l.StartWriter("db", 3, 2, 8)

	killed := time.Now()
	l.Kill("n3")
	on := w.Going(1, time.Minute)
	t.Logf("the engine was killed, and the host went on after %v; a node is waited for for %v", on.Sub(killed).Round(time.Millisecond), patience)
	if most := patience + 2*time.Second + spdkRetry + retryLate; on.Sub(killed) > most {
		t.Errorf("that is more than %v", most)
	}
	w.Going(100, 30*time.Second)
	l.Start("n3")
	again := time.Now()
	watch.Logged(again, "nothing is left to do", `"converged":true`)
	if _, x := l.exported("db"); x == nil {
		t.Fatal("it is exported nowhere")
	}

	// A person has it moved back, and there it hangs.
	w.Going(100, 30*time.Second)
	l.Apply(0)
	w.Going(100, 30*time.Second)
	engine := l.Targets["n3"]
	hung := time.Now()
	engine.Freeze()
	watch.Logged(hung, "step done", "local to the engine")
	took := time.Since(hung)
	t.Logf("the engine on %s hung, and another had taken over after %v", engine.Name, took.Round(time.Millisecond))
	if took > signs*5/2 {
		t.Errorf("that is more than %v", signs*5/2)
	}
	engine.Thaw()
	watch.Logged(time.Now(), "step done", "listen for nqn.2026-01.io.strata:e2e:db")
	l.Apply(0) // it moves back
	watch.Stop()
	t.Log(l.finish(w))
}

// failoverTrips is how many round trips lie between the first call of a failover, once the
// engine is known to be gone, and that which has hosts go on, at most.
const failoverTrips = 10

// TestFailoverTrips ends the engine of a volume whose engine has no replica of its own, and
// counts the round trips that it takes to have another serve its hosts.
func TestFailoverTrips(t *testing.T) {
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = waitLinks
	l.Configure(`db: {size: 16Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 2}}`)
	l.Apply(0)
	w := l.StartWriter("db", 3, 2, 8)
	record := filepath.Join(l.Dir, "failover.rpc")
	l.Kill("n3")
	run := l.StartApply("--timeout", "3s", "--failover", "db", "--debug-rpc", record)
	on := w.Going(1, time.Minute)
	run.Expect(3)

	fenced, served := sent(t, record, "nvmf_subsystem_remove_host"), answered(t, record, "nvmf_subsystem_listener_set_ana_state")
	trips := sequence(t, record, fenced, served, "n1", "n2")
	t.Logf("hosts were let go on %d round trips and %v after the first call of the failover, and %v after apply was started; the host went on after %v. A round trip takes %v",
		len(trips), served.Sub(fenced).Round(time.Millisecond), served.Sub(run.start).Round(time.Millisecond), on.Sub(run.start).Round(time.Millisecond), l.roundTripOf("n1", "n2").Round(100*time.Microsecond))
	if fenced.IsZero() || served.IsZero() || len(trips) > failoverTrips {
		t.Errorf("that are more than %d round trips: %s", failoverTrips, strings.Join(trips, ", "))
	}
	l.Start("n3")
	l.Apply(0)
	t.Log(l.finish(w))
}

// sequence is a longest one of calls of a record to some nodes, between two times, each of
// which was sent after the one before was answered.
func sequence(t *testing.T, record string, from, to time.Time, nodes ...string) (calls []string) {
	t.Helper()
	all := exchanges(t, record)
	end := func(e exchange) time.Time { return e.Time.Add(time.Duration(e.Seconds * float64(time.Second))) }
	slices.SortFunc(all, func(a, b exchange) int { return end(a).Compare(end(b)) })
	for last := from; ; {
		i := slices.IndexFunc(all, func(e exchange) bool {
			return slices.Contains(nodes, e.Node) && !e.Time.Before(last) && !end(e).After(to)
		})
		if i < 0 {
			return calls
		}
		last = end(all[i])
		calls = append(calls, all[i].Node+" "+all[i].Method)
	}
}
