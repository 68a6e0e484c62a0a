package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is that of these labs: how long a lost peer is waited for.
const patience = 5 * time.Second

const waitLinks = `{loss: "wait", patience: "5s"}`

// waiting is a lab of two nodes over links that wait, with a volume in use and a
// host that verifies what it writes.
func waiting(t *testing.T) (*Lab, *Writer) {
	t.Helper()
	l := NewLabOf(t, gib, "n1", "n2")
	l.Links = waitLinks
	l.Configure(waitVolume)
	l.Apply(0)
	if heads := l.Heads("db"); !strings.HasSuffix(heads["n1"], "wp") || !strings.HasSuffix(heads["n2"], "w") {
		t.Fatalf("heads are %v", heads)
	}
	return l, l.StartWriter("db", 3, 2, 8)
}

const waitVolume = `db: {size: 16Mi, replicas: 2, engine: "n1", export: nvmf: hosts: "any"}`

// finish ends the host and compares the replicas with what it wrote.
func (l *Lab) finish(w *Writer) Load {
	l.t.Helper()
	w.Going(100, 30*time.Second)
	l.Settled()
	load := w.Stop()
	stacks := l.Stacks("db")
	l.Kill()
	l.SameStacks(stacks, func(what string, image []byte) error {
		_, err := w.Check(image, what != "head")
		return err
	})
	return load
}

// TestPatience ends a replica's target and starts it again while apply waits for it:
// the host waits, nothing is rebuilt, no epoch is minted.
func TestPatience(t *testing.T) {
	l, w := waiting(t)
	before := l.Heads("db")
	l.Kill("n2")
	w.Stalled(time.Second, 30*time.Second)
	run := l.StartApply("--timeout", "5s")
	time.Sleep(time.Second)
	start := time.Now()
	l.Start("n2")
	again := time.Since(start)
	on := w.Going(1, 30*time.Second)
	events := run.Expect(0)
	if after := l.Heads("db"); after["n1"] != before["n1"] || after["n2"] != before["n2"] {
		t.Errorf("epochs were minted: %v, then %v", before, after)
	}
	if copies := Copies(events); len(copies) > 0 {
		t.Errorf("something was copied: %v", copies)
	}
	if lost := l.Targets["n1"].LostLegs(); lost != 0 {
		t.Errorf("%d legs were lost", lost)
	}
	t.Logf("the target answered %v after it was started; the host went on %v after that; 0 bytes rebuilt", again.Round(time.Millisecond), on.Sub(start.Add(again)).Round(time.Millisecond))
	t.Log(l.finish(w))
}

// TestPatienceOver ends it for good: the epoch without it is on disk before the leg is
// let go, and the host waits no longer than patience and 2 s.
func TestPatienceOver(t *testing.T) {
	l, w := waiting(t)
	record := filepath.Join(l.Dir, "rpc.log")
	l.Kill("n2")
	run := l.StartApply("--timeout", "5s", "--debug-rpc", record)
	on := w.Going(1, 30*time.Second)
	run.Expect(3)
	hold := on.Sub(run.start)
	t.Logf("the host went on %v after its replica was killed and apply was started; patience is %v", hold.Round(time.Millisecond), patience)
	if hold < patience || hold > patience+2*time.Second {
		t.Errorf("the host waited for %v", hold)
	}
	minted, letGo := answered(t, record, "bdev_lvol_rename"), sent(t, record, "bdev_nvme_disable_controller")
	t.Logf("the next epoch was on disk %v before the leg was let go", letGo.Sub(minted))
	if minted.IsZero() || letGo.IsZero() || minted.After(letGo) {
		t.Errorf("the epoch was minted at %v, and the leg let go at %v", minted, letGo)
	}
	l.Start("n2")
	l.Apply(0)
	t.Log(l.finish(w))
}

// TestPatienceHung stops it: it is let go before patience is over, after the epoch was
// minted.
func TestPatienceHung(t *testing.T) {
	l, w := waiting(t)
	record := filepath.Join(l.Dir, "rpc.log")
	l.Targets["n2"].Freeze()
	w.Stalled(time.Second, 30*time.Second)
	run := l.StartApply("--timeout", "5s", "--debug-rpc", record)
	on := w.Going(1, 30*time.Second)
	if code := run.Wait(); code != 3 && code != 1 {
		t.Fatalf("apply ended with %d:\n%s", code, run.Out())
	}
	t.Logf("the host went on %v after apply was started", on.Sub(run.start).Round(time.Millisecond))
	if took := on.Sub(run.start); took > patience {
		t.Errorf("the host waited for %v", took)
	}
	if minted, letGo := answered(t, record, "bdev_lvol_rename"), sent(t, record, "bdev_nvme_disable_controller"); minted.IsZero() || minted.After(letGo) {
		t.Errorf("the epoch was minted at %v, and the leg let go at %v", minted, letGo)
	}
	l.Targets["n2"].Thaw()
	l.Apply(0)
	t.Log(l.finish(w))
}

// TestLinksChange changes what links do of a lost peer, and back, while the host
// writes: it waits once for each, no leg is lost, and nothing is copied.
func TestLinksChange(t *testing.T) {
	l, w := waiting(t)
	drop := "{ctrlrLossTimeoutSec: 3, reconnectDelaySec: 1, fastIOFailTimeoutSec: 2}"
	for _, links := range []string{drop, waitLinks} {
		l.Links = links
		l.Configure(waitVolume)
		events := l.StartApply().Expect(0)
		if copies := Copies(events); len(copies) > 0 {
			t.Errorf("something was copied: %v", copies)
		}
		if lost := l.Targets["n1"].LostLegs(); lost != 0 {
			t.Errorf("%d legs were lost", lost)
		}
		for _, p := range Pauses(events) {
			t.Logf("links %s: hosts were held for %v", links, p.Took().Round(time.Millisecond))
		}
		w.Going(100, 30*time.Second)
	}
	t.Log(l.finish(w))
}

// exchange is a line of a record of RPCs.
type exchange struct {
	Time    time.Time
	Node    string
	Method  string
	Params  json.RawMessage
	Seconds float64
	Error   any
}

// answered is when a call to a method was first answered with success, and sent when
// one was first sent; zero for never.
func answered(t *testing.T, record, method string) time.Time {
	t.Helper()
	for _, e := range exchanges(t, record) {
		if e.Method == method && e.Error == nil {
			return e.Time.Add(time.Duration(e.Seconds * float64(time.Second)))
		}
	}
	return time.Time{}
}

func sent(t *testing.T, record, method string) (at time.Time) {
	t.Helper()
	for _, e := range exchanges(t, record) {
		if e.Method == method && (at.IsZero() || e.Time.Before(at)) {
			at = e.Time
		}
	}
	return at
}

func exchanges(t *testing.T, record string) (all []exchange) {
	t.Helper()
	f, err := os.Open(record)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
