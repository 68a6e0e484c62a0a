package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScrub reads the layers of both replicas, equal at first, and again after a byte on one
// disk is another: that is found, with layer, range and node.
func TestScrub(t *testing.T) {
	t.Setenv("STRATA_ARCHIVE_PASSWORD", "secret")
	l := NewLab(t, gib)
	configure := func(snapshots string) {
		l.Configure(fmt.Sprintf(`db: {size: 128Mi, replicas: on: [%q, %q], snapshots: [%s], backup: to: "main", export: nvmf: hosts: "any"}
archives: main: {dir: %q, password: env: "STRATA_ARCHIVE_PASSWORD"}`, l.names[0], l.names[1], snapshots, filepath.Join(l.Dir, "archive")))
	}
	configure("")
	l.initArchive()
	l.Apply(0)
	data := Pattern(1, 64*mib)
	l.Write("db", 0, data)
	configure(`"one"`)
	l.Apply(0)
	l.Write("db", 32, Pattern(2, 8*mib))
	configure(`"one", "two"`)
	l.Apply(0)

	// What says when layers were compared is one lvol for each replica, and the rest stays.
	rest := func(_, name string) bool { return !strings.Contains(name, "!") }
	before := l.State(rest)
	scrub := func(code int, flags ...string) Result {
		t.Helper()
		r := l.Strata("scrub", append(flags, "--rate", "2000", "db")...)
		if r.Code != code {
			t.Fatalf("it ended with %d, not %d:\n%s", r.Code, code, r.Out)
		}
		return r
	}
	sums := filepath.Join(l.Dir, "sums")
	r := scrub(0, "--sums", sums)
	if strings.Count(r.Out, ": equal, and as in archive main") != 2 || !strings.Contains(r.Out, "144MiB read") && !strings.Contains(r.Out, "144Mi read") {
		t.Error(r.Out)
	}
	t.Logf("%s in %v", lastLine(r.Out), r.Took)
	if after := l.State(rest); after != before {
		t.Errorf("it has changed something:\n%s\nwas\n%s", after, before)
	}

	// A byte of the layer is another on one of the disks.
	name := l.names[1]
	disk, err := os.OpenFile(l.Targets[name].Disk, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	raw, err := os.ReadFile(l.Targets[name].Disk)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(raw, data[5*mib+4096:5*mib+8192])
	if at < 0 {
		t.Fatal("what was written is not on the disk")
	}
	if _, err := disk.WriteAt([]byte{raw[at] ^ 1}, int64(at)); err != nil {
		t.Fatal(err)
	}
	if err := disk.Sync(); err != nil {
		t.Fatal(err)
	}
	if r := scrub(0); !strings.Contains(r.Out, fmt.Sprintf("5Mi to 6Mi: the copy on %s differs from the others and from archive main", name)) {
		t.Error(r.Out)
	}
	r = scrub(1, "--sums", sums)
	if !strings.Contains(r.Out, fmt.Sprintf("5Mi to 6Mi: the copy on %s is damaged", name)) || strings.Count(r.Out, ": equal, and as in archive main") != 1 {
		t.Error(r.Out)
	}
	t.Log(r.Out)
	if r := l.Strata("status"); !strings.Contains(r.Out, fmt.Sprintf(".one on %s is damaged", name)) {
		t.Error(r.Out)
	}

	// A plan repairs it, and what is copied again is what the other has.
	if r := l.Strata("plan"); !strings.Contains(r.Out, fmt.Sprintf(".one on %s is damaged", name)) || !strings.Contains(r.Out, "copied there again") {
		t.Error(r.Out)
	}
	l.Apply(0)
	l.Read("db", 0, data[:32*mib])
	if r := l.Strata("status"); strings.Contains(r.Out, "damaged") {
		t.Error(r.Out)
	}
	if r = scrub(0, "--sums", sums); strings.Count(r.Out, ": equal, and as in archive main") != 2 {
		t.Error(r.Out)
	}
}
