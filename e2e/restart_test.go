package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestAllRestarted kills every target. They come back with nothing but their
// disks, and one apply serves every volume again. One with data is served from
// its authority at once, for nothing on a disk tells that its replicas are
// equal; the other is then rebuilt.
func TestAllRestarted(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`{
		db: {size: 256Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}
		solo: {size: 256Mi, replicas: 1, export: nvmf: hosts: "any"}
		empty: {size: 256Mi, replicas: 3, export: nvmf: hosts: "any"}
	}`)
	l.Apply(0)
	db, solo := Pattern(1, 16*mib), Pattern(2, 4*mib)
	l.Write("db", 8, db)
	l.Write("solo", 0, solo)
	nqn, _ := l.Export("db")

	// However often the power goes.
	for range 2 {
		l.Kill()
		l.Start()
		events := l.StartApply().Expect(0)
		served, rebuilt := first(events, "db", "listen for "), first(events, "db", "copy ")
		if served.IsZero() || rebuilt.IsZero() || rebuilt.Before(served) {
			t.Fatalf("served at %v, copied at %v: %v", served, rebuilt, events)
		}
		t.Logf("served again after %v, whole after %v", served.Sub(events[0].Time), events[len(events)-2].End().Sub(events[0].Time))
		l.Read("db", 8, db)
		l.Read("solo", 0, solo)
		if again, _ := l.Export("db"); again != nqn {
			t.Errorf("hosts knew %s; it is %s now", nqn, again)
		}
		l.Settled()
	}
	heads := l.Heads("db")
	if len(heads) != 2 || !strings.HasSuffix(heads["n1"], "p") || strings.HasSuffix(other(heads, "n1"), "x") {
		t.Errorf("heads are %v; want two that are current, n1's the authority", heads)
	}
	l.Kill()
	l.Replicas(heads, 8, db)
}

// first is when the first step of a volume with such a text began.
func first(events []Event, volume, text string) time.Time {
	for _, e := range events {
		if e.Event == "step" && e.Section == "volume "+volume && strings.HasPrefix(e.Text, text) {
			return e.Time
		}
	}
	return time.Time{}
}

// other is the head on any node but one.
func other(heads map[string]string, node string) string {
	for n, h := range heads {
		if n != node {
			return h
		}
	}
	return ""
}

// TestNodeDies kills one target while the others go on. Its leg is lost, the
// names say so, and when it comes back its replica is fenced and rebuilt.
func TestNodeDies(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`db: {size: 256Mi, replicas: 3, engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	old, now := Pattern(1, 4*mib), Pattern(2, 4*mib)
	l.Write("db", 0, old)

	l.Kill("n3")
	Eventually(t, time.Minute, "n1 lets the leg on n3 go", func() error { return l.lost("n1", 1) })
	l.Write("db", 0, now)
	r := l.Apply(3)
	heads := l.Heads("db")
	if !strings.HasSuffix(heads["n1"], "#3.2p") || !strings.HasSuffix(heads["n2"], "#3.2") {
		t.Fatalf("heads are %v after:\n%s", heads, r.Out)
	}

	l.Start("n3")
	r = l.Apply(0)
	if !strings.Contains(r.Out, "#3x") {
		t.Errorf("the replica of n3 was not fenced before anything else:\n%s", r.Out)
	}
	l.Settled()
	l.Read("db", 0, now)
	heads = l.Heads("db")
	l.Kill()
	l.Replicas(heads, 0, now)
}

// lost expects so many legs to be gone.
func (l *Lab) lost(node string, want int) error {
	if got := l.Targets[node].LostLegs(); got != want {
		return wanted{got, want}
	}
	return nil
}

// TestNodeBackInTime kills a target that is back before anybody gives it up:
// nothing is lost, and apply connects everything again.
func TestNodeBackInTime(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Links = "{ctrlrLossTimeoutSec: 60, reconnectDelaySec: 1, fastIOFailTimeoutSec: 50}"
	l.Configure(`db: {size: 256Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}`)
	l.Apply(0)
	data := Pattern(1, 4*mib)
	l.Write("db", 0, data)
	heads := l.Heads("db")
	for node := range heads {
		if node != "n1" {
			l.Kill(node)
			l.Start(node)
		}
	}
	l.Apply(0)
	Eventually(t, time.Minute, "the link is connected again", func() error {
		if r := l.Strata("plan", "--detailed-exitcode"); r.Code != 0 {
			return wanted{r.Out, "nothing to do"}
		}
		return nil
	})
	more := Pattern(2, 4*mib)
	l.Write("db", 8, more)
	l.Read("db", 0, data)
	heads = l.Heads("db")
	l.Kill()
	l.Replicas(heads, 8, more)
}
