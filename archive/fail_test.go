package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// writeRandom writes n blocks of random content.
func writeRandom(b *Backup, n int) error {
	p := make([]byte, b.shape.BlockSize)
	c := rand.NewChaCha8([32]byte{9})
	for i := range n {
		c.Read(p)
		if _, err := b.WriteAt(p, int64(i)*b.shape.BlockSize); err != nil {
			return err
		}
	}
	return nil
}

// TestFailsLate: an error of storing comes with a later write or with the commit, names
// what could not be stored, and leaves no record; the next backup uses what was stored.
func TestFailsLate(t *testing.T) {
	t.Parallel()
	m, r := inMemory(t)
	defer r.Close()
	full := func(after int) func(method, name string) error {
		return func(method, name string) error {
			if method == "put" && strings.HasPrefix(name, dataDir) {
				if after--; after < 0 {
					return fmt.Errorf("%s: %w", name, syscall.ENOSPC)
				}
			}
			return nil
		}
	}
	o := BackupOptions{Volume: "db", Size: 64 << 20, BlockSize: 1 << 20}
	for after := range 3 {
		b, err := r.Backup(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		m.failing(full(after))
		wrote := writeRandom(b, 40)
		_, err = b.Commit(t.Context(), Commit{})
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dataDir+"/") {
			t.Errorf("full after %d packs: writing %v, commit %v", after, wrote, err)
		}
		if again, _ := r.Records(t.Context(), Filter{}); len(again) > 0 {
			t.Errorf("full after %d packs: there is a record", after)
		}
		m.failing(nil)
	}
	b, err := r.Backup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeRandom(b, 40); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context(), Commit{}); err != nil {
		t.Fatal(err)
	}
	if s := b.Stats(); s.Known < 24 || s.Blocks != 40 {
		t.Errorf("%+v: packs were stored before", s)
	}
}

// TestGivenUp: a backup whose context ends, or that is closed, ends at once, leaves no
// record and no lock.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	m, r := inMemory(t)
	defer r.Close()
	o := BackupOptions{Volume: "db", Size: 64 << 20, BlockSize: 1 << 20}
	ctx, cancel := context.WithCancel(t.Context())
	b, err := r.Backup(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := writeRandom(b, 64); err == nil {
		_, err = b.Commit(ctx, Commit{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("commit: %v", err)
		}
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("writing: %v", err)
	}
	b.Close()
	if b, err = r.Backup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			if err := writeRandom(b, 64); err != nil {
				if !errors.Is(err, ErrClosed) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
		}
	})
	time.Sleep(20 * time.Millisecond)
	b.Close()
	b.Close()
	work.Wait()
	for e := range m.List(t.Context(), locksDir) {
		t.Errorf("lock %s is left", e.Name)
	}
	if all, _ := r.Records(t.Context(), Filter{}); len(all) > 0 {
		t.Error("there is a record")
	}
}

// TestLockLost: a backup that could not renew its lock leaves no record.
func TestLockLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := inMemory(t)
		defer r.Close()
		b, err := r.Backup(t.Context(), BackupOptions{Volume: "db", Size: 1 << 20, BlockSize: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		m.failing(func(method, name string) error {
			if strings.HasPrefix(name, locksDir) {
				return errors.New("gone")
			}
			return nil
		})
		time.Sleep(lockStale)
		if _, err := b.Commit(t.Context(), Commit{}); !errors.Is(err, ErrLockLost) {
			t.Errorf("commit: %v", err)
		}
		for e := range m.List(t.Context(), snapshotsDir) {
			t.Errorf("record %s is there", e.Name)
		}
	})
}

