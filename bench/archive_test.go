//go:build bench

package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/archive"
	"strata/archive/dir"
)

const (
	archivePassword = "of a repository that lives for a measurement"
	// archiveChild is set in the environment of a process that backs up or restores: what
	// is told of its time and memory is its own.
	archiveChild = "STRATA_BENCH_ARCHIVE"
	archiveBlock = 1 << 20
	archiveSize  = 4 << 30
)

// archiveMemory is what this process has had in memory at most, in bytes. What the kernel
// says of a child counts its parent, too.
func archiveMemory() (most int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(line, &most)
	return most << 10, err
}

// archiveWork backs a file up, or restores it.
func archiveWork(what, repository, file string) error {
	ctx := context.Background()
	st, err := dir.Open(repository)
	if err != nil {
		return err
	}
	r, err := archive.Open(ctx, st, archive.Options{Password: archivePassword})
	if err != nil {
		return err
	}
	defer r.Close()
	if what == "restore" {
		return archiveRestore(ctx, r, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var base *archive.Record
	if what == "increment" {
		all, err := r.Records(ctx, archive.Filter{})
		if err != nil {
			return err
		}
		base = &all[len(all)-1]
	}
	b, err := r.Backup(ctx, archive.BackupOptions{Volume: "db", Size: archiveSize, BlockSize: archiveBlock, Base: base})
	if err != nil {
		return err
	}
	defer b.Close()
	block := make([]byte, archiveBlock)
	for off := int64(0); off < archiveSize; off += archiveBlock {
		if what == "increment" && !archiveChanged(off) {
			continue
		}
		if _, err := f.ReadAt(block, off); err != nil {
			return err
		}
		if _, err := b.WriteAt(block, off); err != nil {
			return err
		}
	}
	_, err = b.Commit(ctx, archive.Commit{})
	return err
}

// archiveChanged tells which hundredth of the blocks an increment has.
func archiveChanged(off int64) bool { return off/archiveBlock%100 == 50 }

func archiveRestore(ctx context.Context, r *archive.Repository, file string) error {
	all, err := r.Records(ctx, archive.Filter{})
	if err != nil {
		return err
	}
	i, err := r.Image(ctx, all[len(all)-1])
	if err != nil {
		return err
	}
	defer i.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := i.Blocks(ctx, nil, func(b archive.Block) error {
		_, err := f.WriteAt(b.Data, b.Off)
		return err
	}); err != nil {
		return err
	}
	if err := f.Truncate(i.Size); err != nil {
		return err
	}
	return f.Close()
}

// used is what a process took.
type used struct {
	wall, cpu time.Duration
	memory    int64 // bytes, at most; only of ours
}

func measure(t *testing.T, cmd *exec.Cmd) used {
	t.Helper()
	syscall.Sync() // or who is measured waits for what others have written
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	s := cmd.ProcessState
	u := used{wall: time.Since(start), cpu: s.UserTime() + s.SystemTime()}
	fmt.Sscan(string(out), &u.memory)
	return u
}

// TestArchive measures backups and restores against restic's, of the same disk: a third
// of it zero, a third that compresses, a third that does not. What counts is the time,
// in turns.
func TestArchive(t *testing.T) {
	if _, err := exec.LookPath("restic"); err != nil {
		t.Skip("restic is not installed (Debian: restic)")
	}
	file := filepath.Join(t.TempDir(), "disk.img")
	archiveDisk(t, file)
	restic := func(repository string, args ...string) used {
		cmd := exec.Command("restic", append([]string{"--no-cache", "-q", "-r", repository}, args...)...)
		cmd.Env = append(os.Environ(), "RESTIC_PASSWORD="+archivePassword)
		return measure(t, cmd)
	}
	ours := func(what, repository, file string) used {
		cmd := exec.Command(os.Args[0], repository, file)
		cmd.Env = append(os.Environ(), archiveChild+"="+what)
		return measure(t, cmd)
	}
	times := map[string][]time.Duration{}
	note := func(what string, u used) {
		times[what] = append(times[what], u.wall)
		times[what+" cpu"] = append(times[what+" cpu"], u.cpu)
	}
	memory := int64(0)
	for round := range 3 {
		d := t.TempDir()
		theirs, mine := filepath.Join(d, "restic"), filepath.Join(d, "strata")
		restic(theirs, "init")
		// Their keys are one and the same, so to unlock them costs the same.
		if err := os.CopyFS(mine, os.DirFS(theirs)); err != nil {
			t.Fatal(err)
		}
		note("restic backup", restic(theirs, "backup", file))
		u := ours("backup", mine, file)
		note("backup", u)
		memory = max(memory, u.memory)
		// Who comes second finds the memory full of what the first has written: they change places.
		for turn := range 2 {
			if (turn+round)%2 == 0 {
				note("restic restore", restic(theirs, "restore", "latest", "--target", filepath.Join(d, "to")))
				continue
			}
			u = ours("restore", mine, filepath.Join(d, "back"))
			note("restore", u)
			memory = max(memory, u.memory)
		}
		equal(t, file, filepath.Join(d, "back"))
		archiveChange(t, file)
		note("restic increment", restic(theirs, "backup", file))
		note("increment", ours("increment", mine, file))
		t.Logf("repositories: %d MiB, restic's %d MiB", du(t, mine)>>20, du(t, theirs)>>20)
		for _, repository := range []string{theirs, mine} {
			restic(repository, "check", "--read-data")
		}
		os.RemoveAll(d)
	}
	for _, what := range []string{"backup", "restore", "increment"} {
		a, b := median(times[what]), median(times["restic "+what])
		most := map[string]float64{"backup": 1, "restore": 1, "increment": 0.2}[what]
		t.Logf("%s: %v, restic %v", what, times[what], times["restic "+what])
		figure(t, "archive "+what+" / restic", ratio(a, b), most, "%v for %d MiB (CPU %v), restic %v (CPU %v)", a, archiveSize>>20, median(times[what+" cpu"]), b, median(times["restic "+what+" cpu"]))
	}
	figure(t, "memory of an archive", float64(memory)/(256<<20), 1, "%d MiB at most, of 256", memory>>20)
}

func archiveDisk(t *testing.T, file string) {
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	chance := rand.NewChaCha8([32]byte{1})
	block := make([]byte, archiveBlock)
	for off := int64(0); off < archiveSize; off += archiveBlock {
		switch off / archiveBlock % 3 {
		case 0:
			continue
		case 1:
			text := strings.Builder{}
			for text.Len() < archiveBlock {
				fmt.Fprintf(&text, "%d was written to %d by %d;", chance.Uint64()%1000, off, chance.Uint64()%1000)
			}
			copy(block, text.String())
		case 2:
			chance.Read(block)
		}
		if _, err := f.WriteAt(block, off); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(archiveSize); err != nil {
		t.Fatal(err)
	}
}

// archiveChange gives the blocks of an increment other content.
func archiveChange(t *testing.T, file string) {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var seed [32]byte
	seed[0] = byte(time.Now().UnixNano())
	block := make([]byte, archiveBlock)
	chance := rand.NewChaCha8(seed)
	for off := int64(0); off < archiveSize; off += archiveBlock {
		if !archiveChanged(off) {
			continue
		}
		chance.Read(block)
		if _, err := f.WriteAt(block, off); err != nil {
			t.Fatal(err)
		}
	}
}

func equal(t *testing.T, a, b string) {
	t.Helper()
	var sums []string
	for _, name := range []string{a, b} {
		out, err := exec.Command("sha256sum", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, strings.Fields(string(out))[0])
	}
	if sums[0] != sums[1] {
		t.Fatalf("%s and %s differ", a, b)
	}
}

func du(t *testing.T, path string) (sum int64) {
	t.Helper()
	if err := filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return sum
}
