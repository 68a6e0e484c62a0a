package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pathGivenUp is what Linux says when it does not wait for a target any longer: Debian's 6.1
// has started its recovery when a keep-alive was not answered, and goes on with that when
// the same has timed out once more.
var pathGivenUp = regexp.MustCompile(`nvme nvme\d+: failed nvme_keep_alive_end_io`)

// TestLinuxFailover stops the target of an engine that has no replica of its own, under a
// Linux host with paths to those that have. Another takes over, and the host goes on by a
// path that it has; nothing is lost, and the file system is clean.
//
// From a target that hangs the host goes when its own kernel gives it up, and no sooner,
// whatever strata does: both times are printed.
func TestLinuxFailover(t *testing.T) {
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = waitLinks
	l.Configure(`db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 2}}`)
	l.Apply(0)
	h := l.Linux(image)
	disk := h.written("db")
	nqn, _ := l.exporter("db")
	var took time.Duration
	longest := h.LongestWrite("/mnt/raw", func() {
		h.Mark("the engine hangs")
		l.Targets["n3"].Freeze()
		start := time.Now()
		run := l.StartApply("--timeout", "3s", "--failover", "db")
		run.Expect(3)
		served := first(run.Events(), "db", "let I/O on ")
		if served.IsZero() {
			t.Fatalf("nobody has taken over:\n%s", run.Out())
		}
		took = served.Sub(start)
		t.Logf("apply took %v", time.Since(start).Round(time.Millisecond))
	})
	alone, said := h.Since("the engine hangs", pathGivenUp)
	t.Logf("an engine hangs, and another has taken over %v after; with a keep-alive of %v the kernel of a Linux host gives its path up after %v (%q), and its longest write took %v",
		took.Round(time.Millisecond), keepAlive, alone.Round(time.Millisecond), said, longest.Round(time.Millisecond))
	if most := max(keepAlive*5/2, took, alone) + linuxRetry; longest > most {
		t.Errorf("the host went on after %v; %v are promised", longest, most)
	}
	load := h.StartLoad("/mnt")
	load.During("the old engine is back", func() {
		l.Targets["n3"].Thaw()
		l.Apply(0)
	})
	load.Stop()
	h.cleanly(disk, nqn)
	stacks := l.Stacks("db")
	l.Kill()
	l.SameStacks(stacks, nil)
}

// TestLinuxFailoverWatched ends the target of an engine that has no replica of its own while a
// watch runs: another takes over by itself, and a Linux host goes on within 2 s of when the
// engine was waited for long enough.
func TestLinuxFailoverWatched(t *testing.T) {
	const patience = 2 * time.Second
	image := LinuxImage(t)
	l := NewLabOf(t, gib, "n1", "n2", "n3")
	l.Links = `{loss: "wait", patience: "2s"}`
	l.Configure(`db: {size: 64Mi, replicas: on: ["n1", "n2"], engine: "n3", export: nvmf: {hosts: "any", standby: 2}, auto: ["serve", "fence", "rebuild", "change"], failover: "auto"}`)
	watch := l.StartWatch()
	watch.Logged(time.Time{}, "nothing is left to do", `"converged":true`)
	h := l.Linux(image)
	disk := h.written("db")
	nqn, _ := l.exporter("db")
	longest := h.LongestWrite("/mnt/raw", func() {
		killed := time.Now()
		l.Kill("n3")
		served := watch.Logged(killed, "step done", "let I/O on ")
		t.Logf("the engine was killed, and another had taken over after %v; a node is waited for for %v", served.Sub(killed).Round(time.Millisecond), patience)
	})
	t.Logf("the host's longest write took %v", longest.Round(time.Millisecond))
	if most := patience + 2*time.Second + linuxRetry; longest > most {
		t.Errorf("that is more than %v", most)
	}
	load := h.StartLoad("/mnt")
	load.During("the old engine is back", func() {
		again := time.Now()
		l.Start("n3")
		watch.Logged(again, "nothing is left to do", `"converged":true`)
	})
	load.Stop()
	h.cleanly(disk, nqn)
	watch.Stop()
	stacks := l.Stacks("db")
	l.Kill()
	l.SameStacks(stacks, nil)
}

// linuxRetry is what a Linux host needs to go on by another path, at most, on busy machines
// too: the emulated host has a part of a core.
const linuxRetry = 500 * time.Millisecond

// written attaches a volume of 64 MiB, writes all of it once, and mounts it at /mnt with a
// file "raw" of 16 MiB. What was never written may differ between replicas: a target gives
// out clusters as they are, and they have been used before.
func (h *LinuxHost) written(volume string) (disk string) {
	h.l.t.Helper()
	disk = h.Attach(volume)
	h.Must("dd if=/dev/zero of=" + disk + " bs=1M count=64 oflag=direct 2>/dev/null && mkfs.ext4 -q -E nodiscard " + disk + " && mount " + disk + " /mnt && dd if=/dev/zero of=/mnt/raw bs=1M count=16 2>/dev/null && sync")
	return disk
}

// cleanly ends the use of a disk, and expects that neither its file system nor the kernel
// has seen an error.
func (h *LinuxHost) cleanly(disk, nqn string) {
	h.l.t.Helper()
	h.l.t.Logf("fsck: %s", lastLine(h.Must("umount /mnt && e2fsck -fn "+disk)))
	h.Unharmed()
	h.Disconnect(nqn)
}

// Mark has the kernel's log say something.
func (h *LinuxHost) Mark(text string) {
	h.l.t.Helper()
	h.Must("echo '" + text + "' >/dev/kmsg")
}

// Since is how long after a mark the kernel has first said something, and what.
func (h *LinuxHost) Since(mark string, what *regexp.Regexp) (after time.Duration, said string) {
	h.l.t.Helper()
	var from float64
	for line := range strings.Lines(h.Must("dmesg")) {
		stamp, text, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "[")), "] ")
		at, err := strconv.ParseFloat(strings.TrimSpace(stamp), 64)
		switch {
		case !ok || err != nil:
		case text == mark:
			from = at
		case from > 0 && what.MatchString(text):
			return time.Duration((at - from) * float64(time.Second)), text
		}
	}
	h.l.t.Fatalf("the kernel does not say %v after %q:\n%s", what, mark, h.Must("dmesg | tail -n 20"))
	return 0, ""
}
