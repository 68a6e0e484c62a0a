// Package storetest states once what a store of an archive does.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"strata/archive"
)

// Run holds a store to it. open returns one that is empty each time; big is the size of
// a file, in bytes, that is stored in several parts where a store does so, many the number
// of files that are not listed at once where a store does not.
func Run(t *testing.T, open func(t *testing.T, appendOnly bool) archive.Store, big, many int) {
	t.Run("files", func(t *testing.T) { files(t, open(t, false)) })
	t.Run("ranges", func(t *testing.T) { ranges(t, open(t, false)) })
	t.Run("lists", func(t *testing.T) { lists(t, open(t, false), many) })
	t.Run("big", func(t *testing.T) { whole(t, open(t, false), big) })
	t.Run("given up", func(t *testing.T) { givenUp(t, open(t, false)) })
	t.Run("append only", func(t *testing.T) { appendOnly(t, open(t, true)) })
	t.Run("at once", func(t *testing.T) { atOnce(t, open(t, false)) })
}

func name(dir string, content []byte) string {
	id := archive.ID(sha256.Sum256(content))
	if dir == "data" {
		return dir + "/" + id.String()[:2] + "/" + id.String()
	}
	return dir + "/" + id.String()
}

func put(t *testing.T, st archive.Store, name string, content []byte) {
	t.Helper()
	if err := st.Put(t.Context(), name, content); err != nil {
		t.Fatalf("storing %s: %v", name, err)
	}
}

func files(t *testing.T, st archive.Store) {
	for _, content := range []string{"one", "another and longer"} {
		given := []byte(content)
		put(t, st, "config", given)
		clear(given)
		if got, err := st.Get(t.Context(), "config", 0, -1); string(got) != content || err != nil {
			t.Errorf("%q, %v after %q was stored", got, err, content)
		}
	}
	for _, missing := range []string{"keys/" + archive.ID{1}.String(), "data/00/" + archive.ID{}.String()} {
		if _, err := st.Get(t.Context(), missing, 0, -1); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what does not exist: %v", err)
		}
		if err := st.Delete(t.Context(), missing); err != nil {
			t.Errorf("deleting what does not exist: %v", err)
		}
	}
	if err := st.Delete(t.Context(), "config"); err != nil {
		t.Error(err)
	}
	if _, err := st.Get(t.Context(), "config", 0, 3); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it was deleted: %v", err)
	}
}

func ranges(t *testing.T, st archive.Store) {
	content := []byte("0123456789")
	at := name("data", content)
	put(t, st, at, content)
	for _, c := range []struct {
		off, n int64
		want   string
	}{{0, -1, "0123456789"}, {4, -1, "456789"}, {0, 4, "0123"}, {3, 7, "3456789"}, {9, 1, "9"}, {2, 0, ""}} {
		if got, err := st.Get(t.Context(), at, c.off, c.n); string(got) != c.want || err != nil {
			t.Errorf("%d bytes from %d: %q, %v", c.n, c.off, got, err)
		}
	}
	for _, c := range [][2]int64{{8, 3}, {10, 1}, {100, 5}} {
		if got, err := st.Get(t.Context(), at, c[0], c[1]); err == nil {
			t.Errorf("%d bytes from %d: %q and no error", c[1], c[0], got)
		}
	}
}

func lists(t *testing.T, st archive.Store, many int) {
	for _, dir := range archive.Directories {
		if got := list(t, st, dir); len(got) > 0 {
			t.Errorf("%s is empty and has %v", dir, got)
		}
	}
	var want []string
	var work sync.WaitGroup
	slots := make(chan bool, 8)
	for i := range many {
		content := fmt.Appendf(nil, "%d", i)
		want = append(want, fmt.Sprintf("%s %d", archive.ID(sha256.Sum256(content)), len(content)))
		slots <- true
		work.Go(func() {
			if err := st.Put(t.Context(), name("data", content), content); err != nil {
				t.Error(err)
			}
			<-slots
		})
	}
	work.Wait()
	put(t, st, name("index", []byte("x")), []byte("x"))
	slices.Sort(want)
	if got := list(t, st, "data"); !slices.Equal(got, want) {
		t.Errorf("%d files, not the %d that were stored", len(got), len(want))
	}
	if got := list(t, st, "index"); len(got) != 1 {
		t.Errorf("index has %v", got)
	}
	for _, err := range st.List(t.Context(), "data") {
		if err != nil {
			t.Error(err)
		}
		break // and nothing comes after
	}
}

func list(t *testing.T, st archive.Store, dir string) (all []string) {
	t.Helper()
	for e, err := range st.List(t.Context(), dir) {
		if err != nil {
			t.Fatalf("listing %s: %v", dir, err)
		}
		all = append(all, fmt.Sprintf("%s %d", e.Name, e.Size))
	}
	slices.Sort(all)
	return all
}

func whole(t *testing.T, st archive.Store, size int) {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content) // never fails
	at := name("data", content)
	put(t, st, at, content)
	if got, err := st.Get(t.Context(), at, 0, -1); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d: %v", len(got), size, err)
	}
}

func givenUp(t *testing.T, st archive.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	at := name("snapshots", []byte("late"))
	if err := st.Put(ctx, at, []byte("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("storing: %v", err)
	}
	if _, err := st.Get(ctx, at, 0, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("reading: %v", err)
	}
	if err := st.Delete(ctx, at); !errors.Is(err, context.Canceled) {
		t.Errorf("deleting: %v", err)
	}
	if got := list(t, st, "snapshots"); len(got) > 0 {
		t.Errorf("%v is there", got)
	}
}

func appendOnly(t *testing.T, st archive.Store) {
	for _, dir := range archive.Directories {
		at := name(dir, []byte(dir))
		put(t, st, at, []byte(dir))
		err := st.Delete(t.Context(), at)
		_, read := st.Get(t.Context(), at, 0, -1)
		if dir == "locks" {
			if err != nil || !errors.Is(read, fs.ErrNotExist) {
				t.Errorf("deleting a lock: %v; then reading: %v", err, read)
			}
		} else if !errors.Is(err, archive.ErrAppendOnly) || read != nil {
			t.Errorf("deleting from %s: %v; then reading: %v", dir, err, read)
		}
	}
}

// atOnce: who reads meanwhile sees a file whole or not at all.
func atOnce(t *testing.T, st archive.Store) {
	content := bytes.Repeat([]byte("whole "), 200<<10)
	at := name("data", content)
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			if err := st.Put(t.Context(), at, content); err != nil {
				t.Error(err)
			}
		})
	}
	for range 50 {
		got, err := st.Get(t.Context(), at, 0, -1)
		if err == nil && !bytes.Equal(got, content) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d bytes of %d: %v", len(got), len(content), err)
		}
	}
	work.Wait()
	if got := list(t, st, "data"); len(got) != 1 {
		t.Errorf("there are %d files", len(got))
	}
}
