package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"strata/archive"
)

// TestSizes: images that grow, shrink, end within a block, and have more than one piece
// are read back as they were written.
func TestSizes(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	const block = 8 << 10
	model := []byte{}
	var base *archive.Record
	for round, n := range []int64{5 * block, 40*block + 512, 40*block + 4096, 90 * block, 17*block + 1024, 17 * block, 3} {
		n = max(n, 512)
		grown := make([]byte, n)
		copy(grown, model)
		model = grown
		b := begin(t, r, archive.BackupOptions{Volume: "db", Size: n, BlockSize: block, Base: base})
		written := map[int64]bool{}
		for range 3 {
			at := rand.Int64N((n + block - 1) / block)
			written[at] = true
			part := model[at*block : min(n, (at+1)*block)]
			copy(part, random(uint64(round), len(part)))
			if _, err := b.WriteAt(part, at*block); err != nil {
				t.Fatal(err)
			}
		}
		zero := rand.Int64N((n + block - 1) / block)
		written[zero] = true
		clear(model[zero*block : min(n, (zero+1)*block)])
		if err := b.ZeroAt(zero*block, min(block, n-zero*block)); err != nil {
			t.Fatal(err)
		}
		rec := commit(t, b)
		if got := b.Stats().Blocks; got != int64(len(written)) {
			t.Errorf("round %d: %d blocks were written, and %d counted", round, len(written), got)
		}
		same(t, r, rec, model)
		base = &rec
	}
	restic(t, path, "check", "--read-data")
}

