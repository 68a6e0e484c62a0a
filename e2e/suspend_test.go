package e2e

import (
	"testing"
	"time"
)

// away is how long targets are stopped while their node is suspended: longer than an SPDK
// host bears an ANA state, and than patience.
const away = 15 * time.Second

// TestSuspendEngine stops the target of a volume's engine for a while, and starts it again: the
// host, which has written before, waits and has no error, and nothing is rebuilt.
func TestSuspendEngine(t *testing.T) { suspended(t, "n1") }

// TestSuspendLeg does that to the target of a replica.
func TestSuspendLeg(t *testing.T) { suspended(t, "n2") }

func suspended(t *testing.T, node string) {
	l, w := waiting(t)
	w.Going(100, 30*time.Second)
	l.Suspended = node
	l.Configure(waitVolume)
	start := time.Now()
	l.Apply(0)
	held := time.Since(start)
	l.Kill(node)
	stopped := time.Now()
	w.Stalled(time.Second, 30*time.Second)
	l.Apply(0) // nothing is let go of, and nothing served elsewhere
	time.Sleep(time.Until(stopped.Add(away)))
	l.Start(node)
	l.Apply(0) // the word stands
	l.Suspended = ""
	l.Configure(waitVolume)
	back := time.Now()
	events := l.StartApply().Expect(0)
	took := time.Since(back)
	on := w.Going(1, 30*time.Second)
	if copies := Copies(events); len(copies) > 0 {
		t.Errorf("something was copied: %v", copies)
	}
	t.Logf("suspended in %v; its target was away for %v; served again in %v, and the host went on %v after the word was gone; 0 bytes rebuilt",
		held.Round(time.Millisecond), back.Sub(stopped).Round(time.Millisecond), took.Round(time.Millisecond), on.Sub(back).Round(time.Millisecond))
	t.Log(l.finish(w))
}
