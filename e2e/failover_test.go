package e2e

import (
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
