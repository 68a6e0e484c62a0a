package e2e

import (
	"fmt"
	"testing"
	"time"
)

// linuxLate is how much longer than it was held a Linux host's longest write may take in
// a move, unless twice its longest without one is more: it goes on as soon as it is told.
const linuxLate = 50 * time.Millisecond

// TestLinuxPaths has a Linux host with ext4 on two paths to a volume live through
// moves of its engine, and suspensions of both nodes while their targets are away: not an
// I/O error, nothing is rebuilt, all that fio wrote is there, and the file system is clean.
func TestLinuxPaths(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2")
	l.Links = waitLinks
	l.Configure(fmt.Sprintf(standbyVolume, "n1"))
	l.Apply(0)
	h := l.Linux(image)
	disk := h.Attach("db")
	nqn, _ := l.exporter("db")
	optimized := func(node string) {
		t.Helper()
		Eventually(t, time.Minute, "the path to "+node+" is the optimized one", func() error {
			paths := h.Paths(nqn)
			for _, p := range paths {
				if p.Optimized() != (p.Portal == l.Targets[node].Portal()) {
					return wanted{paths, node}
				}
			}
			if len(paths) != 2 {
				return wanted{paths, "both"}
			}
			return nil
		})
	}
	optimized("n1")
	h.Must("mkfs.ext4 -q " + disk + " && mount " + disk + " /mnt")
	const still = "fio --name=still --filename=/mnt/still --size=16m --bs=64k --rw=write --ioengine=libaio --direct=1 --iodepth=4 --verify=crc32c --verify_fatal=1 "
	h.Must(still + "--do_verify=0 && cp /mnt/still /mnt/raw && sync")

	var without []time.Duration
	for range 3 {
		without = append(without, h.LongestWrite("/mnt/raw", func() { l.Apply(0) }))
	}
	t.Logf("without a move the longest write takes %s", spread(without))
	late := max(linuxLate, 2*median(without))
	l.moves(func(change func()) time.Duration { return h.LongestWrite("/mnt/raw", change) },
		func(hold, _ time.Duration) time.Duration { return hold + late })
	optimized("n1")

	load := h.StartLoad("/mnt")
	load.During("the engine moves", func() { l.moveTo("n2") })
	optimized("n2")
	load.During("the engine moves back", func() { l.moveTo("n1") })
	optimized("n1")
	for _, node := range []string{"n1", "n2"} {
		load.During("the target of "+node+" is away for a while, and "+node+" is suspended", func() {
			heads := l.Heads("db")
			l.Suspended = node
			l.Configure(fmt.Sprintf(standbyVolume, "n1"))
			l.Apply(0)
			l.Kill(node)
			time.Sleep(away)
			l.Start(node)
			l.Suspended = ""
			l.Configure(fmt.Sprintf(standbyVolume, "n1"))
			if copies := Copies(l.StartApply().Expect(0)); len(copies) > 0 {
				t.Errorf("something was copied: %v", copies)
			}
			if node == "n2" && fmt.Sprint(l.Heads("db")) != fmt.Sprint(heads) {
				t.Errorf("heads were %v, and are %v", heads, l.Heads("db"))
			}
		})
		optimized("n1")
	}
	load.Stop()

	t.Logf("fsck: %s", lastLine(h.Must("umount /mnt && e2fsck -fn "+disk)))
	h.Must("mount " + disk + " /mnt && " + still + "--verify_only && umount /mnt")
	h.Unharmed()
	h.Disconnect(nqn)
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	if n := l.SameStacks(stacks, nil); n != 2 {
		t.Errorf("%d lvols were compared: %v", n, stacks)
	}
}
