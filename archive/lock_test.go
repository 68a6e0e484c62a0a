package archive

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a store for tests whose time is virtual.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	// fail, if not nil, is asked before each call.
	fail func(method, name string) error
}

func (m *memory) ask(method, name string) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(method, name)
}

func (m *memory) Put(_ context.Context, name string, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask("put", name); err != nil {
		return err
	}
	m.files[name] = slices.Clone(content)
	return nil
}

func (m *memory) Get(_ context.Context, name string, off, n int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask("get", name); err != nil {
		return nil, err
	}
	c, is := m.files[name]
	if !is {
		return nil, fs.ErrNotExist
	}
	if n < 0 {
		n = int64(len(c)) - off
	}
	return slices.Clone(c[off : off+n]), nil
}

func (m *memory) List(_ context.Context, dir string) iter.Seq2[Entry, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Entry
	for name, c := range m.files {
		if strings.HasPrefix(name, dir+"/") {
			all = append(all, Entry{name[strings.LastIndex(name, "/")+1:], int64(len(c))})
		}
	}
	return func(yield func(Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask("delete", name); err != nil {
		return err
	}
	delete(m.files, name)
	return nil
}

func (m *memory) String() string { return "memory" }

func (m *memory) failing(f func(method, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

func inMemory(t *testing.T) (*memory, *Repository) {
	m := &memory{files: map[string][]byte{}}
	if err := Init(t.Context(), m, "p"); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), m, Options{Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// TestLock: an exclusive lock excludes all, others only it.
func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, r := inMemory(t)
		defer r.Close()
		take := func(exclusive, want bool) *lock {
			t.Helper()
			l, err := r.lock(t.Context(), exclusive)
			var locked *LockedError
			if want != (err == nil) || err != nil && !errors.As(err, &locked) {
				t.Fatalf("exclusive %v: %v", exclusive, err)
			}
			return l
		}
		a, b := take(false, true), take(false, true)
		take(true, false)
		a.release()
		take(true, false)
		b.release()
		c := take(true, true)
		take(true, false)
		take(false, false)
		c.release()
		take(false, true).release()
	})
}

// TestLockRace: of two that want it for themselves at the same time at most one gets it.
func TestLockRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, r := inMemory(t)
		defer r.Close()
		for range 20 {
			var mu sync.Mutex
			var got []*lock
			var work sync.WaitGroup
			for range 4 {
				work.Go(func() {
					if l, err := r.lock(t.Context(), true); err == nil {
						mu.Lock()
						got = append(got, l)
						mu.Unlock()
					}
				})
			}
			work.Wait()
			if len(got) > 1 {
				t.Fatalf("%d have it for themselves", len(got))
			}
			for _, l := range got {
				l.release()
			}
		}
	})
}

// TestLockKept: a lock is renewed, so that it is never half an hour old; one that cannot
// be renewed is lost before others may take it for stale.
func TestLockKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := inMemory(t)
		defer r.Close()
		l, err := r.lock(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			time.Sleep(17 * time.Minute)
			if age := lockAge(t, r, m); age > lockRefresh {
				t.Fatalf("the lock is %v old", age)
			}
			if err := l.held(); err != nil {
				t.Fatal(err)
			}
		}
		m.failing(func(method, name string) error { return errors.New("gone") })
		time.Sleep(lockSafe - lockRefresh)
		if err := l.held(); err != nil {
			t.Errorf("20 minutes without the store: %v", err)
		}
		time.Sleep(lockRefresh + time.Second)
		if err := l.held(); !errors.Is(err, ErrLockLost) {
			t.Errorf("25 minutes without the store: %v", err)
		}
		m.failing(nil)
		time.Sleep(time.Minute)
		if err := l.held(); err != nil {
			t.Errorf("renewed again: %v", err)
		}
		l.release()
		for e := range m.List(t.Context(), locksDir) {
			t.Errorf("lock %s is left", e.Name)
		}
	})
}

