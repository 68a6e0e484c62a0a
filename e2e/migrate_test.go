package e2e

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"strata/nvmetcp"
)

const migrating = `db: {size: 1Gi, replicas: on: [%q], export: nvmf: {hosts: "any", standby: 1}}`

// usable is how long it takes at most from apply's start to a host's first read at the
// destination, whatever the size of the volume.
const usable = 2 * time.Second

// TestMigrate has a volume go to another node with its only replica, with more and more
// data in it, while an SPDK host writes and verifies. It is usable over there at once; the old
// replica goes last; what moves is what was written, once.
func TestMigrate(t *testing.T) {
	l := NewLabOf(t, 3*gib, "n1", "n2")
	l.Configure(fmt.Sprintf(migrating, "n1"))
	l.Apply(0)
	const step = 128
	for i, to := range []string{"n2", "n1", "n2"} {
		l.Write("db", i*step, Pattern(uint64(i), step*mib))
		w := l.StartWriter("db", 900, 2, 8)
		l.Configure(fmt.Sprintf(migrating, to))
		began := time.Now()
		run := l.StartApply()
		nqn, _ := l.exporter("db")
		l.Targets[to].firstRead(nqn, Pattern(uint64(i), step*mib)[:mib], int64(i)*step*mib)
		took := time.Since(began)
		events := run.Expect(0)
		moved := int64(0)
		for _, c := range Copies(events) {
			moved += c.Bytes
		}
		t.Logf("%d MiB written: a host read at %s after %v; held %d times, the longest time for %v; %d MiB copied; %s",
			(i+1)*step, to, took.Round(time.Millisecond), len(Pauses(events)), longest(Pauses(events)), moved/mib, w.Stop())
		if took > usable {
			t.Errorf("a volume with %d MiB in it was usable at its destination after %v, which is promised within %v", (i+1)*step, took, usable)
		}
		for j := range i + 1 {
			l.Read("db", j*step, Pattern(uint64(j), step*mib))
		}
		if lvols := l.Targets[map[string]string{"n1": "n2", "n2": "n1"}[to]].Lvols("db"); len(lvols) > 0 {
			t.Errorf("what is left where it came from: %v", lvols)
		}
		l.Settled()
	}
}

// firstRead has a host connect until it can read, and compares what it reads.
func (x *Target) firstRead(nqn string, want []byte, at int64) {
	x.t.Helper()
	got := make([]byte, len(want))
	Eventually(x.t, 10*time.Second, "a host reads at "+x.Name, func() error {
		h, err := nvmetcp.Connect(x.t.Context(), "127.0.0.1:"+x.Port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn})
		if err != nil {
			return err
		}
		defer h.Close()
		d, err := h.Open(x.t.Context(), 1)
		if err != nil {
			return err
		}
		return d.ReadAt(x.t.Context(), got, at)
	})
	if !bytes.Equal(got, want) {
		x.t.Errorf("a host that comes to %s reads something else than was written", x.Name)
	}
}

func longest(all []Pause) (most time.Duration) {
	for _, p := range all {
		most = max(most, p.Took())
	}
	return most
}
