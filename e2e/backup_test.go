package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// archived is a configuration of one volume that is backed up.
func (l *Lab) archived(snapshots string) string {
	return fmt.Sprintf(`db: {size: 256Mi, replicas: 2, snapshots: [%s], backup: to: "main", export: nvmf: hosts: "any"}
archives: main: {dir: %q, password: env: "STRATA_ARCHIVE_PASSWORD"}`, snapshots, filepath.Join(l.Dir, "archive"))
}

// scattered writes so many MiB of data to volume db in three places, and returns what its first 256 MiB are then.
func (l *Lab) scattered(size int) []byte {
	l.t.Helper()
	disk := make([]byte, 256*mib)
	for i := range 3 {
		data := Pattern(uint64(i), size*mib)
		copy(disk[80*i*mib:], data)
		l.Write("db", 80*i, data)
	}
	return disk
}

// archivedLab is a lab for volumes that are backed up; it skips the test where there is no restic.
func archivedLab(t *testing.T, disk int64, names ...string) *Lab {
	t.Helper()
	if _, err := exec.LookPath("restic"); err != nil {
		t.Skip("needs restic")
	}
	t.Setenv("STRATA_ARCHIVE_PASSWORD", "secret")
	t.Setenv("RESTIC_PASSWORD", "secret")
	if len(names) == 0 {
		return NewLab(t, disk)
	}
	return NewLabOf(t, disk, names...)
}

// initArchive makes the archive of what is configured.
func (l *Lab) initArchive() {
	l.t.Helper()
	if r := l.Strata("backup", "init", "main"); r.Code != 0 {
		l.t.Fatal(r.Out)
	}
}

// restic runs the stock restic on the archive.
func (l *Lab) restic(args ...string) string {
	l.t.Helper()
	cmd := exec.Command("restic", append([]string{"-r", filepath.Join(l.Dir, "archive")}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("restic %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// givenBack is what the stock restic gives back of the latest record.
func (l *Lab) givenBack() []byte {
	l.t.Helper()
	to := filepath.Join(l.Dir, "back")
	os.RemoveAll(to)
	l.restic("restore", "latest", "--target", to)
	b, err := os.ReadFile(filepath.Join(to, "db", "image", "0000", "0000", "data"))
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// TestBackup backs a volume up from real targets, whole and then what differs, cut off by
// a kill in between. What the stock restic gives back is what hosts wrote.
func TestBackup(t *testing.T) {
	l := archivedLab(t, 2*gib)
	l.Configure(l.archived(""))
	l.initArchive()
	l.Apply(0)
	want := make([]byte, 256*mib)
	put := func(seed, offset, size int) {
		data := Pattern(uint64(seed), size)
		copy(want[offset*mib:], data)
		l.Write("db", offset, data)
	}
	same := func() {
		t.Helper()
		if got := l.givenBack(); !bytes.Equal(got, want) {
			t.Fatalf("restic gives back %d bytes, and they are not what was written", len(got))
		}
	}
	put(1, 0, 64*mib)
	put(2, 200, 8*mib)

	// It is killed while a node sends.
	l.Configure(l.archived(`"one"`))
	run := l.StartApply()
	Eventually(t, 20*time.Second, "packs are stored", func() error {
		if packs, _ := filepath.Glob(filepath.Join(l.Dir, "archive/data/*/*")); len(packs) == 0 {
			return fmt.Errorf("no pack is there: %s", run.Out())
		}
		return nil
	})
	run.Kill()
	run.Wait()
	l.restic("unlock")
	l.restic("check", "--read-data")
	attached := func() string {
		for _, n := range l.names {
			if list := string(l.Targets[n].Must("bdev_nvme_get_controllers", `{}`)); strings.Contains(list, "~backup") {
				return n + ": " + list
			}
		}
		return ""
	}
	killed := time.Now()
	Eventually(t, 15*time.Second, "no node is attached to who is gone", func() error {
		if list := attached(); list != "" {
			return wanted{list, "nothing"}
		}
		return nil
	})
	t.Logf("no node is attached %v after the kill", time.Since(killed).Round(100*time.Millisecond))
	r := l.Apply(0)
	if !strings.Contains(r.Out, "copy 72Mi of layer") {
		t.Fatal(r.Out)
	}
	t.Logf("72 MiB recorded in %v: %s", r.Took, lastLine(r.Out))
	same()

	put(3, 32, 2*mib)
	l.Configure(l.archived(`"one", "two"`))
	r = l.Apply(0)
	if !strings.Contains(r.Out, "copy 2Mi of layer") {
		t.Fatal(r.Out)
	}
	t.Logf("2 MiB recorded in %v", r.Took)
	same()
	l.restic("check", "--read-data")
	if list := attached(); list != "" {
		t.Error(list)
	}
	l.Settled()
	// A volume is made of it, which has what hosts wrote, on both of its replicas.
	l.Configure(strings.Replace(l.archived(`"one", "two"`), "archives:", `volumes: db2: {size: 256Mi, replicas: 2, from: {archive: "main", volume: "db"}, export: nvmf: hosts: "any"}
archives:`, 1))
	r = l.Apply(0)
	t.Logf("restored, with a second replica, in %v: %s", r.Took, lastLine(r.Out))
	l.Read("db2", 0, want)
	l.Settled()
	heads := l.Heads("db2")
	l.Kill()
	l.Replicas(heads, 0, want)
	l.Start()
	l.Apply(0)
	if r := l.Strata("backup", "verify", "main", "db@two"); r.Code != 0 || !strings.Contains(r.Out, "is whole") {
		t.Error(r.Out)
	}
}
