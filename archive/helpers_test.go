package archive_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strata/archive"
	"strata/archive/dir"
)

const password = "not a secret: these repositories live for a test"

// newRepository makes one in a directory of the test.
func newRepository(t testing.TB) (*archive.Repository, string) {
	path := filepath.Join(t.TempDir(), "repository")
	st := store(t, path)
	if err := archive.Init(t.Context(), st, password); err != nil {
		t.Fatal(err)
	}
	return open(t, path), path
}

func store(t testing.TB, path string) *dir.Store {
	st, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func open(t testing.TB, path string) *archive.Repository {
	r, err := archive.Open(t.Context(), store(t, path), archive.Options{Password: password, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// random is bytes that do not compress, the same for the same seed.
func random(seed uint64, n int) []byte {
	p := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	c.Read(p)
	return p
}

// restic runs the stock restic, which has to succeed. Tests are skipped where it is not
// installed, but not where STRATA_TEST_RESTIC is set.
func restic(t testing.TB, path string, args ...string) string {
	out, err := tryRestic(t, path, args...)
	if err != nil {
		t.Fatalf("restic %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryRestic(t testing.TB, path string, args ...string) (string, error) {
	needRestic(t)
	cmd := exec.Command("restic", append([]string{"--no-cache", "-r", path}, args...)...)
	cmd.Env = append(os.Environ(), "RESTIC_PASSWORD="+password)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func needRestic(t testing.TB) {
	if _, err := exec.LookPath("restic"); err != nil {
		if os.Getenv("STRATA_TEST_RESTIC") != "" {
			t.Fatal("restic is not installed (Debian: restic)")
		}
		t.Skip("restic is not installed (Debian: restic)")
	}
}

// disk is an image as it should be.
type disk struct {
	block int64
	data  []byte
}

func (d *disk) options(volume string) archive.BackupOptions {
	return archive.BackupOptions{Volume: volume, Size: int64(len(d.data)), BlockSize: d.block}
}

// put writes blocks of random content to the image and to a backup of it, in random
// order.
func (d *disk) put(t testing.TB, b *archive.Backup, seed uint64, blocks ...int64) {
	for _, n := range blocks {
		copy(d.data[n*d.block:min(int64(len(d.data)), (n+1)*d.block)], random(seed<<16+uint64(n), int(d.block)))
	}
	rand.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	for _, n := range blocks {
		if _, err := b.WriteAt(d.data[n*d.block:min(int64(len(d.data)), (n+1)*d.block)], n*d.block); err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t testing.TB, b *archive.Backup, tags ...string) archive.Record {
	rec, err := b.Commit(context.Background(), archive.Commit{Host: "lab", Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func begin(t testing.TB, r *archive.Repository, o archive.BackupOptions) *archive.Backup {
	b, err := r.Backup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// same reads an image whole, and in random parts.
func same(t testing.TB, r *archive.Repository, rec archive.Record, want []byte) {
	t.Helper()
	i, err := r.Image(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if i.Size != int64(len(want)) {
		t.Fatalf("the image has %d bytes, not %d", i.Size, len(want))
	}
	sameReader(t, i, want)
}

func sameReader(t testing.TB, r interface {
	ReadAt([]byte, int64) (int, error)
}, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := r.ReadAt(got, 0); n != len(want) || err != nil {
		t.Fatalf("%d bytes of %d: %v", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the content is another")
	}
	for range 20 {
		off := rand.Int64N(int64(len(want)))
		part := make([]byte, 1+rand.IntN(min(3<<20, len(want)-int(off))))
		if n, err := r.ReadAt(part, off); n != len(part) || err != nil {
			t.Fatalf("%d bytes at %d: %d, %v", len(part), off, n, err)
		}
		if !bytes.Equal(part, want[off:off+int64(len(part))]) {
			t.Fatalf("%d bytes at %d are others", len(part), off)
		}
	}
}

func span(from, to int64) (all []int64) {
	for ; from < to; from++ {
		all = append(all, from)
	}
	return all
}