func lockAge(t *testing.T, r *Repository, m *memory) time.Duration {
	t.Helper()
	var youngest time.Duration = -1
	for e := range m.List(t.Context(), locksDir) {
		id, _ := ParseID(e.Name)
		text, err := r.loadFile(t.Context(), locksDir, id)
		if err != nil {
			t.Fatal(err)
		}
		var f lockFile
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		if age := time.Since(f.Time); youngest < 0 || age < youngest {
			youngest = age
		}
	}
	return youngest
}

// TestLockRemoved: who writes and whose lock somebody removes leaves no record, whenever
// that was.
func TestLockRemoved(t *testing.T) {
	for _, wait := range []time.Duration{0, 6 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			m, r := inMemory(t)
			defer r.Close()
			b, err := r.Backup(t.Context(), BackupOptions{Volume: "db", Size: 1 << 20, BlockSize: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			for e := range m.List(t.Context(), locksDir) {
				m.Delete(t.Context(), locksDir+"/"+e.Name)
			}
			time.Sleep(wait)
			if _, err := b.Commit(t.Context(), Commit{}); !errors.Is(err, ErrLockLost) {
				t.Errorf("after %v: %v", wait, err)
			}
		})
	}
}

// TestLockStale: who is gone binds nobody: on this machine at once, elsewhere after half
// an hour.
func TestLockStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := inMemory(t)
		defer r.Close()
		put := func(host string, pid int) {
			text, _ := json.Marshal(lockFile{Time: time.Now(), Exclusive: true, Hostname: host, PID: pid})
			if _, err := r.saveFile(t.Context(), locksDir, text); err != nil {
				t.Fatal(err)
			}
		}
		put(r.by.Hostname, 1<<22+1) // more than Linux has
		l, err := r.lock(t.Context(), true)
		if err != nil {
			t.Fatalf("of a process that is gone: %v", err)
		}
		l.release()
		put(r.by.Hostname, os.Getpid())
		if _, err := r.lock(t.Context(), false); err == nil {
			t.Error("of a process that is there, it binds nobody")
		}
		clear(m.files)
		put("elsewhere", 1)
		if _, err := r.lock(t.Context(), false); err == nil {
			t.Error("of another machine, it binds nobody")
		} else if !strings.Contains(err.Error(), "elsewhere") || !strings.Contains(err.Error(), "restic unlock") {
			t.Error(err)
		}
		time.Sleep(lockStale + time.Second)
		if l, err = r.lock(t.Context(), false); err != nil {
			t.Fatalf("half an hour old: %v", err)
		}
		l.release()
	})
}

// TestNoLocks: without locks all can be read, and nothing written or deleted.
func TestNoLocks(t *testing.T) {
	t.Parallel()
	m, r := inMemory(t)
	defer r.Close()
	o := BackupOptions{Volume: "db", Size: 1 << 20, BlockSize: 1 << 20}
	b, err := r.Backup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := b.Commit(t.Context(), Commit{})
	if err != nil {
		t.Fatal(err)
	}
	m.failing(func(method, name string) error {
		if method == "put" || method == "delete" {
			return errors.New("read only")
		}
		return nil
	})
	only, err := Open(t.Context(), m, Options{Password: "p", NoLocks: true})
	if err != nil {
		t.Fatal(err)
	}
	defer only.Close()
	i, err := only.Image(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.ReadAt(make([]byte, 100), 5); err != nil {
		t.Error(err)
	}
	i.Close()
	_, backup := only.Backup(t.Context(), o)
	_, prune := only.Prune(t.Context())
	for _, err := range []error{backup, prune, only.Forget(t.Context(), rec.ID)} {
		if err == nil || !strings.Contains(err.Error(), "without locks") {
			t.Error(err)
		}
	}
	if _, err := r.Image(t.Context(), rec); err == nil {
		t.Error("a lock that cannot be written is none")
	}
}
