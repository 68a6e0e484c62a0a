package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/nvmetcp"
)

// TestTrimUnused has a host write zeroes to a volume with two replicas, and let go of it: trim
// frees them on both, and all reads as it did, also beside what is written there later. A host that
// is connected keeps its volume; a trim that is killed leaves one that the next apply serves.
func TestTrimUnused(t *testing.T) {
	l := NewLab(t, gib)
	l.Configure(`db: {size: 128Mi, replicas: 2, export: nvmf: hosts: "any"}`)
	l.Apply(0)
	data, zero := Pattern(1, 16*mib), make([]byte, 48*mib)
	l.Write("db", 0, data)
	l.Write("db", 16, zero)
	l.Write("db", 100, data)
	if got := l.clusters("db"); got != 80 {
		t.Fatalf("written, the heads have %d clusters, not 80", got)
	}
	nqn, x := l.exporter("db")
	h, err := nvmetcp.Connect(t.Context(), "127.0.0.1:"+x.Port, nvmetcp.HostOptions{HostNQN: HostNQN, Subsystem: nqn})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if r := l.Strata("trim", "--volume", "db"); r.Code != 1 || !strings.Contains(r.Out, "is in use by "+HostNQN) {
		t.Errorf("with a host: %d\n%s", r.Code, r.Out)
	}
	if d, err := h.Open(t.Context(), 1); err != nil {
		t.Errorf("a host that is connected: %v", err)
	} else if err := d.WriteAt(t.Context(), data[:mib], 0); err != nil {
		t.Errorf("a host that is connected: %v", err)
	}
	h.Close()

	// Killed while it reads, it leaves the volume to its guard.
	cut := exec.Command(strata(t), "trim", "--volume", "db", "--rate", "8", filepath.Join(l.Dir, "lab.cue"))
	if err := cut.Start(); err != nil {
		t.Fatal(err)
	}
	Eventually(t, 30*time.Second, "strata is shown the volume", func() error { return l.shownToStrata(true) })
	if err := cut.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cut.Wait()
	Eventually(t, 30*time.Second, "the guard has hosts reach it again", func() error { return l.shownToStrata(false) })
	l.Apply(0)
	l.Read("db", 0, data)

	// It takes more than one turn.
	r := l.Strata("trim", "--volume", "db", "--rate", "5")
	if r.Code != 0 || !strings.Contains(r.Out, "db: 128Mi read, of which 96Mi are zero") {
		t.Errorf("trim: %d\n%s", r.Code, r.Out)
	}
	t.Log(r.Out)
	if got := l.clusters("db"); got != 32 {
		t.Errorf("trimmed, the heads have %d clusters, not 32", got)
	}
	l.Read("db", 0, data)
	l.Read("db", 16, zero)
	l.Read("db", 100, data)
	l.Write("db", 20, data[:4096])
	l.Read("db", 20, append(append([]byte{}, data[:4096]...), zero[:mib-4096]...))
	l.Settled()
	heads := l.Heads("db")
	l.Kill()
	l.Replicas(heads, 0, data)
	l.Replicas(heads, 16, zero[:4*mib])
	l.Replicas(heads, 100, data)
}

// shownToStrata fails unless the volume is shown to strata alone on some target, or on none.
func (l *Lab) shownToStrata(want bool) error {
	is := false
	for _, n := range l.names {
		is = is || strings.Contains(string(l.Targets[n].Must("nvmf_get_subsystems", "")), ":~restore:")
	}
	if is != want {
		return fmt.Errorf("shown to strata: %v", is)
	}
	return nil
}
