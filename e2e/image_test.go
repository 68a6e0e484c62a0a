package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestImage makes a volume of a sparse raw image, cut off by a kill in between, on disks
// that were full of something else. Both replicas then have what the image has, and zeroes
// behind it; only its data is allocated.
func TestImage(t *testing.T) {
	l := NewLab(t, gib)
	// What is on the disks is not zero: nothing of it may be read.
	l.Configure(`old: {size: 512Mi, replicas: 2, export: nvmf: hosts: "any"}`)
	l.Apply(0)
	l.Write("old", 0, Pattern(9, 512*mib))
	l.Configure("{}")
	l.Apply(0, "--allow-destroy", "old")

	const size = 200*mib + 12345
	want := make([]byte, 256*mib)
	name := filepath.Join(l.Dir, "disk.raw")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for i, part := range [][2]int{{0, 64 * mib}, {100*mib + 4096, 3 * mib}, {200 * mib, 12345}} {
		data := Pattern(uint64(i), part[1])
		copy(want[part[0]:], data)
		if _, err := f.WriteAt(data, int64(part[0])); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(want[:size])
	l.Configure(fmt.Sprintf(`db: {size: 256Mi, replicas: 2, from: image: {file: %q, sha256: "%x"}, export: nvmf: hosts: "any"}`, name, sum))
	run := l.StartApply()
	Eventually(t, 20*time.Second, "it is being written", func() error {
		for _, n := range l.names {
			if strings.Contains(string(l.Targets[n].Must("nvmf_get_subsystems", `{}`)), "~restore") {
				return nil
			}
		}
		return fmt.Errorf("nothing shows what is written to: %s", run.Out())
	})
	run.Kill()
	run.Wait()
	r := l.Apply(0)
	if !strings.Contains(r.Out, "it is left of a restore") && !strings.Contains(r.Out, "write image "+name) {
		t.Fatal(r.Out)
	}
	t.Logf("made, with a second replica, in %v: %s", r.Took, lastLine(r.Out))
	l.Read("db", 0, want)
	l.Settled()
	for _, n := range l.names {
		for _, lv := range l.Targets[n].Lvols("db") {
			if lv.Allocated != 64+4+1 {
				t.Errorf("%s on %s has %d clusters, and the image has data in 69", lv.Alias, n, lv.Allocated)
			}
		}
	}
	heads := l.Heads("db")
	l.Kill()
	l.Replicas(heads, 0, want)
}
