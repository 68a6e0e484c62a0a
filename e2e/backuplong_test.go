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

// TestBackupSpeed measures what a whole backup of a volume takes, one of a changed
// hundredth, and a restore, beside restic that has the same disk as a file; and how much
// memory strata needs for them.
func TestBackupSpeed(t *testing.T) {
	size, err := strconv.Atoi(os.Getenv("STRATA_E2E_BACKUP_MIB"))
	if err != nil {
		t.Skip("takes minutes: set STRATA_E2E_BACKUP_MIB=4096")
	}
	const chunk = 256 // MiB
	l := archivedLab(t, 10*gib, "n1", "n2")
	config := func(snapshots string) {
		l.Configure(strings.Replace(strings.Replace(l.archived(snapshots), "256Mi", fmt.Sprintf("%dMi", size), 1), "replicas: 2", "replicas: 1", 1))
	}
	config("")
	l.initArchive()
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
	var most int64
	apply := func() Result {
		t.Helper()
		run := l.StartApply()
		done := make(chan struct{})
		go func() {
			run.Wait()
			close(done)
		}()
		for {
			select {
			case <-time.After(50 * time.Millisecond):
				most = max(most, run.Memory())
				continue
			case <-done:
			}
			if code := run.cmd.ProcessState.ExitCode(); code != 0 {
				t.Fatalf("apply ended with %d:\n%s", code, run.Out())
			}
			return Result{Out: run.Out(), Took: time.Since(run.start)}
		}
	}
	against := func(what string, strata, restic time.Duration, goal float64) {
		t.Helper()
		t.Logf("%s: strata %v, restic %v, %.2f times as long", what, strata.Round(time.Millisecond), restic.Round(time.Millisecond), restic.Seconds()/strata.Seconds())
		if size >= 4096 && restic.Seconds() < goal*strata.Seconds() { // what it takes to begin counts for less then
			t.Errorf("%s: %.1f times the speed of restic is promised", what, goal)
		}
	}
	config(`"one"`)
	full := apply()
	against(fmt.Sprintf("all of %d MiB", size), full.Took, restic("backup", file.Name()), 1)
	changed := 0
	for at := chunk / 2; at < size; at += size / 4 {
		put(uint64(size+at), at, size/400)
		changed += size / 400
	}
	config(`"one", "two"`)
	inc := apply()
	if want := fmt.Sprintf("copy %dMi of layer", changed); !strings.Contains(inc.Out, want) {
		t.Errorf("not %q:\n%s", want, inc.Out)
	}
	against(fmt.Sprintf("%d of %d MiB changed", changed, size), inc.Took, restic("backup", file.Name()), 5)
	l.restic("check")

	// restic has its file in a directory of the same disk; strata writes to a target.
	restored := restic("restore", "latest", "--target", filepath.Join(l.Dir, "back"))
	made := fmt.Sprintf(`volumes: db2: {size: %dMi, replicas: on: ["n2"], from: {archive: "main", volume: "db"}, export: nvmf: hosts: "any"}
archives:`, size)
	l.Configure(strings.NewReplacer("256Mi", fmt.Sprintf("%dMi", size), "replicas: 2", "replicas: 1", "archives:", made).Replace(l.archived(`"one", "two"`)))
	against(fmt.Sprintf("%d MiB restored", size), apply().Took, restored, 1)
	data := make([]byte, chunk*mib)
	for at := 0; at < size; at += chunk {
		if _, err := file.ReadAt(data, int64(at)*mib); err != nil {
			t.Fatal(err)
		}
		l.Read("db2", at, data)
	}
	t.Logf("strata had %d MiB in memory at most", most/mib)
	if most == 0 || most > 256*mib {
		t.Errorf("strata had %d MiB in memory, and 256 are promised", most/mib)
	}
}
