package dir_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"strata/archive"
	"strata/archive/dir"
	"strata/archive/storetest"
)

func open(t *testing.T, path string) *dir.Store {
	st, err := dir.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, appendOnly bool) archive.Store {
		st := open(t, filepath.Join(t.TempDir(), "not", "yet"))
		st.AppendOnly = appendOnly
		return st
	}, 1<<20, 30)
}

// TestLeftover: what somebody who was killed was writing goes after a day.
func TestLeftover(t *testing.T) {
	path := t.TempDir()
	if err := open(t, path).Put(t.Context(), "config", nil); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(path, "tmp", "old"), filepath.Join(path, "tmp", "young")
	for _, f := range []string{old, young} {
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Put(t.Context(), "config", nil); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(path, "tmp", "*"))
	if err != nil || len(left) != 1 || left[0] != young {
		t.Errorf("left: %v (%v)", left, err)
	}
}

// TestNoRoom: a file that cannot be written is named, and leaves nothing.
func TestNoRoom(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "index"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := open(t, path).Put(t.Context(), "index/"+archive.ID{}.String(), []byte("x"))
	if err == nil || !strings.Contains(err.Error(), filepath.Join(path, "index")) {
		t.Errorf("a file is where a directory should be: %v", err)
	}
}
