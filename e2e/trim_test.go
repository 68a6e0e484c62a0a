package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"strata/nvmetcp"
)

// dial opens the disk of a volume's export.
func (l *Lab) dial(volume string) (*nvmetcp.Device, error) {
	nqn, x := l.exported(volume)
	if x == nil {
		return nil, fmt.Errorf("%s is exported nowhere", volume)
	}
	h, err := nvmetcp.Connect(l.t.Context(), "127.0.0.1:"+x.Port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn})
	if err != nil {
		return nil, err
	}
	l.t.Cleanup(func() { h.Close() })
	return h.Open(l.t.Context(), 1)
}

// discarding is dial, which has to succeed.
func (l *Lab) discarding(volume string) *nvmetcp.Device {
	l.t.Helper()
	d, err := l.dial(volume)
	if err != nil {
		l.t.Fatal(err)
	}
	return d
}

// clusters are those that the heads of a volume have, which is the same everywhere.
func (l *Lab) clusters(volume string) (n int64) {
	l.t.Helper()
	heads := l.Heads(volume)
	first := true
	for _, name := range l.names {
		for _, lv := range l.Targets[name].Lvols(volume) {
			if lv.Alias != heads[name] {
				continue
			}
			if !first && lv.Allocated != n {
				l.t.Errorf("the head on %s has %d clusters, another %d", name, lv.Allocated, n)
			}
			n, first = lv.Allocated, false
		}
	}
	return n
}

// TestTrim discards through the export of a volume with two replicas: whole clusters are
// free on both then, as long as the head stands on nothing. What hosts have written is the
// same everywhere when a replica has joined while clusters were discarded.
func TestTrim(t *testing.T) {
	l := NewLab(t, gib)
	configure := func(replicas int, rest string) {
		l.Configure(fmt.Sprintf(`db: {size: 128Mi, replicas: %d, export: nvmf: hosts: "any", %s}`, replicas, rest))
	}
	expect := func(want int64, what string) {
		t.Helper()
		if got := l.clusters("db"); got != want {
			t.Errorf("%s: the heads have %d clusters, not %d", what, got, want)
		}
	}
	configure(2, "")
	l.Apply(0)
	data := Pattern(1, 64*mib)
	l.Write("db", 0, data)
	d := l.discarding("db")
	discard := func(off, n int64) {
		t.Helper()
		if err := d.Discard(t.Context(), off, n); err != nil {
			t.Fatal(err)
		}
	}
	expect(64, "written")
	discard(0, 8*mib)
	expect(56, "8 clusters are discarded")
	discard(8*mib+mib/2, 3*mib)
	expect(54, "two whole clusters and two halves are discarded")
	discard(20*mib, mib/2)
	discard(20*mib+mib/2, mib/2)
	expect(54, "a cluster is discarded in two halves")
	got := make([]byte, 8*mib)
	if err := d.ReadAt(t.Context(), got, 0); err != nil {
		t.Fatal(err)
	}
	for i, b := range got {
		if b != 0 {
			t.Fatalf("at %d of what was discarded there is %d", i, b)
		}
	}

	// A replica joins while a host discards and writes.
	configure(3, "")
	run := l.StartApply()
	for i := range int64(40) {
		at := 24*mib + i%16*2*mib
		// It connects again when the volume is at another target, or listens anew.
		Eventually(t, 30*time.Second, "a host gets on", func() error {
			if err := errors.Join(d.Discard(t.Context(), at, mib), d.WriteAt(t.Context(), data[:mib], at+mib)); err == nil {
				return nil
			}
			again, err := l.dial("db")
			if err == nil {
				d = again
			}
			return errors.Join(err, errors.New("it was disconnected"))
		})
		time.Sleep(50 * time.Millisecond)
	}
	run.Expect(0)
	d = l.discarding("db")
	want := map[int][]byte{12: data[12*mib : 20*mib], 56: data[56*mib:]}
	for i := range 16 {
		want[25+2*i] = data[:mib]
	}
	delete(want, 56)
	for at, data := range want {
		l.Read("db", at, data)
	}

	// With a layer below, nothing is freed.
	configure(3, `snapshots: ["one"]`)
	l.Apply(0)
	if err := l.discarding("db").WriteAt(t.Context(), data[:2*mib], 100*mib); err != nil {
		t.Fatal(err)
	}
	before := l.clusters("db")
	d = l.discarding("db")
	discard(100*mib, 2*mib)
	discard(12*mib, 4*mib)
	expect(before, "discarded, on a layer")
	l.Settled()
	heads := l.Heads("db")
	l.Kill()
	for at, data := range want {
		if at >= 16 {
			l.Replicas(heads, at, data)
		}
	}
}
