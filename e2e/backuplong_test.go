package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBackupIncrement measures what a backup of one changed hundredth of a volume takes,
// beside restic that reads the same disk as a file.
func TestBackupIncrement(t *testing.T) {
	size, err := strconv.Atoi(os.Getenv("STRATA_E2E_BACKUP_MIB"))
	if err != nil {
		t.Skip("takes minutes: set STRATA_E2E_BACKUP_MIB=4096")
	}
	t.Setenv("STRATA_ARCHIVE_PASSWORD", "secret")
	t.Setenv("RESTIC_PASSWORD", "secret")
	const chunk = 256 // MiB
	l := NewLabOf(t, 10*gib, "n1", "n2")
	config := func(snapshots string) {
		l.Configure(strings.Replace(strings.Replace(l.archived(snapshots), "256Mi", fmt.Sprintf("%dMi", size), 1), "replicas: 2", "replicas: 1", 1))
	}
	config("")
	if r := l.Strata("backup", "init", "main"); r.Code != 0 {
		t.Fatal(r.Out)
	}
	l.Apply(0)
	file, err := os.Create(filepath.Join(l.Dir, "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	put := func(seed uint64, at, n int) {
		data := Pattern(seed, n*mib)
		l.Write("db", at, data)
		if _, err := file.WriteAt(data, int64(at)*mib); err != nil {
			t.Fatal(err)
		}
	}
	for at := 0; at < size; at += chunk {
		put(uint64(at), at, chunk)
	}
	plain := filepath.Join(l.Dir, "plain")
	restic := func(args ...string) time.Duration {
		start := time.Now()
		if out, err := exec.Command("restic", append([]string{"-r", plain}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return time.Since(start)
	}
	restic("init")
	config(`"one"`)
	full := l.Apply(0)
	t.Logf("all of %d MiB: strata %v, restic %v", size, full.Took, restic("backup", file.Name()))
	changed := 0
	for at := chunk / 2; at < size; at += size / 4 {
		put(uint64(size+at), at, size/400)
		changed += size / 400
	}
	config(`"one", "two"`)
	inc := l.Apply(0)
	if want := fmt.Sprintf("copy %dMi of layer", changed); !strings.Contains(inc.Out, want) {
		t.Errorf("not %q:\n%s", want, inc.Out)
	}
	took := restic("backup", file.Name())
	t.Logf("%d of %d MiB changed, and %d were sent: strata %v, restic %v, %.1f times as long", changed, size, changed, inc.Took, took, took.Seconds()/inc.Took.Seconds())
	l.restic("check")
}
