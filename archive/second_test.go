package archive_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/archive"
)

// TestSecondWriter: restic backs up while we do, and we while another of ours does; all
// is there in the end, and nobody prunes meanwhile.
func TestSecondWriter(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	other := open(t, path)
	one := &disk{block: 256 << 10, data: make([]byte, 12<<20)}
	two := &disk{block: 256 << 10, data: make([]byte, 10<<20)}
	a, b := begin(t, r, one.options("one")), begin(t, other, two.options("two"))
	one.put(t, a, 1, span(0, 24)...)
	two.put(t, b, 2, span(0, 25)...)

	file := filepath.Join(t.TempDir(), "disk.img")
	content := random(3, 12<<20)
	copy(content[3<<20:], make([]byte, 4<<20))
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	restic(t, path, "backup", "--tag", "restic", file)
	if out, err := tryRestic(t, path, "prune"); err == nil || !strings.Contains(out, "already locked") {
		t.Errorf("restic prunes while backups are under way: %v\n%s", err, out)
	}
	var locked *archive.LockedError
	if _, err := r.Prune(t.Context()); !errors.As(err, &locked) || locked.Exclusive || locked.PID != os.Getpid() {
		t.Errorf("pruning while backups are under way: %v", err)
	}
	one.put(t, a, 4, span(24, 48)...)
	two.put(t, b, 5, span(25, 40)...)
	first, second := commit(t, a), commit(t, b)
	if _, err := r.Prune(t.Context()); err != nil {
		t.Error(err)
	}
	same(t, r, first, one.data)
	same(t, other, first, one.data)
	same(t, other, second, two.data)
	if out := restic(t, path, "check", "--read-data"); !strings.Contains(out, "no errors were found") {
		t.Errorf("restic check says\n%s", out)
	}

	// What restic has written is read.
	records, err := r.Records(t.Context(), archive.Filter{Tags: []string{"restic"}, Path: file})
	if err != nil || len(records) != 1 {
		t.Fatalf("restic's records: %v, %v", records, err)
	}
	f, err := r.File(t.Context(), records[0], file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size != int64(len(content)) {
		t.Errorf("%d bytes", f.Size)
	}
	sameReader(t, f, content)
	if _, err := r.File(t.Context(), records[0], "/no/such"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that there is not: %v", err)
	}
	if _, err := r.Image(t.Context(), records[0]); err == nil || !strings.Contains(err.Error(), "no image") {
		t.Errorf("restic's record as an image: %v", err)
	}
}

// TestResticPrunes: restic forgets and prunes, and we go on with what is left.
func TestResticPrunes(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	recs, want := chain(t, r, "db", 3)
	restic(t, path, "forget", "--prune", recs[0].ID.String(), recs[1].ID.String())
	left, err := r.Records(t.Context(), archive.Filter{Host: "lab", Path: "/db"})
	if err != nil || len(left) != 1 || left[0].ID != recs[2].ID {
		t.Fatalf("left: %v, %v", left, err)
	}
	// The same process, whose index is that of before.
	same(t, r, recs[2], want[2])
	d := &disk{block: 64 << 10, data: bytes.Clone(want[2])}
	o := d.options("db")
	o.Base = &recs[2]
	b := begin(t, r, o)
	d.put(t, b, 50, 0, 5, 200)
	next := commit(t, b)
	same(t, r, next, d.data)
	restic(t, path, "tag", "--add", "kept", next.ID.String())
	tagged, err := r.Records(t.Context(), archive.Filter{Tags: []string{"kept"}})
	if err != nil || len(tagged) != 1 || tagged[0].Original != next.ID {
		t.Fatalf("tagged by restic: %+v, %v", tagged, err)
	}
	same(t, r, tagged[0], d.data)
	if out := restic(t, path, "check", "--read-data"); !strings.Contains(out, "no errors were found") {
		t.Errorf("restic check says\n%s", out)
	}
}

// TestResticInit: a repository that restic has made is written to.
func TestResticInit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "repository")
	restic(t, path, "init", "--repository-version", "2")
	r := open(t, path)
	recs, want := chain(t, r, "db", 2)
	same(t, r, recs[1], want[1])
	restic(t, path, "check", "--read-data")
}
