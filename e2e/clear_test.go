package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestClear has a volume written whole, on two replicas of which one was rebuilt, with a layer and a
// clone, discards some of it and destroys all; the next volume there is written to in 4 KiB of
// each cluster, and a host reads all of it. Nothing of the former is there; where pools have clear:
// "none" it is, or the test would see nothing.
func TestClear(t *testing.T) {
	for _, clear := range []string{"unmap", "none"} {
		t.Run(clear, func(t *testing.T) {
			l := NewLab(t, gib)
			l.Node = fmt.Sprintf("pools: fast: clear: %q", clear)
			secret := bytes.Repeat([]byte("the secret of a former volume..."), 128*mib/32)
			old := func(replicas int, rest string) string {
				return fmt.Sprintf(`old: {size: 128Mi, replicas: %d, export: nvmf: hosts: "any", %s}`, replicas, rest)
			}
			l.Configure(old(1, ""))
			r := l.Apply(0)
			if strings.Contains(r.Out, "discard nothing") != (clear == "none") || strings.Contains(r.Out, "former ones") {
				t.Errorf("the plan says of pools:\n%s", r.Out)
			}
			l.Write("old", 0, secret)
			l.Configure(old(3, `snapshots: ["one"]`)) // two replicas are rebuilt
			l.Apply(0)
			l.Write("old", 0, secret[:32*mib])
			if err := l.discarding("old").Discard(t.Context(), 8*mib, 8*mib); err != nil {
				t.Fatal(err)
			}
			clone := "\n" + `copy: {size: 128Mi, replicas: 1, from: {volume: "old", snapshot: "one"}, export: nvmf: hosts: "any"}`
			l.Configure("{" + old(3, `snapshots: ["one"]`) + clone + "}")
			l.Apply(0)
			l.Write("copy", 64, secret[:16*mib])

			// Targets end while they have it, and find the disks with it.
			l.Kill()
			l.Start()
			l.Apply(0)
			l.Configure("{}")
			l.Apply(0, "--allow-destroy", "copy")
			l.Apply(0, "--allow-destroy", "old")

			// Each replica of what comes next has been given what was freed.
			l.Configure(`new: {size: 512Mi, replicas: 3, export: nvmf: hosts: "any"}`)
			l.Apply(0)
			block := bytes.Repeat([]byte{1}, 4096)
			d := l.discarding("new")
			for at := int64(0); at < 512*mib; at += mib {
				if err := d.WriteAt(t.Context(), block, at); err != nil {
					t.Fatal(err)
				}
			}
			found := 0
			part := make([]byte, mib)
			for at := int64(0); at < 512*mib; at += mib {
				if err := d.ReadAt(t.Context(), part, at); err != nil {
					t.Fatal(err)
				}
				found += bytes.Count(part, []byte("the secret of a former volume"))
			}
			t.Logf("clear %s: a host finds %d pieces of what was destroyed", clear, found)
			if (found > 0) != (clear == "none") {
				t.Errorf("a host finds %d pieces of the former volume", found)
			}
			l.Kill()
			for _, n := range l.names {
				disk, err := os.ReadFile(l.Targets[n].Disk)
				if err != nil {
					t.Fatal(err)
				}
				if on := bytes.Count(disk, []byte("the secret of a former volume")); (on > 0) != (clear == "none") {
					t.Errorf("%d pieces of the former volume are on the disk of %s", on, n)
				}
			}
		})
	}
}
