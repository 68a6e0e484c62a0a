package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"strata/spdk/sim"
)

var backupKills = flag.Int("backup-kills", 2, "how often strata is killed as it backs up, restores, follows, forgets or prunes")

// archived is a lab with an archive, and a volume db that hosts write to, of which it is
// known what it has and what its snapshots had.
type archived struct {
	*lab
	now       []byte
	snapshots []string // the oldest first
	had       map[string][]byte
	chance    *rand.Rand
	restic    bool
}

const (
	archivedSize = 24 << 20
	archivedHost = `export: nvmf: hosts: "any"`
)

// TestBackupKilledAnywhere kills strata at random moments of backups, restores, following, forgetting
// and pruning, by turns. Each time the stock restic finds the repository whole, and the next
// run comes to the end; what hosts wrote is there, and records have what snapshots had.
func TestBackupKilledAnywhere(t *testing.T) {
	t.Parallel()
	a := newArchived(t)
	turns := []struct {
		name string
		do   func(*testing.T, int) (killed bool)
	}{{"backup", a.backup}, {"increment", a.backup}, {"restore", a.restore}, {"restore at once", a.instant}, {"follow", a.follow}, {"forget", a.forget}, {"prune", a.prune}}
	killed := map[string]int{}
	for i, n := 0, 0; n < *backupKills && i < 3**backupKills; i++ {
		turn := turns[i%len(turns)]
		if turn.do(t, i) {
			killed[turn.name]++
			n++
		}
		a.reads(t, "db", a.now)
	}
	a.whole(t, "--read-data")
	for _, s := range a.snapshots {
		a.recorded(t, s)
	}
	t.Logf("killed %v; %d records in the end", killed, strings.Count(a.strata(t, "backup", "list", "main", "lab"), "db."))
}

func newArchived(t *testing.T) *archived {
	opts := sim.Options{DiskSize: 256 << 20, CopyRate: 64 << 20, Dial: dialTCP, NVMe: (&doors{out: io.Discard}).listen}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	a := &archived{lab: newStoryOn(t, opts), now: make([]byte, archivedSize), had: map[string][]byte{}, chance: rand.New(rand.NewPCG(seed, 0))}
	_, err := exec.LookPath("restic")
	a.restic = err == nil
	if err := os.CopyFS(filepath.Join(a.dir, "archive"), os.DirFS(archiveDir)); err != nil {
		t.Fatal(err)
	}
	nodes := "package lab\n\ncluster: \"lab\"\n"
	for i, n := range a.nodes {
		nodes += fmt.Sprintf("nodes: %s: {rpc: \"unix://%s\", address: \"127.77.40.%d\", pools: fast: {aio: \"/dev/disk\", format: true, clusterSize: 128Ki}}\n", n, a.socket(n), i+1)
	}
	nodes += fmt.Sprintf("archives: main: {dir: %q, password: env: \"STRATA_ARCHIVE_PASSWORD\"}\n", filepath.Join(a.dir, "archive"))
	if err := os.WriteFile(filepath.Join(a.dir, "lab", "nodes.cue"), []byte(nodes), 0o644); err != nil {
		t.Fatal(err)
	}
	a.configured(t, "")
	a.strata(t, "apply", "--auto-approve", "lab")
	a.do(t, a.cmdHost, "db")
	return a
}

// process makes a command that knows the archive's password.
func (a *archived) process(args ...string) *exec.Cmd {
	cmd := process(a.dir, args...)
	cmd.Env = append(cmd.Env, "STRATA_ARCHIVE_PASSWORD=secret", "RESTIC_PASSWORD=secret")
	return cmd
}

