package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"strata/schema"
)

// files is a directory with a configuration of two files, and what watches them.
func files(t *testing.T, e *edits) (dir string, src *schema.Sources) {
	t.Helper()
	dir = t.TempDir()
	put(t, dir, "lab/lab.cue", "a: 1\n")
	put(t, dir, "more.json", "{}")
	src = &schema.Sources{Files: []string{filepath.Join(dir, "lab/lab.cue"), filepath.Join(dir, "more.json")}, Dirs: []string{filepath.Join(dir, "lab")}}
	go e.run()
	t.Cleanup(e.close)
	e.of(sources{Sources: src, before: stampOf(src), read: time.Now()})
	return dir, src
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// putWhole is put in one change: a file that is written where it is may be seen empty first,
// and what is in it told as another.
func putWhole(t *testing.T, dir, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	put(t, dir, ".whole", text)
	must(t, os.Rename(filepath.Join(dir, ".whole"), filepath.Join(dir, name)))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEdits tells of every way in which files change, once they have settled, and of
// nothing else.
func TestEdits(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		quiet  bool // nothing that counts has changed
	}{
		{name: "a file is written", change: func(t *testing.T, dir string) { put(t, dir, "lab/lab.cue", "a: 22\n") }},
		{name: "one beside the directory is", change: func(t *testing.T, dir string) { put(t, dir, "more.json", "{ }") }},
		{name: "an editor renames another over it", change: func(t *testing.T, dir string) {
			put(t, dir, "lab/.lab.cue.swp", "a: 2\n")
			must(t, os.Rename(filepath.Join(dir, "lab/.lab.cue.swp"), filepath.Join(dir, "lab/lab.cue")))
		}},
		{name: "there is a new file", change: func(t *testing.T, dir string) { put(t, dir, "lab/new.cue", "b: 1\n") }},
		{name: "one is gone", change: func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "lab/lab.cue"))) }},
		{name: "the directory is gone and made again", change: func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "lab")))
			time.Sleep(3 * settle)
			put(t, dir, "lab/lab.cue", "a: 1\n")
		}},
		{name: "another directory takes its place", change: func(t *testing.T, dir string) {
			put(t, dir, "other/lab.cue", "a: 1\n")
			must(t, os.Rename(filepath.Join(dir, "lab"), filepath.Join(dir, "was")))
			must(t, os.Rename(filepath.Join(dir, "other"), filepath.Join(dir, "lab")))
		}},
		{name: "a log beside it grows", quiet: true, change: func(t *testing.T, dir string) { put(t, dir, "lab/strata.log", "x\n") }},
		{name: "nothing", quiet: true, change: func(*testing.T, string) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newEdits()
			dir, _ := files(t, e)
			test.change(t, dir)
			told(t, e, !test.quiet)
			if test.quiet {
				return
			}
			// What is there now is watched as well.
			drain(e)
			put(t, dir, "lab/lab.cue", "a: 333\n")
			told(t, e, true)
		})
	}
}

// told waits for a change to be told of, or makes sure that none is.
func told(t *testing.T, e *edits, want bool) {
	t.Helper()
	wait := 10 * settle
	if want {
		wait = lookAnyway * 2 / 3 // sooner than it would be found by looking
	}
	select {
	case <-e.changed:
		if !want {
			t.Error("told of a change, and there was none")
		}
	case err := <-e.blind:
		t.Fatal(err)
	case <-time.After(wait):
		if want {
			t.Error("not told")
		}
	}
}

func drain(e *edits) {
	for {
		select {
		case <-e.changed:
		case <-time.After(5 * settle):
			return
		}
	}
}

