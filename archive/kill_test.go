package archive_test

import (
	"bytes"
	"context"
	"flag"
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

var kills = flag.Int("kills", 1, "how often a backup, and after it a prune, is killed")

// child is set in the environment of a process that is to be killed: what it does.
const child = "STRATA_ARCHIVE_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(child); what != "" {
		if err := beKilled(what, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const killedBlocks, killedBlock = 360, 128 << 10

// killedDisk is what the child backs up.
func killedDisk() *disk {
	return &disk{block: killedBlock, data: random(77, killedBlocks*killedBlock)}
}

// beKilled works until so many blocks were written, and some more microseconds.
func beKilled(what, path, moment string) error {
	ctx := context.Background()
	var blocks, more int
	if _, err := fmt.Sscan(moment, &blocks, &more); err != nil {
		return err
	}
	die := func() {
		time.AfterFunc(time.Duration(more)*time.Microsecond, func() { syscall.Kill(os.Getpid(), syscall.SIGKILL) })
	}
	st, err := dir.Open(path)
	if err != nil {
		return err
	}
	r, err := archive.Open(ctx, st, archive.Options{Password: password})
	if err != nil {
		return err
	}
	if what == "huge" {
		return huge(ctx, r)
	}
	if what == "prune" {
		die()
		_, err := r.Prune(ctx)
		return err
	}
	d := killedDisk()
	b, err := r.Backup(ctx, d.options("db"))
	if err != nil {
		return err
	}
	fmt.Println("adopted", b.Stats().Adopted)
	for i, n := range rand.Perm(killedBlocks) {
		if i == blocks {
			die()
		}
		off := int64(n) * killedBlock
		if _, err := b.WriteAt(d.data[off:off+killedBlock], off); err != nil {
			return err
		}
	}
	if blocks == killedBlocks {
		die()
	}
	if _, err := b.Commit(ctx, archive.Commit{Host: "lab", Tags: []string{"killed"}}); err != nil {
		return err
	}
	fmt.Println("known", b.Stats().Known)
	return nil
}

// never is a moment that does not come.
const never = "-1 0"

// run runs the child, and returns what it has printed, and whether it ended by itself.
func run(t *testing.T, what, path, moment string) (string, bool) {
	cmd := exec.Command(os.Args[0], path, moment)
	cmd.Env = append(os.Environ(), child+"="+what)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("%s: %v\n%s", what, err, out.String())
	}
	return out.String(), err == nil
}

// TestKilled: a backup that is killed leaves a repository that restic finds nothing wrong
// with, and no record; what it had stored is used again. The same of a prune.
func TestKilled(t *testing.T) {
	needRestic(t)
	t.Parallel()
	_, path := newRepository(t)
	r := open(t, path)
	d := killedDisk()
	for round := range *kills {
		records, err := r.Records(t.Context(), archive.Filter{Tags: []string{"killed"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			if err := r.Forget(t.Context(), rec.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		moment := fmt.Sprint(min(killedBlocks, 160+rand.IntN(killedBlocks)), rand.IntN(100_000))
		_, ended := run(t, "backup", path, moment)
		sound(t, path)
		if records, _ := r.Records(t.Context(), archive.Filter{}); len(records) > 0 && !ended {
			t.Logf("round %d: killed after the record was there", round)
		} else if len(records) > 0 != ended {
			t.Errorf("round %d: %d records, ended %v", round, len(records), ended)
		}
		stored := size(t, filepath.Join(path, "data"))
		again, _ := run(t, "backup", path, never)
		known := 0
		if _, line, found := strings.Cut(again, "known "); found {
			fmt.Sscan(line, &known)
		}
		t.Logf("round %d: killed at %s, %d MiB stored, %d of %d blocks used again", round, moment, stored>>20, known, killedBlocks)
		if finished := int(stored/killedBlock) * 97 / 100; known < finished {
			t.Errorf("some %d blocks were stored and %d used again", finished, known)
		}
		run(t, "prune", path, fmt.Sprint(0, rand.IntN(300_000)))
		sound(t, path)
		records, err = r.Records(t.Context(), archive.Filter{})
		if err != nil || len(records) == 0 {
			t.Fatalf("%d records: %v", len(records), err)
		}
		same(t, open(t, path), records[len(records)-1], d.data)
	}
}

// sound: restic finds nothing wrong. That the lock is of somebody who was killed it has to
// be told to see.
func sound(t *testing.T, path string) {
	t.Helper()
	restic(t, path, "unlock")
	out := restic(t, path, "check", "--read-data")
	if !strings.Contains(out, "no errors were found") {
		t.Errorf("restic check says\n%s", out)
	}
}
