package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// watched is a lab of nodes over links that wait, with a volume that has a replica on
// each, a host that verifies what it writes, and a watch.
func watched(t *testing.T, nodes ...string) (*Lab, *Writer, *Watch) {
	t.Helper()
	l := NewLabOf(t, gib, nodes...)
	l.Links = waitLinks
	on, _ := json.Marshal(nodes)
	l.Configure(`db: {size: 16Mi, replicas: on: ` + string(on) + `, engine: "n1", export: nvmf: hosts: "any"}`)
	watch := l.StartWatch()
	watch.Logged(time.Time{}, "nothing is left to do", `"converged":true`)
	return l, l.StartWriter("db", 3, 2, 8), watch
}

// TestWatchPatience ends a replica's target and starts it again in time, twice, while a
// watch runs: the host waits, and nothing is rebuilt.
func TestWatchPatience(t *testing.T) {
	l, w, watch := watched(t, "n1", "n2")
	before := l.Heads("db")
	for range 2 {
		killed := time.Now()
		l.Kill("n2")
		w.Stalled(500*time.Millisecond, 30*time.Second)
		l.Start("n2")
		again := time.Now()
		on := w.Going(1, 30*time.Second)
		t.Logf("the target was killed, and answered again after %v; the host waited for %v in all, %v of it after that", again.Sub(killed).Round(time.Millisecond), on.Sub(killed).Round(time.Millisecond), on.Sub(again).Round(time.Millisecond))
		if late := on.Sub(again); late > 4*time.Second {
			t.Errorf("the host went on %v after the target answered", late)
		}
		w.Going(100, 30*time.Second)
	}
	if after := l.Heads("db"); after["n1"] != before["n1"] || after["n2"] != before["n2"] {
		t.Errorf("epochs were minted: %v, then %v", before, after)
	}
	for _, e := range exchanges(t, watch.Record) {
		if e.Method == "bdev_lvol_start_shallow_copy" || e.Method == "bdev_nvme_disable_controller" {
			t.Errorf("%s was called", e.Method)
		}
	}
	if lost := l.Targets["n1"].LostLegs(); lost != 0 {
		t.Errorf("%d legs were lost", lost)
	}
	t.Log("0 bytes rebuilt")
	watch.Stop()
	t.Log(l.finish(w))
}

// TestWatchPatienceOver ends it for good: the host waits no longer than patience and
// 2 s, and the next epoch is on disk, on all replicas that stay, before the leg is let
// go. When the target is back, its replica is made current again.
func TestWatchPatienceOver(t *testing.T) {
	l, w, watch := watched(t, "n1", "n2", "n3")
	killed := time.Now()
	l.Kill("n2")
	on := w.Going(1, 30*time.Second)
	hold := on.Sub(killed)
	t.Logf("the host went on %v after its replica was killed; patience is %v", hold.Round(time.Millisecond), patience)
	if hold < patience || hold > patience+2*time.Second {
		t.Errorf("the host waited for %v", hold)
	}
	watch.Logged(killed, "step done", "disable controller")
	letGo, minted := time.Time{}, map[string]time.Time{}
	for _, e := range exchanges(t, watch.Record) {
		switch {
		case e.Time.Before(killed) || e.Error != nil:
		case e.Method == "bdev_lvol_rename" && letGo.IsZero():
			minted[e.Node] = e.Time.Add(time.Duration(e.Seconds * float64(time.Second)))
		case e.Method == "bdev_nvme_disable_controller" && letGo.IsZero():
			letGo = e.Time
		}
	}
	if len(minted) != 2 || minted["n1"].IsZero() || minted["n3"].IsZero() || letGo.IsZero() {
		t.Fatalf("the epoch was minted at %v, and the leg let go at %v", minted, letGo)
	}
	for _, node := range []string{"n1", "n3"} {
		t.Logf("the next epoch was on the disk of %s %v before the leg was let go", node, letGo.Sub(minted[node]))
		if minted[node].After(letGo) {
			t.Errorf("the epoch was minted on %s at %v, and the leg let go at %v", node, minted[node], letGo)
		}
	}
	if minted["n3"].Before(minted["n1"]) {
		t.Error("the engine's own head was not the first")
	}
	l.Start("n2")
	again := time.Now()
	watch.Logged(again, "nothing is left to do", `"converged":true`)
	t.Logf("current again %v after the target answered", time.Since(again).Round(time.Millisecond))
	watch.Stop()
	t.Log(l.finish(w))
}