// TestSpread: a blob that is damaged in one pack is read from another.
func TestSpread(t *testing.T) {
	t.Parallel()
	m, r := inMemory(t)
	defer r.Close()
	var ids []ID
	for range 2 {
		// Two that know nothing of each other store the same.
		s := newSaver(r, func(uint32) bool { return false })
		id, err := s.save(t.Context(), dataBlob, []byte("the same"))
		if err == nil {
			err = s.flush(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	places, err := r.indexed(dataBlob, ids[0])
	if err != nil || len(places) != 2 {
		t.Fatal(places, err)
	}
	m.files[packName(places[0].pack)][20] ^= 1
	got, err := r.blob(t.Context(), dataBlob, ids[0])
	if err != nil || !bytes.Equal(got, []byte("the same")) {
		t.Errorf("%q, %v", got, err)
	}
	r.blobs = newCache[key, []byte](1<<20, func(b []byte) int64 { return int64(len(b)) })
	m.files[packName(places[1].pack)][20] ^= 1
	if _, err := r.blob(t.Context(), dataBlob, ids[0]); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged in both: %v", err)
	}
}

// TestCache: what is kept is bounded, the last used stays, and what several ask for at
// once is loaded once.
func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[int](100, func(v []byte) int64 { return int64(len(v)) })
		loads := 0
		get := func(k, n int) {
			if _, err := c.get(t.Context(), k, func() ([]byte, error) { loads++; return make([]byte, n), nil }); err != nil {
				t.Error(err)
			}
		}
		get(1, 40)
		get(2, 40)
		get(1, 40)
		get(3, 40) // 2 goes
		get(1, 40)
		get(2, 40)
		if loads != 4 || c.used > 100 {
			t.Errorf("%d loads, %d bytes", loads, c.used)
		}
		get(4, 200) // more than there is room
		if c.used > 100 {
			t.Errorf("%d bytes", c.used)
		}
		loads = 0
		for range 10 {
			go func() {
				c.get(t.Context(), 9, func() ([]byte, error) { time.Sleep(time.Second); loads++; return nil, nil })
			}()
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if loads != 1 {
			t.Errorf("loaded %d times", loads)
		}
	})
}

// TestFailedIsIndexed: what a backup has stored that failed then, others of the process count
// as there, at the same time and later. Their records are whole all the same, and so they are
// when somebody has pruned meanwhile.
func TestFailedIsIndexed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                  string
		besides, pruned, ours bool
	}{{name: "the next"}, {name: "one at the same time", besides: true}, {name: "the next, pruned by another", pruned: true}, {name: "the next, pruned by this", pruned: true, ours: true}} {
		t.Run(c.name, func(t *testing.T) {
			m, r := inMemory(t)
			defer r.Close()
			o := BackupOptions{Volume: "db", Size: 64 << 20, BlockSize: 1 << 20}
			begin := func() *Backup {
				b, err := r.Backup(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			failing := begin()
			var other *Backup
			if c.besides {
				other = begin()
			}
			packs := 2
			m.failing(func(method, name string) error {
				if method == "put" && strings.HasPrefix(name, dataDir) {
					if packs--; packs < 0 {
						return fmt.Errorf("%s: %w", name, syscall.ENOSPC)
					}
				}
				return nil
			})
			wrote := writeRandom(failing, 60)
			if c.besides {
				for end := time.Now().Add(time.Minute); failing.Stats().Stored < 32<<20 && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
				m.failing(nil)
				if err := writeRandom(other, 20); err != nil {
					t.Fatal(err)
				}
				if _, err := other.Commit(t.Context(), Commit{}); err != nil {
					t.Fatal(err)
				}
				failing.Close()
			} else if _, err := failing.Commit(t.Context(), Commit{}); !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("writing %v, commit %v", wrote, err)
			}
			m.failing(nil)
			if c.pruned {
				by := r
				if !c.ours {
					var err error
					if by, err = Open(t.Context(), m, Options{Password: "p", TempDir: t.TempDir()}); err != nil {
						t.Fatal(err)
					}
					defer by.Close()
				}
				if _, err := by.Prune(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !c.besides {
				again := begin()
				if err := writeRandom(again, 20); err != nil {
					t.Fatal(err)
				}
				if _, err := again.Commit(t.Context(), Commit{}); err != nil {
					t.Fatal(err)
				}
			}
			fresh, err := Open(t.Context(), m, Options{Password: "p", TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			all, err := fresh.Records(t.Context(), Filter{})
			if err != nil || len(all) != 1 {
				t.Fatalf("%d records (%v)", len(all), err)
			}
			image, err := fresh.Image(t.Context(), all[0])
			if err != nil {
				t.Fatal(err)
			}
			defer image.Close()
			if found, err := image.Verify(t.Context(), nil); err != nil || found.Failed > 0 {
				t.Errorf("the record is not whole: %v, %v", found, err)
			}
		})
	}
}
