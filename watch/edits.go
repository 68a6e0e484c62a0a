package watch

import (
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"strata/schema"
)

const (
	// settle is how long files must not have changed before they are read, and
	// settleMost how long they may go on changing.
	settle     = 30 * time.Millisecond
	settleMost = 2 * time.Second
	// lookAtFiles is how often files are looked at where the system does not tell, and
	// lookAnyway where it does: of files that another machine writes it knows nothing.
	lookAtFiles = 3 * time.Second
	lookAnyway  = 30 * time.Second
)

// edits finds out when what a configuration is read from changes. It watches
// directories: files are renamed over, links are swapped, and directories taken away
// and made again.
type edits struct {
	changed chan struct{} // has an element when it did
	blind   chan error    // why files are looked at instead

	notify  *fsnotify.Watcher // nil where the system tells nothing
	at      map[string]os.FileInfo
	sources chan sources
	done    chan struct{}
}

func newEdits() *edits {
	e := lookingEdits()
	var err error
	if e.notify, err = fsnotify.NewWatcher(); err != nil {
		e.goBlind(err)
	}
	return e
}

// lookingEdits looks at the files.
func lookingEdits() *edits {
	return &edits{
		changed: make(chan struct{}, 1), blind: make(chan error, 1),
		at: map[string]os.FileInfo{}, sources: make(chan sources), done: make(chan struct{}),
	}
}

// sources are what a configuration was read from, how that looked before it was read,
// as far as it was known by then, and when that was.
type sources struct {
	*schema.Sources
	before stamp
	read   time.Time
}

// of has these be watched from here on. What changed while it was read is told.
func (e *edits) of(src sources) { e.sources <- src }

func (e *edits) close() {
	close(e.sources)
	<-e.done
}

// goBlind looks at the files from here on.
func (e *edits) goBlind(err error) {
	if e.notify != nil {
		e.notify.Close()
		e.notify = nil
	}
	e.blind <- err
}

func (e *edits) run() {
	defer close(e.done)
	defer func() {
		if e.notify != nil {
			e.notify.Close()
		}
	}()
	var (
		src   sources
		seen  stamp
		since time.Time // files go on changing
	)
	due := time.NewTimer(lookAnyway)
	defer due.Stop()
	for {
		var told chan fsnotify.Event
		var broken chan error
		if e.notify != nil {
			told, broken = e.notify.Events, e.notify.Errors
		}
		select {
		case next, ok := <-e.sources:
			if !ok {
				return
			}
			src, seen = next, stampOf(next.Sources).since(next.before, next.read)
			e.watch(src.Sources)
			due.Reset(settle)
		case <-told:
			now := time.Now()
			if since.IsZero() {
				since = now
			}
			due.Reset(max(0, min(settle, settleMost-now.Sub(since))))
		case <-broken: // something may not have been told
			due.Reset(settle)
		case <-due.C:
			since = time.Time{}
			if src.Sources != nil {
				e.watch(src.Sources)
				if now := stampOf(src.Sources); !now.equal(seen) {
					seen = now
					select {
					case e.changed <- struct{}{}:
					default:
					}
				}
			}
			if due.Reset(lookAnyway); e.notify == nil {
				due.Reset(lookAtFiles)
			}
		}
	}
}

// watch watches the directories that the sources are in, and those in which the way to
// them may change, as they are now.
func (e *edits) watch(src *schema.Sources) {
	if e.notify == nil {
		return
	}
	want := map[string]bool{}
	for _, f := range src.Files {
		way(filepath.Dir(f), want)
		way(f, want)
	}
	for _, d := range src.Dirs {
		way(d, want)
	}
	for _, g := range src.Globs {
		for _, d := range g.Dirs() {
			way(d, want)
		}
	}
	for dir, was := range e.at {
		if now, err := os.Stat(dir); !want[dir] || err != nil || !os.SameFile(was, now) {
			_ = e.notify.Remove(dir) // gone by itself where the directory is
			delete(e.at, dir)
		}
	}
	for dir := range want {
		if e.at[dir] != nil {
			continue
		}
		info, err := os.Stat(dir)
		if err != nil {
			continue // gone a moment ago, which is told by the directory above
		}
		if err := e.notify.Add(dir); err != nil {
			if _, serr := os.Stat(dir); serr != nil {
				continue
			}
			e.goBlind(err)
			return
		}
		e.at[dir] = info
	}
}

// way adds the directories in which the way to a path may change: where a link lies
// that it leads through, what it ends in, and what is above that; of one that is not
// there, the nearest that is.
func way(path string, want map[string]bool) {
	const links = 40 // more is a circle
	for range links {
		at, link := firstLink(path)
		if link == "" {
			break
		}
		want[filepath.Dir(at)] = true
		if rest := path[len(at):]; filepath.IsAbs(link) {
			path = filepath.Join(link, rest)
		} else {
			path = filepath.Join(filepath.Dir(at), link, rest)
		}
	}
	for {
		info, err := os.Stat(path)
		if err == nil {
			if info.IsDir() {
				want[path] = true
			}
			want[filepath.Dir(path)] = true
			return
		}
		if up := filepath.Dir(path); up != path {
			path = up
			continue
		}
		return
	}
}

// firstLink is the first part of a path that is a symbolic link, and where that leads.
func firstLink(path string) (at, to string) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		if to, err := os.Readlink(path[:i]); err == nil {
			return path[:i], to
		}
	}
	return "", ""
}
