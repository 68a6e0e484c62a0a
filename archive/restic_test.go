package archive_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
