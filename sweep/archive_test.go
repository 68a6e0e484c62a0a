package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/archive"
	"strata/backup"
	"strata/lineage"
	"strata/schema"
	"strata/spdk/sim"
)

// depot is the archive of a world, in memory.
type depot struct {
	w     *world
	mu    sync.Mutex
	files map[string][]byte
	locks map[string]*applier // whose they are
	away  time.Time           // until when it answers nobody
	full  time.Time           // until when nothing goes in
}

// newDepot is an empty repository whose password costs nothing.
func newDepot(w *world) (*depot, error) {
	d := &depot{w: w, files: map[string][]byte{}, locks: map[string]*applier{}}
	empty := os.DirFS("../cmd/strata/testdata/archive")
	return d, fs.WalkDir(empty, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			d.files[name], err = fs.ReadFile(empty, name)
		}
		return err
	})
}

// archives are as a process opens them: it finds the locks stale of those that are dead.
func (d *depot) archives(a *applier) *backup.Archives {
	return &backup.Archives{
		Open: func(context.Context, string) (archive.Store, string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			for name, by := range d.locks {
				if !d.w.lives(by.pid) {
					delete(d.files, name)
					delete(d.locks, name)
				}
			}
			return shelf{d, a}, "secret", nil
		},
		Net: d.w.net.by(a),
	}
}

// shelf is the archive's files as a process reaches them.
type shelf struct {
	*depot
	by *applier
}

var (
	errAway = errors.New("the archive does not answer")
	errFull = errors.New("no space left on device")
)

