package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLinux has a Linux host with ext4 on a volume live through what strata does
// to volumes in use and what happens to them: not an I/O error, all that fio wrote
// is there, the file system is clean, and the replicas are equal.
func TestLinux(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2")
	configure := func(size, replicas int, snapshots string) {
		l.Configure(fmt.Sprintf(`db: {size: %dMi, replicas: on: ["%s"], engine: "n1", snapshots: [%s], export: nvmf: hosts: ["%s"]}`,
			size, strings.Join(l.names[:replicas], `", "`), snapshots, HostNQN))
	}
	configure(96, 1, ``)
	l.Apply(0)
	h := l.Linux(image)
	disk := h.Attach("db")
	h.Must("mkfs.ext4 -q " + disk + " && mount " + disk + " /mnt")
	const still = "fio --name=still --filename=/mnt/still --size=16m --bs=64k --rw=write --ioengine=libaio --direct=1 --iodepth=4 --verify=crc32c --verify_fatal=1 "
	h.Must(still + "--do_verify=0 && sync")

	load := h.StartLoad("/mnt")
	load.During("a second replica is rebuilt", func() {
		configure(96, 2, ``)
		l.Apply(0)
	})
	load.During("a snapshot is taken", func() {
		configure(96, 2, `"a"`)
		l.Apply(0)
	})
	load.During("the second replica is lost, and brought back", func() {
		l.Kill("n2")
		Eventually(t, time.Minute, "n1 lets the leg on n2 go", func() error { return l.lost("n1", 1) })
		load.passed(load.passes() + 1)
		l.Start("n2")
		l.Apply(0)
	})
	load.During("the volume and its file system grow", func() {
		configure(160, 2, `"a"`)
		l.Apply(0)
		Eventually(t, 30*time.Second, "the kernel sees it", func() error {
			if got, want := strings.TrimSpace(h.Must("blockdev --getsize64 "+disk)), fmt.Sprint(160*mib); got != want {
				return wanted{got, want}
			}
			return nil
		})
		h.Must("resize2fs " + disk)
	})
	load.During("the engine's target is killed, and served again", func() {
		l.Kill("n1")
		l.Start("n1")
		l.Apply(0)
	})
	load.Stop()

	t.Logf("fsck: %s", lastLine(h.Must("df /mnt; umount /mnt && e2fsck -fn "+disk)))
	h.Must("mount " + disk + " /mnt && " + still + "--verify_only && umount /mnt")
	h.Unharmed()
	nqn, _ := l.Export("db")
	h.Disconnect(nqn)
	l.Settled()
	stacks := l.Stacks("db")
	l.Kill()
	if n := l.SameStacks(stacks, nil); n != 2*2 {
		t.Errorf("%d lvols were compared: %v", n, stacks)
	}
}