// TestWatchEngine ends the target of the engine and starts it again: hosts reach the
// volume again within 3 s of its socket answering.
func TestWatchEngine(t *testing.T) {
	l, w, watch := watched(t, "n1", "n2")
	nqn, _ := l.Export("db")
	for range 2 {
		killed := time.Now()
		l.Kill("n1")
		time.Sleep(2 * time.Second)
		l.Start("n1")
		answers := time.Now()
		w.Going(1, 30*time.Second)
		on := time.Now()
		served := time.Time{}
		Eventually(t, 10*time.Second, "the record says that it listens", func() error {
			all := exchanges(t, watch.Record)
			i := slices.IndexFunc(all, func(e exchange) bool {
				return e.Time.After(killed) && e.Error == nil && e.Method == "nvmf_subsystem_add_listener" && strings.Contains(string(e.Params), nqn)
			})
			if i < 0 {
				return wanted{"nothing", nqn}
			}
			served = all[i].Time.Add(time.Duration(all[i].Seconds * float64(time.Second)))
			return nil
		})
		t.Logf("served %v after the socket answered; the host, which tries to connect each second, went on %v after it", served.Sub(answers).Round(time.Millisecond), on.Sub(answers).Round(time.Millisecond))
		if late := served.Sub(answers); late > 3*time.Second {
			t.Errorf("it was served %v after the socket answered", late)
		}
		w.Going(100, 30*time.Second)
	}
	watch.Logged(time.Now().Add(-time.Second), "looked", "") // what the last run found is what is checked
	watch.Stop()
	t.Log(l.finish(w))
}

// hungLimit is how long a host may have to wait for a peer that hangs: its pulse is given
// 5 s, one more until it is taken, and for 2 s it may be one that has vanished.
const hungLimit = 8*time.Second + 2*time.Second

// TestWatchHung stops a replica's target, whose kernel goes on to acknowledge packets:
// it is let go of after the epoch was minted, and made current again when it goes on.
func TestWatchHung(t *testing.T) {
	l, w, watch := watched(t, "n1", "n2")
	stopped := time.Now()
	l.Targets["n2"].Freeze()
	on := w.Going(1, 30*time.Second)
	watch.Logged(stopped, "step done", "disable controller")
	hold := on.Sub(stopped)
	t.Logf("the host went on %v after its replica hung", hold.Round(time.Millisecond))
	if hold > hungLimit {
		t.Errorf("the host waited for %v", hold)
	}
	minted, letGo := time.Time{}, time.Time{}
	for _, e := range exchanges(t, watch.Record) {
		switch {
		case e.Time.Before(stopped) || e.Error != nil:
		case e.Method == "bdev_lvol_rename" && e.Node == "n1" && minted.IsZero():
			minted = e.Time.Add(time.Duration(e.Seconds * float64(time.Second)))
		case e.Method == "bdev_nvme_disable_controller" && letGo.IsZero():
			letGo = e.Time
		}
	}
	if minted.IsZero() || letGo.IsZero() || minted.After(letGo) {
		t.Errorf("the epoch was minted at %v, and the leg let go at %v", minted, letGo)
	}
	l.Targets["n2"].Thaw()
	again := time.Now()
	watch.Logged(again, "nothing is left to do", `"converged":true`)
	t.Logf("current again %v after it went on", time.Since(again).Round(time.Millisecond))
	watch.Stop()
	t.Log(l.finish(w))
}