// strata runs it and expects it to end well.
func (a *archived) strata(t *testing.T, args ...string) string {
	t.Helper()
	out, err := a.process(append([]string{"strata"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("strata %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// configured has the latest four snapshots configured, and more volumes.
func (a *archived) configured(t *testing.T, more string) {
	t.Helper()
	var names []string
	for _, s := range a.snapshots[max(0, len(a.snapshots)-4):] {
		names = append(names, fmt.Sprintf("%q", s))
	}
	a.volumes(t, fmt.Sprintf("{db: {size: 24Mi, replicas: 2, snapshots: [%s], backup: to: \"main\", %s}\n%s}", strings.Join(names, ", "), archivedHost, more))
}

// write has the host write here and there.
func (a *archived) write(t *testing.T, most int) {
	t.Helper()
	for range 1 + a.chance.IntN(most) {
		off, data := a.chance.IntN(archivedSize/4096-64)*4096, bytes.Repeat([]byte{byte(1 + a.chance.IntN(255))}, 4096*(1+a.chance.IntN(64)))
		ctx, cancel := context.WithTimeout(t.Context(), ioLimit)
		err := a.hosts["db"].disk.Load().WriteAt(ctx, data, int64(off))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		copy(a.now[off:], data)
	}
}

// killed runs strata and kills it at a random moment up to one; it reports whether it had
// not ended by then.
func (a *archived) killed(t *testing.T, within time.Duration, args ...string) bool {
	t.Helper()
	cmd := a.process(append([]string{"strata"}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(a.chance.Int64N(int64(within))))
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	a.whole(t)
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled()
}

// whole has the stock restic look at the repository.
func (a *archived) whole(t *testing.T, how ...string) {
	t.Helper()
	if !a.restic {
		return
	}
	for _, args := range [][]string{{"unlock"}, append([]string{"check"}, how...)} {
		out, err := a.process(append([]string{"restic", "--no-cache", "-r", "archive"}, args...)...).CombinedOutput()
		if err != nil || args[0] == "check" && !bytes.Contains(out, []byte("no errors were found")) {
			t.Fatalf("restic %v: %v\n%s", args, err, out)
		}
	}
}

// reads compares what a host reads.
func (a *archived) reads(t *testing.T, volume string, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	ctx, cancel := context.WithTimeout(t.Context(), 3*ioLimit)
	defer cancel()
	if err := a.hosts[volume].disk.Load().ReadAt(ctx, got, 0); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(want); i += 4096 {
		if !bytes.Equal(got[i:i+4096], want[i:i+4096]) {
			t.Fatalf("%s has not what was written to it: at %d there is %d, not %d", volume, i, got[i], want[i])
		}
	}
}

// recorded compares what is recorded of a snapshot.
func (a *archived) recorded(t *testing.T, snapshot string) {
	t.Helper()
	file := filepath.Join(a.dir, "db.img")
	os.Remove(file)
	a.strata(t, "export", "--from", "main", "db@"+snapshot, "db.img", "lab")
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, a.had[snapshot]) {
		t.Fatalf("the record of %s has not what the snapshot had (%v)", snapshot, err)
	}
}

func (a *archived) backup(t *testing.T, i int) bool {
	a.write(t, 24)
	name := fmt.Sprintf("s%d", i)
	a.snapshots, a.had[name] = append(a.snapshots, name), bytes.Clone(a.now)
	a.configured(t, "")
	apply := []string{"apply", "--auto-approve", "lab"}
	if n := len(a.snapshots); n > 4 {
		apply = append(apply, "--allow-destroy", "db@"+a.snapshots[n-5])
	}
	killed := a.killed(t, 900*time.Millisecond, apply...)
	a.reads(t, "db", a.now)
	a.strata(t, apply...)
	a.recorded(t, name)
	return killed
}

func (a *archived) restore(t *testing.T, i int) bool {
	if len(a.snapshots) == 0 {
		return false
	}
	name, volume := a.snapshots[a.chance.IntN(len(a.snapshots))], fmt.Sprintf("r%d", i)
	a.configured(t, fmt.Sprintf("%s: {size: 24Mi, replicas: 2, from: {archive: \"main\", volume: \"db\", snapshot: %q}, %s}", volume, name, archivedHost))
	killed := a.killed(t, 900*time.Millisecond, "apply", "--auto-approve", "lab")
	a.strata(t, "apply", "--auto-approve", "lab")
	a.do(t, a.cmdHost, volume)
	a.reads(t, volume, a.had[name])
	a.hosts[volume].stop()
	delete(a.hosts, volume)
	a.configured(t, "")
	a.strata(t, "apply", "--auto-approve", "lab", "--allow-destroy", volume)
	return killed
}

// instant has a host use a volume while it is made of what is recorded, and strata killed as
// it does, twice: what the host writes meanwhile waits for the next.
func (a *archived) instant(t *testing.T, i int) bool {
	if len(a.snapshots) == 0 {
		return false
	}
	name, volume := a.snapshots[a.chance.IntN(len(a.snapshots))], fmt.Sprintf("i%d", i)
	a.configured(t, fmt.Sprintf("%s: {size: 24Mi, replicas: 2, from: {archive: \"main\", volume: \"db\", snapshot: %q, instant: true}, %s}", volume, name, archivedHost))
	want, apply := bytes.Clone(a.had[name]), []string{"apply", "--auto-approve", "lab"}
	killed := a.killed(t, 700*time.Millisecond, apply...)
	over := make(chan error, 1)
	if a.cmdHost(nil, []string{volume}) == nil {
		var offs []int
		for range 12 {
			off := a.chance.IntN(archivedSize/4096-1) * 4096
			offs = append(offs, off)
			copy(want[off:], bytes.Repeat([]byte{byte(len(offs))}, 4096))
		}
		disk := a.hosts[volume].disk.Load()
		go func() {
			for n, off := range offs {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				err := disk.WriteAt(ctx, bytes.Repeat([]byte{byte(n + 1)}, 4096), int64(off))
				cancel()
				if err != nil {
					over <- fmt.Errorf("a write at %d: %w", off, err)
					return
				}
			}
			over <- nil
		}()
		killed = a.killed(t, 700*time.Millisecond, apply...) || killed
	} else {
		over <- nil
	}
	a.strata(t, apply...)
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	a.do(t, a.cmdHost, volume)
	a.excuse(t, volume, want, a.had[name])
	a.reads(t, volume, want)
	a.hosts[volume].stop()
	delete(a.hosts, volume)
	a.configured(t, "")
	a.strata(t, "apply", "--auto-approve", "lab", "--allow-destroy", volume)
	return killed
}

// excuse takes for wanted what a host reads beside its writes in clusters of which the record has
// nothing: a target does not zero a cluster that is written to first.
func (a *archived) excuse(t *testing.T, volume string, want, had []byte) {
	const cluster = 128 << 10
	got := make([]byte, cluster)
	for at := 0; at < len(want); at += cluster {
		if zero := make([]byte, cluster); !bytes.Equal(had[at:at+cluster], zero) || bytes.Equal(want[at:at+cluster], zero) {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*ioLimit)
		err := a.hosts[volume].disk.Load().ReadAt(ctx, got, int64(at))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		for b := 0; b < cluster; b += 4096 {
			if want[at+b] == 0 {
				copy(want[at+b:at+b+4096], got[b:])
			}
		}
	}
}

func (a *archived) forget(t *testing.T, _ int) bool {
	if len(a.snapshots) < 3 {
		return false
	}
	k := a.chance.IntN(len(a.snapshots) - 2) // of the latest two the next are made
	if len(a.snapshots)-k <= 4 {
		return false // it would be recorded again
	}
	name := a.snapshots[k]
	killed := a.killed(t, 350*time.Millisecond, "backup", "forget", "--auto-approve", "main", "db@"+name, "lab")
	if strings.Contains(a.strata(t, "backup", "list", "main", "lab"), " "+name+" ") {
		a.strata(t, "backup", "forget", "--auto-approve", "main", "db@"+name, "lab")
	}
	a.snapshots = append(a.snapshots[:k:k], a.snapshots[k+1:]...)
	return killed
}

func (a *archived) prune(t *testing.T, _ int) bool {
	killed := a.killed(t, 600*time.Millisecond, "backup", "prune", "main", "lab")
	a.strata(t, "backup", "prune", "main", "lab")
	if n := len(a.snapshots); n > 0 {
		a.recorded(t, a.snapshots[a.chance.IntN(n)])
	}
	return killed
}

// follow has a volume follow what is recorded, and strata killed as it does. What is served when
// it follows no more is what the latest snapshot had.
func (a *archived) follow(t *testing.T, i int) bool {
	if len(a.snapshots) == 0 {
		return false
	}
	volume := fmt.Sprintf("f%d", i)
	following := volume + ": {size: 24Mi, replicas: 1, from: {archive: \"main\", volume: \"db\", follow: true}}"
	a.configured(t, following)
	if a.chance.IntN(2) == 0 {
		a.strata(t, "apply", "--auto-approve", "lab") // else it is killed as it begins to follow
	}
	begun := len(a.snapshots)
	a.write(t, 24)
	name := fmt.Sprintf("s%d", i)
	a.snapshots, a.had[name] = append(a.snapshots, name), bytes.Clone(a.now)
	a.configured(t, following)
	apply := []string{"apply", "--auto-approve", "lab"}
	if n := len(a.snapshots); n > 4 {
		apply = append(apply, "--allow-destroy", "db@"+a.snapshots[n-5])
	}
	killed := a.killed(t, 1200*time.Millisecond, apply...)
	a.strata(t, apply...)
	var has []string // layers it may have: what it is to have of others is taken
	for _, s := range a.snapshots[begun-1:] {
		has = append(has, fmt.Sprintf("%q", s))
	}
	a.configured(t, fmt.Sprintf("%s: {size: 24Mi, replicas: 1, snapshots: [%s], %s}", volume, strings.Join(has, ", "), archivedHost))
	a.strata(t, "apply", "--auto-approve", "lab")
	a.do(t, a.cmdHost, volume)
	a.reads(t, volume, a.had[name])
	a.hosts[volume].stop()
	delete(a.hosts, volume)
	a.configured(t, "")
	a.strata(t, "apply", "--auto-approve", "lab", "--allow-destroy", volume)
	return killed
}
