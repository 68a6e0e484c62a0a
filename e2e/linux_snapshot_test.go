package e2e

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
)

var linuxSnapshots = flag.Int("linux-snapshots", 4, "snapshots under which TestLinuxSnapshot looks for a Linux host's longest write")

// TestLinuxSnapshot measures what a snapshot of two replicas costs a Linux host
// that writes to the disk itself: its longest write in some seconds with one,
// and in as many without, in turns.
func TestLinuxSnapshot(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2")
	var names []string
	configure := func() {
		l.Configure(fmt.Sprintf(`db: {size: 64Mi, replicas: 2, engine: "n1", snapshots: [%s], export: nvmf: hosts: "any"}`, strings.Join(names, ", ")))
	}
	configure()
	l.Apply(0)
	h := l.Linux(image)
	disk := h.Attach("db")
	nqn, x := l.exporter("db")
	if paths := h.Paths(nqn); len(paths) != 1 || !paths[0].Optimized() || paths[0].Portal != x.Portal() {
		t.Errorf("the host's paths are %v", paths)
	}
	var without, with, held []time.Duration
	for i := range *linuxSnapshots {
		without = append(without, h.LongestWrite(disk, func() { l.Apply(0) }))
		with = append(with, h.LongestWrite(disk, func() {
			names = append(names, fmt.Sprintf(`"s%d"`, i))
			configure()
			p := Pauses(l.StartApply().Expect(0))
			if len(p) != 1 {
				t.Fatalf("hosts were held %d times for a snapshot", len(p))
			}
			held = append(held, p[0].Took())
		}))
		t.Logf("longest write %v with a snapshot that held hosts for %v, and %v without one", with[i].Round(time.Millisecond), held[i].Round(time.Millisecond), without[i].Round(time.Millisecond))
	}
	h.Unharmed()
	t.Logf("a snapshot of two replicas: a Linux host's longest write takes %s, without a snapshot %s; hosts are held for %s", spread(with), spread(without), spread(held))
	// A write that comes in a hold waits for its end, and then takes what it takes otherwise.
	if most := median(held) + 2*median(without); median(with) > most {
		t.Errorf("with a snapshot the longest write takes %v, and at most %v are expected", median(with), most)
	}
}
