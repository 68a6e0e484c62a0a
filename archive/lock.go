package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// lockRefresh is how often a lock is written anew, lockStale from which age on it
	// binds nobody: half an hour by the format.
	lockRefresh = 5 * time.Minute
	lockStale   = 30 * time.Minute
	// lockSafe is up to which age of its lock a writer relies on it.
	lockSafe = 25 * time.Minute
)

// lockSettle is how long after writing a lock others are looked for once more; tests
// wait less.
var lockSettle = 200 * time.Millisecond

// LockedError says who uses the repository so that it cannot be used as was asked.
type LockedError struct {
	Store     string
	Exclusive bool // the other's lock
	Host      string
	User      string
	PID       int
	Since     time.Time
}

func (e *LockedError) Error() string {
	how := "uses it"
	if e.Exclusive {
		how = "has it for itself"
	}
	return fmt.Sprintf("%s: process %d of %s on %s %s, as its lock of %s says: wait until it has ended; if it is gone, `restic unlock` removes the lock, and half an hour later it counts no more", e.Store, e.PID, e.User, e.Host, how, e.Since.UTC().Format(time.RFC3339))
}

// ErrLockLost says that the lock of who writes was removed by somebody, or could not be
// renewed for so long that others may have deleted what was written.
var ErrLockLost = errors.New("the lock of the repository was removed, or could not be renewed for too long, so somebody may have pruned it meanwhile; what was done does not count: begin again, and what was stored is used again where it is still there")

// lockFile is the JSON of a lock.
type lockFile struct {
	Time      time.Time `json:"time"`
	Exclusive bool      `json:"exclusive"`
	Hostname  string    `json:"hostname"`
	Username  string    `json:"username"`
	PID       int       `json:"pid"`
	UID       uint32    `json:"uid,omitempty"`
	GID       uint32    `json:"gid,omitempty"`
}

// stale tells whether a lock binds nobody any more: it is old, or of a process of this
// machine that is gone.
func (f *lockFile) stale(host string, now time.Time) bool {
	return now.Sub(f.Time) > lockStale || f.Hostname == host && !alive(f.PID)
}

// lock is one that is held, and renewed until it is released. A nil lock is none.
type lock struct {
	repo      *Repository
	exclusive bool
	stop      context.CancelFunc
	done      chan struct{}

	mu     sync.Mutex
	id     ID
	lost   bool      // somebody has removed it
	issued time.Time // without the monotonic clock, which stands while a machine sleeps
}

// lock takes one: LockedError if others exclude it. An exclusive one excludes all.
func (r *Repository) lock(ctx context.Context, exclusive bool) (*lock, error) {
	if !r.locks {
		return nil, nil
	}
	if err := r.unlocked(ctx, exclusive, ID{}); err != nil {
		return nil, err
	}
	l := &lock{repo: r, exclusive: exclusive, done: make(chan struct{})}
	if err := l.write(ctx); err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	err := sleep(ctx, lockSettle)
	if err == nil {
		err = r.unlocked(ctx, exclusive, l.id)
	}
	if err != nil {
		l.remove()
		return nil, err
	}
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	go l.keep(ctx)
	return l, nil
}

// unlocked looks for locks that exclude one. Stale ones are removed.
func (r *Repository) unlocked(ctx context.Context, exclusive bool, own ID) error {
	for entry, err := range r.store.List(ctx, locksDir) {
		if err != nil {
			return err
		}
		id, err := ParseID(entry.Name)
		if err != nil || id == own {
			continue
		}
		text, err := r.loadFile(ctx, locksDir, id)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var f lockFile
		if err == nil {
			err = json.Unmarshal(text, &f)
		}
		switch {
		case err != nil:
			return fmt.Errorf("a lock cannot be read: %w; if nobody uses the repository, `restic unlock --remove-all` removes it", err)
		case f.stale(r.by.Hostname, time.Now()):
			// Who may not remove it leaves it to others: it binds nobody.
			_ = r.store.Delete(ctx, locksDir+"/"+id.String())
		case exclusive || f.Exclusive:
			return &LockedError{r.store.String(), f.Exclusive, f.Hostname, f.Username, f.PID, f.Time}
		}
	}
	return nil
}

// write stores the lock with the present time.
func (l *lock) write(ctx context.Context) error {
	by := l.repo.by
	now := time.Now().Round(0)
	text, err := json.Marshal(lockFile{now, l.exclusive, by.Hostname, by.Username, os.Getpid(), by.UID, by.GID})
	if err != nil {
		return err
	}
	id, err := l.repo.saveFile(ctx, locksDir, text)
	if err == nil {
		l.mu.Lock()
		l.id, l.issued = id, now
		l.mu.Unlock()
	}
	return err
}

// keep renews the lock. What fails is tried again, sooner.
func (l *lock) keep(ctx context.Context) {
	defer close(l.done)
	wait := lockRefresh
	for sleep(ctx, wait) == nil {
		old, lost := l.look(ctx)
		if lost {
			return
		}
		if err := l.write(ctx); err != nil {
			wait = lockRefresh / 10
			continue
		}
		wait = lockRefresh
		_ = l.repo.store.Delete(ctx, locksDir+"/"+old.String())
	}
}

// held is ErrLockLost when nothing that was written under the lock may count.
func (l *lock) held() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost || time.Now().Round(0).Sub(l.issued) > lockSafe {
		return fmt.Errorf("%s: %w", l.repo.store, ErrLockLost)
	}
	return nil
}

// look notices that somebody has removed the lock. Where that cannot be seen it is taken
// to be there.
func (l *lock) look(ctx context.Context) (id ID, lost bool) {
	l.mu.Lock()
	id = l.id
	l.mu.Unlock()
	_, err := l.repo.store.Get(ctx, locksDir+"/"+id.String(), 0, -1)
	l.mu.Lock()
	defer l.mu.Unlock()
	// If it was renewed meanwhile it has another name.
	l.lost = l.lost || id == l.id && errors.Is(err, fs.ErrNotExist)
	return id, l.lost
}

// there is held, and looks whether the lock is still there, too.
func (l *lock) there(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.look(ctx)
	return l.held()
}

// release gives the lock back. Where that fails, it counts no more after half an hour.
func (l *lock) release() {
	if l == nil {
		return
	}
	l.stop()
	<-l.done
	l.remove()
}

func (l *lock) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = l.repo.store.Delete(ctx, locksDir+"/"+l.id.String())
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