// TestEditsOfLinks swaps a link as Kubernetes does it with a mounted ConfigMap.
func TestEditsOfLinks(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "..1/lab.cue", "a: 1\n")
	put(t, dir, "..2/lab.cue", "a: 2\n")
	must(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	must(t, os.Symlink("..data/lab.cue", filepath.Join(dir, "lab.cue")))
	e := newEdits()
	go e.run()
	defer e.close()
	src := &schema.Sources{Files: []string{filepath.Join(dir, "lab.cue")}, Dirs: []string{dir}}
	e.of(sources{Sources: src, before: stampOf(src), read: time.Now()})
	must(t, os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	told(t, e, true)
	put(t, dir, "..2/lab.cue", "a: 22\n") // where it leads now
	told(t, e, true)
}

// TestEditsOfEmbedded has files come, change and go that a pattern matches, also in
// directories that are made for them, and others.
func TestEditsOfEmbedded(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "lab/lab.cue", "a: 1\n")
	e := newEdits()
	go e.run()
	defer e.close()
	src := &schema.Sources{Dirs: []string{filepath.Join(dir, "lab")}, Globs: []schema.Glob{{Dir: filepath.Join(dir, "lab"), Pattern: "teams/*/volumes.json"}}}
	e.of(sources{Sources: src, before: stampOf(src), read: time.Now()})
	for _, text := range []string{"{}", "{ }"} {
		putWhole(t, dir, "lab/teams/a/volumes.json", text)
		told(t, e, true)
		drain(e)
	}
	put(t, dir, "lab/teams/a/other.json", "{}")
	told(t, e, false)
	must(t, os.Rename(filepath.Join(dir, "lab/teams/a"), filepath.Join(dir, "lab/teams/b")))
	told(t, e, true)
	drain(e)
	must(t, os.RemoveAll(filepath.Join(dir, "lab/teams")))
	told(t, e, true)
}

// TestEditsOfCheckout has many files change at once: it is told once, or a few times.
func TestEditsOfCheckout(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	for _, text := range []string{"a: 1\n", "a: 22\n"} {
		for i := range 100 {
			put(t, dir, "lab/f"+string(rune('a'+i/26))+string(rune('a'+i%26))+".cue", text)
		}
		git("add", ".")
		git("commit", "-qm", text)
	}
	e := newEdits()
	go e.run()
	defer e.close()
	src := &schema.Sources{Dirs: []string{filepath.Join(dir, "lab")}}
	e.of(sources{Sources: src, before: stampOf(src), read: time.Now()})
	git("checkout", "-q", "HEAD~1")
	told(t, e, true)
	n := 1
	for quiet := time.After(time.Second); ; {
		select {
		case <-e.changed:
			n++
			continue
		case <-quiet:
		}
		break
	}
	if n > 5 {
		t.Errorf("told %d times", n)
	}
}

// TestEditsWhileReading changes a file between its being read and its being watched.
func TestEditsWhileReading(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "lab.cue", "a: 1\n")
	src := &schema.Sources{Files: []string{filepath.Join(dir, "lab.cue")}}
	glob := &schema.Sources{Globs: []schema.Glob{{Dir: dir, Pattern: "*.json"}}}
	e := newEdits()
	go e.run()
	read := time.Now()
	time.Sleep(20 * time.Millisecond)
	put(t, dir, ".x", "{}")
	must(t, os.Chtimes(filepath.Join(dir, ".x"), read.Add(-time.Hour), read.Add(-time.Hour)))
	must(t, os.Rename(filepath.Join(dir, ".x"), filepath.Join(dir, "x.json"))) // which is old
	e.of(sources{Sources: glob, read: read})
	told(t, e, true)
	e.close()
	for _, before := range []stamp{nil, stampOf(src)} {
		e := newEdits()
		go e.run()
		read := time.Now()
		time.Sleep(20 * time.Millisecond) // more than a file system's clock is coarse
		put(t, dir, "lab.cue", "a: 22\n")
		e.of(sources{Sources: src, before: before, read: read})
		told(t, e, true)
		e.close()
	}
}

// TestEditsWithoutTelling has the system tell of no more directories: that is said, and
// what changes is found by looking.
func TestEditsWithoutTelling(t *testing.T) {
	e := lookingEdits()
	e.goBlind(syscall.ENOSPC)
	dir, _ := files(t, e)
	if err := <-e.blind; err != syscall.ENOSPC {
		t.Errorf("why: %v", err)
	}
	put(t, dir, "lab/lab.cue", "a: 22\n")
	select {
	case <-e.changed:
	case <-time.After(time.Minute):
		t.Error("not found by looking")
	}
}