// do does something to a file, if nothing goes wrong.
func (s shelf) do(verb, name string, writes bool, effect func() error) error {
	what, _, _ := strings.Cut(name, "/")
	f := s.w.atNetwork(sim.Call{Node: theArchive, Method: verb, Params: []byte(fmt.Sprintf("%q", what)), Writes: writes})
	if d := f.Late + f.Hang; d > 0 {
		time.Sleep(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	switch {
	case s.by != nil && !s.w.lives(s.by.pid):
		return errDead
	case f.Err != nil, f.LoseBefore, now.Before(s.away):
		return fmt.Errorf("%s %s: %w", verb, name, errAway)
	case verb == "put" && now.Before(s.full):
		return fmt.Errorf("%s %s: %w", verb, name, errFull)
	}
	err := effect()
	if err == nil && (f.LoseAfter || f.Cut) {
		err = errAway
	}
	return err
}

func (s shelf) Put(_ context.Context, name string, content []byte) error {
	return s.do("put", name, true, func() error {
		s.files[name] = slices.Clone(content)
		if strings.HasPrefix(name, "locks/") {
			s.locks[name] = s.by
		}
		return nil
	})
}

func (s shelf) Get(_ context.Context, name string, off, n int64) (content []byte, err error) {
	return content, errors.Join(s.do("get", name, false, func() error {
		all, is := s.files[name]
		if !is {
			return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		if n < 0 {
			n = int64(len(all)) - off
		}
		if off+n > int64(len(all)) {
			return fmt.Errorf("%s has %d bytes", name, len(all))
		}
		content = slices.Clone(all[off : off+n])
		return nil
	}))
}

func (s shelf) List(_ context.Context, dir string) iter.Seq2[archive.Entry, error] {
	var found []archive.Entry
	err := s.do("list", dir, false, func() error {
		for _, name := range slices.Sorted(maps.Keys(s.files)) {
			if strings.HasPrefix(name, dir+"/") {
				found = append(found, archive.Entry{Name: path.Base(name), Size: int64(len(s.files[name]))})
			}
		}
		return nil
	})
	return func(yield func(archive.Entry, error) bool) {
		for _, e := range found {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(archive.Entry{}, err)
		}
	}
}

func (s shelf) Delete(_ context.Context, name string) error {
	return s.do("delete", name, true, func() error {
		delete(s.files, name)
		delete(s.locks, name)
		return nil
	})
}

func (s shelf) String() string { return theArchive }

// theArchive is what it is called as if it were a node.
const theArchive = "archive"

// atNetwork is hook, of what is done to the archive or over the network.
func (w *world) atNetwork(c sim.Call) sim.Fault {
	w.mu.Lock()
	hooked := w.hooked
	w.mu.Unlock()
	if !hooked {
		return sim.Fault{}
	}
	return w.hook(c)
}

// inject has the calls of nodes, and what is done to the archive, be looked at by hook.
func (w *world) inject(on bool) {
	w.mu.Lock()
	w.hooked = on
	w.mu.Unlock()
	if on {
		w.c.Inject(w.hook)
	} else {
		w.c.Inject(nil)
	}
}

// records compares what is recorded with the layers that are still there, and adds to an
// ending which there are.
func (w *world) records(cfg *schema.Config, e ending) error {
	if w.depot == nil {
		return nil
	}
	ctx, all := context.Background(), w.depot.archives(nil)
	all.Open = func(context.Context, string) (archive.Store, string, error) {
		return shelf{w.depot, nil}, "secret", nil
	}
	defer all.Close()
	found := all.Look(ctx, []string{"main"})["main"]
	if found.Unread != "" {
		return errors.New(found.Unread)
	}
	repo, err := all.Repository(ctx, "main")
	if err != nil {
		return err
	}
	for _, r := range found.Records {
		of := r.Of()
		e.add("archive", "%s@%s", of.Volume.Name, of.Snapshot)
		id, err := archive.ParseID(r.ID)
		if err != nil {
			return err
		}
		rec, err := repo.Record(ctx, id)
		if err != nil {
			return err
		}
		image, err := repo.Image(ctx, rec)
		if err != nil {
			return err
		}
		got, err := contentOfImage(image)
		image.Close()
		if err != nil {
			return fmt.Errorf("the record of %s: %w", r.Layer, err)
		}
		w.c.Look(func(v *sim.View) {
			for _, l := range v.Lvols() {
				if l.Name != string(r.Layer) || err != nil {
					continue
				}
				var want content
				if want, err = contentIn(v, l, w.spanOf(of.Volume.Name)); err == nil && got != want {
					err = fmt.Errorf("the record of %s has not what the layer on %s has", r.Layer, l.Node)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(e["archive"])
	return nil
}

func contentOfImage(i *archive.Image) (c content, err error) {
	p := make([]byte, blockSize)
	for b := range blocks {
		if _, err := i.ReadAt(p, offset(b)); err != nil {
			return c, err
		}
		if c[b], err = parseBlock(p); err != nil {
			return c, fmt.Errorf("block %d: %w", b, err)
		}
	}
	return c, nil
}

// followed checks that each layer of a volume that follows another of this cluster has what
// that one's has, and that it has the youngest.
func followed(v *sim.View, vol *schema.Volume) error {
	lvols, theirs := v.Lvols(), map[lineage.Layer]content{}
	var youngest lineage.Epoch
	for _, l := range lvols {
		name, ok := layer(l)
		if !ok || name.Volume.Name != vol.Restore.Volume || name.Own {
			continue
		}
		c, err := contentOf(v, l)
		if err != nil {
			return err
		}
		youngest = max(youngest, name.Epoch)
		theirs[lineage.Layer{Epoch: name.Epoch, Snapshot: name.Snapshot}] = c
	}
	newest := lineage.Epoch(0)
	for _, l := range lvols {
		name, ok := layer(l)
		if !ok || name.Volume.Name != vol.Name {
			continue
		}
		want, is := theirs[lineage.Layer{Epoch: name.Epoch, Snapshot: name.Snapshot}]
		if got, err := contentOf(v, l); err != nil || !is || got != want {
			return fmt.Errorf("layer %s has %v, and not what it follows (%v)", l.Name, got, err)
		}
		newest = max(newest, name.Epoch)
	}
	if newest != youngest {
		return fmt.Errorf("%s has come to epoch %d, and the youngest snapshot is of %d", vol.Name, newest, youngest)
	}
	return nil
}

// atArchives are troubles of archives, which only scenarios have that have one.
var atArchives = []*trouble{
	{name: "archive-away", archive: true, lasts: long, make: func(w *world, _ sim.Call) sim.Fault {
		w.depot.mu.Lock()
		w.depot.away = time.Now().Add(long)
		w.depot.mu.Unlock()
		return sim.Fault{}
	}},
	{name: "archive-full", archive: true, lasts: long, make: func(w *world, _ sim.Call) sim.Fault {
		w.depot.mu.Lock()
		w.depot.full = time.Now().Add(long)
		w.depot.mu.Unlock()
		return sim.Fault{}
	}},
}

// breaks reports whether a kind of trouble can be at what is done to an archive.
func (tr *trouble) breaks(c callID) bool {
	if !strings.HasPrefix(c.call, theArchive+" ") {
		return !tr.archive
	}
	return tr.archive || slices.Contains([]string{"lost", "lost-after", "late", "error", "stopped", "stopped-after", "strata-dies", "strata-dies-after",
		"strata-dies-unguarded", "strata-dies-after-unguarded", "power"}, tr.name)
}
