package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestLinuxFailover stops the target of an engine that has no replica of its own, under a
// Linux host with paths to those that have. Another takes over, and the host goes on by a
// path that it has; nothing is lost, and the file system is clean.
func TestLinuxFailover(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = waitLinks
	l.Configure(`db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 2}}`)
	l.Apply(0)
	h := l.Linux(image)
	disk := h.Attach("db")
	nqn, _ := l.exporter("db")
	// What was never written may differ between replicas: a target gives out clusters as they
	// are, and they have been used before. So all is written once.
	h.Must("dd if=/dev/zero of=" + disk + " bs=1M count=64 oflag=direct 2>/dev/null && mkfs.ext4 -q -E nodiscard " + disk + " && mount " + disk + " /mnt && dd if=/dev/zero of=/mnt/raw bs=1M count=16 2>/dev/null && sync")
	var took time.Duration
	longest := h.LongestWrite("/mnt/raw", func() {
		l.Targets["n3"].Freeze()
		start := time.Now()
		l.StartApply("--timeout", "3s", "--failover", "db").Expect(3)
		took = time.Since(start)
		heads := l.headsOf("n1", "n2")
		if !strings.HasSuffix(heads[0], "p") && !strings.HasSuffix(heads[1], "p") {
			t.Fatalf("nobody has taken over: heads are %v", heads)
		}
	})
	t.Logf("an engine hangs, and another has taken over %v after: a Linux host's longest write took %v, with a keep-alive of %v", took.Round(time.Millisecond), longest.Round(time.Millisecond), keepAlive)
	if most := max(took, keepAlive*5/2); longest > most {
		t.Errorf("the host went on after %v; %v are promised", longest, most)
	}
	load := h.StartLoad("/mnt")
	load.During("the old engine is back", func() {
		l.Targets["n3"].Thaw()
		l.Apply(0)
	})
	load.Stop()
	t.Logf("fsck: %s", lastLine(h.Must("umount /mnt && e2fsck -fn "+disk)))
	h.Unharmed()
	h.Disconnect(nqn)
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	l.SameStacks(stacks, nil)
}