// TestPieces: a thin image of many GiB is some trees; a block at each end of a piece is
// where it was written, and a backup that builds on it stores only what changed.
func TestPieces(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	const block, size = 8 << 20, 1100<<30 + 24<<20
	at := []int64{0, 1<<30 - block, 1 << 30, 1024<<30 - block, 1024 << 30, 1050 << 30, size - block}
	back := func(base *archive.Record, seed uint64, at ...int64) archive.Record {
		b := begin(t, r, archive.BackupOptions{Volume: "big", Size: size, BlockSize: block, Base: base})
		for _, off := range at {
			if _, err := b.WriteAt(random(seed+uint64(off>>20), block), off); err != nil {
				t.Fatal(err)
			}
		}
		return commit(t, b)
	}
	first := back(nil, 0, at...)
	stored := dataSize(t, path)
	second := back(&first, 7, at[4])
	if more := dataSize(t, path) - stored; more > block+300<<10 {
		t.Errorf("one block of 8 MiB changed, and %d bytes were stored", more)
	}
	i, err := r.Image(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	for n, off := range at {
		seed := uint64(off >> 20)
		if n == 4 {
			seed += 7
		}
		got := make([]byte, 3<<10)
		if m, err := i.ReadAt(got, off-1<<10); n > 0 && n != len(at)-1 && (m != len(got) || err != nil) {
			t.Errorf("at %d: %d, %v", off, m, err)
		}
		if want := random(seed, block); n > 0 && n != len(at)-1 && !bytes.Equal(got[1<<10:], want[:2<<10]) {
			t.Errorf("at %d is something else", off)
		}
	}
	if n, err := i.ReadAt(make([]byte, 10), size-4); n != 4 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if n, err := i.ReadAt(make([]byte, 10), size); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	old, err := r.Image(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if got := offsets(t, i, nil); !slices.Equal(got, at) {
		t.Errorf("blocks that are not zero: %v", got)
	}
	if got := offsets(t, i, old); !slices.Equal(got, at[4:5]) {
		t.Errorf("blocks that changed: %v", got)
	}
	if old.Content == i.Content {
		t.Error("two images have the same content")
	}
	if sums, err := i.Sums(t.Context(), at[3]/block, 2); err != nil || len(sums) != 2 || sums[0] == sums[1] {
		t.Errorf("sums: %v, %v", sums, err)
	}
	i.Close()
	old.Close()
	restic(t, path, "check")
	if out := restic(t, path, "dump", second.ID.String(), "/big/image/0001/0076/data"); len(out) != 24<<20 || out[16<<20:] != string(random((size-block)>>20, block)) {
		t.Error("restic dumps something else as the last piece")
	}
}

func dataSize(t *testing.T, path string) int64 { return size(t, filepath.Join(path, "data")) }

func offsets(t *testing.T, i, since *archive.Image) (all []int64) {
	var mu sync.Mutex
	if err := i.Blocks(t.Context(), since, func(b archive.Block) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, b.Off)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// lacking are the offsets of blocks that other lacks, found out by hashes of what it reads.
func lacking(t *testing.T, i, other *archive.Image) (all []int64) {
	var mu sync.Mutex
	has := func(ctx context.Context, off, n int64, sum archive.ID) (bool, error) {
		p := make([]byte, n)
		_, err := other.ReadAtContext(ctx, p, off)
		return archive.ID(sha256.Sum256(p)) == sum, err
	}
	if err := i.BlocksUnless(t.Context(), has, func(b archive.Block) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, b.Off)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// TestUnless: what another image lacks is found by hashes as it is by comparing the two,
// zeroes included.
func TestUnless(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	d := &disk{block: 64 << 10, data: random(1, 1<<20)}
	b := begin(t, r, d.options("db"))
	if _, err := b.WriteAt(d.data, 0); err != nil {
		t.Fatal(err)
	}
	first := commit(t, b)
	o := d.options("db")
	o.Base = &first
	b = begin(t, r, o)
	if _, err := b.WriteAt(random(2, 64<<10), 5*64<<10); err != nil {
		t.Fatal(err)
	}
	if err := b.ZeroAt(9*64<<10, 64<<10); err != nil {
		t.Fatal(err)
	}
	i, err := r.Image(t.Context(), commit(t, b))
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	old, err := r.Image(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if got, want := lacking(t, i, old), offsets(t, i, old); !slices.Equal(got, want) || len(got) != 2 {
		t.Errorf("the older lacks %v by hashes, and %v by comparison", got, want)
	}
	if got := lacking(t, i, i); len(got) > 0 {
		t.Errorf("it lacks %v itself", got)
	}
}

// TestParts: a block may come in parts, in any order and at once; one that does not come
// whole is an error, and no record.
func TestParts(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	d := &disk{block: 64 << 10, data: random(1, 1<<20)}
	b := begin(t, r, d.options("db"))
	var work sync.WaitGroup
	for _, n := range rand.Perm(len(d.data) / (8 << 10)) {
		work.Go(func() {
			at := int64(n) * 8 << 10
			if _, err := b.WriteAt(d.data[at:at+8<<10], at); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	same(t, r, commit(t, b), d.data)

	b = begin(t, r, d.options("db"))
	if _, err := b.WriteAt(d.data[:4096], 70<<10); err != nil {
		t.Fatal(err)
	}
	_, err := b.Commit(t.Context(), archive.Commit{})
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "byte 65536") {
		t.Errorf("a part of a block: %v", err)
	}
	if recs, _ := r.Records(t.Context(), archive.Filter{}); len(recs) != 1 {
		t.Errorf("%d records", len(recs))
	}
	if _, err := b.WriteAt(d.data[:64<<10], 0); err == nil {
		t.Error("a backup that has ended takes more")
	}
	for _, at := range []int64{-512, 100, 1 << 20} {
		b := begin(t, r, d.options("db"))
		if _, err := b.WriteAt(d.data[:512], at); err == nil {
			t.Errorf("a write at %d is taken", at)
		}
		b.Close()
	}
}

// TestLastCounts: of several writes to a block the last counts, whatever is in the queue.
func TestLastCounts(t *testing.T) {
	t.Parallel()
	r, _ := newRepository(t)
	d := &disk{block: 4 << 10, data: make([]byte, 64<<10)}
	b := begin(t, r, d.options("db"))
	for round := range uint64(50) {
		d.put(t, b, round, span(0, 16)...)
	}
	same(t, r, commit(t, b), d.data)
}

// TestNote: what goes with an image comes back.
func TestNote(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	d := &disk{block: 4 << 10, data: make([]byte, 8<<10)}
	b := begin(t, r, d.options("db"))
	rec, err := b.Commit(t.Context(), archive.Commit{Note: json.RawMessage(`{"layers": ["a", "b"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	i, err := r.Image(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	var note struct{ Layers []string }
	if err := json.Unmarshal(i.Note, &note); err != nil || len(note.Layers) != 2 {
		t.Errorf("the note is %s (%v)", i.Note, err)
	}
	if out := restic(t, path, "dump", rec.ID.String(), "/db/image.json"); !strings.Contains(out, `"blockSize": 4096`) {
		t.Errorf("restic reads %s", out)
	}
	b = begin(t, r, d.options("db"))
	if _, err := b.Commit(t.Context(), archive.Commit{Note: json.RawMessage(`{`)}); err == nil {
		t.Error("a note that is no JSON is taken")
	}
}

// TestVerify: what was changed in a repository is found, with its place in the image; and
// a backup of the same content mends it.
func TestVerify(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	d := &disk{block: 64 << 10, data: make([]byte, 4<<20)}
	b := begin(t, r, d.options("db"))
	d.put(t, b, 1, span(0, 30)...)
	rec := commit(t, b)
	verify := func() archive.Verified {
		i, err := open(t, path).Image(t.Context(), rec)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		sum := int64(0)
		var mu sync.Mutex
		v, err := i.Verify(t.Context(), func(n int64) { mu.Lock(); sum += n; mu.Unlock() })
		if err != nil {
			t.Fatal(err)
		}
		if sum != v.Blocks*d.block {
			t.Errorf("progress of %d bytes, %d blocks", sum, v.Blocks)
		}
		return v
	}
	if v := verify(); v.Blocks != 30 || v.Failed != 0 {
		t.Errorf("%+v", v)
	}
	packs, _ := filepath.Glob(filepath.Join(path, "data", "*", "*"))
	slices.SortFunc(packs, func(a, b string) int { return int(size(t, b) - size(t, a)) })
	content, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	content[100<<10] ^= 1 // in one of the blocks
	rewrite(t, packs[0], content)
	v := verify()
	if v.Blocks != 29 || v.Failed != 1 || len(v.Damaged) != 1 || !errors.Is(v.Damaged[0], archive.ErrDamaged) {
		t.Fatalf("one byte was changed: %+v", v)
	}
	t.Log(v.Damaged[0])
	if _, err := tryRestic(t, path, "check", "--read-data"); err == nil {
		t.Error("restic finds nothing")
	}
	// The pack is gone: all it had is stored again, for the index alone is not believed.
	if err := os.Remove(packs[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).Image(t.Context(), rec); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("the pack with the description of the image is gone: %v", err)
	}
	b = begin(t, open(t, path), d.options("db"))
	for n := range int64(30) {
		if _, err := b.WriteAt(d.data[n*d.block:(n+1)*d.block], n*d.block); err != nil {
			t.Fatal(err)
		}
	}
	same(t, open(t, path), commit(t, b), d.data)
	if v := verify(); v.Blocks != 30 || v.Failed != 0 {
		t.Errorf("after it was backed up again: %+v", v)
	}
}

func rewrite(t *testing.T, path string, content []byte) {
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
