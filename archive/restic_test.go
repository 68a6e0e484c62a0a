package archive_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"strata/archive"
)

// TestResticReads: what is written here the stock restic lists, checks, restores and
// dumps.
func TestResticReads(t *testing.T) {
	t.Parallel()
	r, path := newRepository(t)
	d := &disk{block: 256 << 10, data: make([]byte, 20<<20)}
	b := begin(t, r, d.options("db"))
	d.put(t, b, 1, 0, 1, 2, 7, 8, 40, 79)
	first := commit(t, b, "strata", "snapshot=monday")
	one := bytes.Clone(d.data)

	o := d.options("db")
	o.Base = &first
	b = begin(t, r, o)
	d.put(t, b, 2, 2, 9, 41)
	second := commit(t, b, "strata", "snapshot=tuesday")
	same(t, r, first, one)
	same(t, r, second, d.data)

	list := restic(t, path, "snapshots", "--tag", "snapshot=tuesday")
	if !strings.Contains(list, second.ID.Short()) || strings.Contains(list, first.ID.Short()) || !strings.Contains(list, "/db") || !strings.Contains(list, "lab") {
		t.Errorf("restic lists\n%s", list)
	}
	if out := restic(t, path, "check", "--read-data"); !strings.Contains(out, "no errors were found") || strings.Contains(out, "warning") {
		t.Errorf("restic check says\n%s", out)
	}
	if out := restic(t, path, "dump", first.ID.String(), "/db/image/0000/0000/data"); out != string(one) {
		t.Error("restic dumps something else")
	}
	to := t.TempDir()
	restic(t, path, "restore", second.ID.String(), "--target", to)
	got, err := os.ReadFile(filepath.Join(to, "db/image/0000/0000/data"))
	if err != nil || !bytes.Equal(got, d.data) {
		t.Errorf("restic restores something else (%v)", err)
	}
}

var long = flag.Bool("long", false, "also what takes long")

// TestResticDumps: restic and tar put an image together that has several pieces.
func TestResticDumps(t *testing.T) {
	if !*long {
		t.Skip("more than a GiB goes through restic and tar: -long")
	}
	needRestic(t)
	t.Parallel()
	r, path := newRepository(t)
	const block, size = 8 << 20, 1<<30 + 16<<20
	blocks := map[int64][]byte{}
	b := begin(t, r, archive.BackupOptions{Volume: "db", Size: size, BlockSize: block})
	for _, off := range []int64{0, 1<<30 - block, 1 << 30, size - block} {
		blocks[off] = random(uint64(off>>20), block)
		if _, err := b.WriteAt(blocks[off], off); err != nil {
			t.Fatal(err)
		}
	}
	rec := commit(t, b)
	cmd := exec.Command("sh", "-c", `restic --no-cache -q -r "$1" dump "$2" /db/image | tar -xO`, "sh", path, rec.ID.String())
	cmd.Env = append(os.Environ(), "RESTIC_PASSWORD="+password)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	got, zero := make([]byte, block), make([]byte, block)
	for off := int64(0); off < size; off += block {
		if _, err := io.ReadFull(out, got); err != nil {
			t.Fatalf("at %d: %v", off, err)
		}
		want := blocks[off]
		if want == nil {
			want = zero
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("at %d is something else", off)
		}
	}
	if n, err := out.Read(got); n > 0 || err != io.EOF {
		t.Errorf("there is more: %v", err)
	}
}
