package archive_test

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"strata/archive"
)

// chain backs up an image several times, each with some other blocks, and returns the
// records with what they should be.
func chain(t testing.TB, r *archive.Repository, volume string, n int) (recs []archive.Record, want [][]byte) {
	d := &disk{block: 64 << 10, data: make([]byte, 18<<20+4096)}
	for i := range n {
		o := d.options(volume)
		blocks := span(int64(i*7), int64(i*7+40))
		if i > 0 {
			o.Base = &recs[i-1]
		} else {
			blocks = span(0, 280)
		}
		b := begin(t, r, o)
		d.put(t, b, uint64(100+i), blocks...)
		recs = append(recs, commit(t, b, "chain"))
		want = append(want, bytes.Clone(d.data))
	}
	return recs, want
}

// TestPrune: what no record needs goes, what one needs stays, restic agrees, and backups
// go on.
func TestPrune(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	recs, want := chain(t, r, "db", 5)
	before := size(t, path)
	if err := r.Forget(t.Context(), recs[0].ID, recs[1].ID, recs[3].ID); err != nil {
		t.Fatal(err)
	}
	left, err := r.Records(t.Context(), archive.Filter{Tags: []string{"chain"}})
	if err != nil || len(left) != 2 || left[0].ID != recs[2].ID || left[1].ID != recs[4].ID {
		t.Fatalf("left are %v (%v)", left, err)
	}
	done, err := r.Prune(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := size(t, path)
	t.Logf("%+v, %d bytes before and %d after", done, before, after)
	if done.Records != 2 || done.Freed == 0 || after >= before || done.Deleted+done.Repacked == 0 {
		t.Errorf("%+v, %d bytes before and %d after", done, before, after)
	}
	for _, i := range []int{2, 4} {
		same(t, r, recs[i], want[i])
	}
	if out := restic(t, path, "check", "--read-data"); !strings.Contains(out, "no errors were found") || strings.Contains(out, "not referenced") {
		t.Errorf("restic check says\n%s", out)
	}
	if out := restic(t, path, "prune", "--dry-run"); !strings.Contains(out, "to delete:            0 blobs / 0 B") && !strings.Contains(out, "to delete:             0 blobs") {
		t.Errorf("restic prune finds\n%s", out)
	}
	if again, err := r.Prune(t.Context()); err != nil || again.Deleted+again.Repacked > 0 {
		t.Errorf("pruned again: %+v, %v", again, err)
	}
	d := &disk{block: 64 << 10, data: bytes.Clone(want[4])}
	o := d.options("db")
	o.Base = &recs[4]
	b := begin(t, r, o)
	d.put(t, b, 900, 1, 2, 3)
	same(t, r, commit(t, b), d.data)

	everything, err := r.Records(t.Context(), archive.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range everything {
		if err := r.Forget(t.Context(), rec.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rest, _ := filepath.Glob(filepath.Join(path, "data", "*", "*")); len(rest) > 0 {
		t.Errorf("without records there are %d packs", len(rest))
	}
}

// TestPruneDamaged: nothing is deleted of a repository that lacks something.
func TestPruneDamaged(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	recs, _ := chain(t, r, "db", 2)
	packs, err := filepath.Glob(filepath.Join(path, "data", "*", "*"))
	if err != nil || len(packs) < 2 {
		t.Fatal(packs, err)
	}
	// The longest has what the first backup stored, and the second needs of it.
	slices.SortFunc(packs, func(a, b string) int { return cmp.Compare(size(t, b), size(t, a)) })
	if err := os.Remove(packs[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.Forget(t.Context(), recs[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Prune(t.Context()); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("a pack is missing, and prune says %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(path, "data", "*", "*")); len(left) != len(packs)-1 {
		t.Errorf("%d packs are left of %d", len(left), len(packs)-1)
	}
}

// TestAppendOnly: where nothing may be deleted backups go on, and neither forgetting nor
// pruning does harm.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	recs, want := chain(t, r, "db", 2)
	st := store(t, path)
	st.AppendOnly = true
	only, err := archive.Open(t.Context(), st, archive.Options{Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer only.Close()
	if err := only.Forget(t.Context(), recs[0].ID); !errors.Is(err, archive.ErrAppendOnly) {
		t.Errorf("forgetting: %v", err)
	}
	if err := r.Forget(t.Context(), recs[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := only.Prune(t.Context()); !errors.Is(err, archive.ErrAppendOnly) {
		t.Errorf("pruning: %v", err)
	}
	same(t, only, recs[1], want[1])
	more, wanted := chain(t, only, "other", 2)
	same(t, only, more[1], wanted[1])
	if locks, _ := filepath.Glob(filepath.Join(path, "locks", "*")); len(locks) > 0 {
		t.Errorf("%d locks are left", len(locks))
	}
	restic(t, path, "check")
}

func size(t testing.TB, path string) (sum int64) {
	err := filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing was stored yet
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		sum += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
