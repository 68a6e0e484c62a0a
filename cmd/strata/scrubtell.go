package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"strata/amount"
	"strata/archive"
	"strata/catalog"
	"strata/lineage"
	"strata/schema"
	"strata/scrub"
	"strata/state"
)

// recorder is what archives are asked for (backup.Archives).
type recorder interface {
	Look(ctx context.Context, names []string) catalog.Catalog
	Base(ctx context.Context, name string, c lineage.Cluster, layer lineage.LvolName) (*archive.Record, error)
	Repository(ctx context.Context, name string) (*archive.Repository, error)
}

// comparison compares what was read of layers, with what archives have of them and with what
// a file says that they were, and has that say what they are.
type comparison struct {
	cfg      *schema.Config
	file     string // of sums; "" for none
	archives recorder

	mu       sync.Mutex
	was      map[lineage.UUID]scrub.Copy // as the file has them
	seen     *state.Snapshot             // at the last look; nil where nobody looked
	lines    []string                    // that were not told yet
	layers   map[lineage.LvolName]bool   // that were read
	bad      map[lineage.Node][]string   // volumes of which a copy is damaged
	odd      map[string][]lineage.Node   // whose copy of a snapshot differs from others'; "": nobody can tell whose
	later    []string                    // why some are not read now
	byOthers map[string]bool             // volumes of which another strata has read layers

	bytes           int64
	copies, damaged int
}

func newComparison(cfg *schema.Config, file string) *comparison {
	return &comparison{
		cfg: cfg, file: file,
		layers: map[lineage.LvolName]bool{}, bad: map[lineage.Node][]string{},
		odd: map[string][]lineage.Node{}, byOthers: map[string]bool{},
	}
}

// compare compares the copies of one layer.
func (r *comparison) compare(ctx context.Context, copies []scrub.Copy) ([]scrub.Finding, error) {
	slices.SortFunc(copies, func(a, b scrub.Copy) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Lvstore, b.Lvstore))
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	record, where, done := r.record(ctx, copies[0])
	found := scrub.Compare(copies, r.was, record)
	done()
	r.layer(copies, where, found)
	hurt := map[lineage.Place]bool{}
	for _, f := range found {
		if f.Kind == scrub.Differ && len(copies) > 1 {
			r.differs(f)
		}
		for _, at := range f.Places {
			hurt[at] = hurt[at] || f.Kind == scrub.Changed
		}
	}
	volume := volumeOf(copies[0].Layer)
	r.layers[copies[0].Layer] = true
	fresh := false
	for _, c := range copies {
		r.copies++
		r.bytes += int64(len(c.Sums)) * c.Block
		if hurt[lineage.Place{Node: c.Node, Lvstore: c.Lvstore}] {
			r.damaged++
			r.bad[c.Node] = append(r.bad[c.Node], volume)
		}
		if _, known := r.was[c.UUID]; r.file != "" && !known {
			r.was[c.UUID], fresh = c, true
		}
	}
	if fresh {
		return found, r.write()
	}
	return found, nil
}

// told are the lines that were not told yet.
func (r *comparison) told() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

// tell tells them.
func (r *comparison) tell(out io.Writer) {
	for _, line := range r.told() {
		fmt.Fprintln(out, line)
	}
}

// line has something to tell. r.mu is held.
func (r *comparison) line(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// looked has what is on the nodes, to know which copies are there still.
func (r *comparison) looked(seen *state.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = seen
}

// summary says how much was read, what was not, and how what is damaged is repaired.
func (r *comparison) summary(out io.Writer, asked map[string]int64, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(out, "%s read in %s: %s, %d %s\n", amount.Bytes(r.bytes), took.Round(100*time.Millisecond), amount.Of(len(r.layers), "layer"), r.copies, amount.Verb(r.copies, "copy", "copies"))
	for _, v := range r.cfg.Volumes {
		read := false
		for l := range r.layers {
			read = read || volumeOf(l) == v.Name
		}
		if asked[v.Name] != 0 && !read && !r.byOthers[v.Name] {
			fmt.Fprintf(out, "note: of %s nothing was read: it has no layer on a current replica that can be read now; only snapshots are, not what hosts write to\n", v.Name)
		}
	}
	for _, line := range r.later {
		fmt.Fprintln(out, inLine("note: "+line))
	}
	r.repairs(out)
}

// layer says what came of one.
func (r *comparison) layer(copies []scrub.Copy, where string, found []scrub.Finding) {
	var nodes []string
	for _, c := range copies {
		nodes = append(nodes, string(c.Node))
	}
	of, _ := lineage.ParseLayer(copies[0].Layer)
	what := fmt.Sprintf("%s (%s), read on %s", of.Volume.Name+"@"+of.Snapshot, copies[0].Layer, strings.Join(nodes, ", "))
	if v := r.cfg.Volume(of.Volume.Name); v != nil && len(copies) < v.Replicas.Count {
		what += fmt.Sprintf(" only, of %s", amount.Of(v.Replicas.Count, "replica"))
	}
	if len(found) == 0 {
		how := "nothing is different from what it was"
		switch {
		case len(copies) > 1 && where != "":
			how = "equal, and as in " + where
		case len(copies) > 1:
			how = "equal"
		case where != "":
			how = "as in " + where
		}
		if len(r.was) == 0 && len(copies) == 1 && where == "" {
			how = "there is nothing to compare it with"
		}
		r.line("%s: %s", what, how)
		return
	}
	r.line("%s:", what)
	for _, f := range found {
		r.line("  %s to %s: %s", amount.Bytes(f.From), amount.Bytes(f.To), meaning(f, where))
	}
}

// meaning is what a finding says.
func meaning(f scrub.Finding, where string) string {
	switch {
	case f.Kind == scrub.Changed:
		return fmt.Sprintf("the copy on %s is damaged: it is not as it was when it was first read", f.Nodes())
	case f.Recorded:
		return fmt.Sprintf("the copy on %s differs from the others and from %s; if hosts wrote there, it is damaged", f.Nodes(), where)
	case len(f.Odd) > 0:
		return fmt.Sprintf("the copy on %s differs from the others; if hosts wrote there, it is damaged", f.Nodes())
	case where != "":
		return fmt.Sprintf("copies differ from one another, or from %s, and nobody can tell which is as it was; what hosts never wrote, or have discarded, may", where)
	}
	return "copies differ, and nobody can tell which is as it was; what hosts never wrote, or have discarded, may"
}

// record is what the archive of a volume has of a layer, where that is, and what to do when
// it has been asked.
func (r *comparison) record(ctx context.Context, c scrub.Copy) (record scrub.Record, where string, done func()) {
	v := r.cfg.Volume(volumeOf(c.Layer))
	if v == nil || v.Backup == nil || r.archives.Look(ctx, []string{v.Backup.To})[v.Backup.To].Find(r.cfg.Cluster, c.Layer) == nil {
		return nil, "", func() {}
	}
	name := v.Backup.To
	image, err := func() (*archive.Image, error) {
		rec, err := r.archives.Base(ctx, name, r.cfg.Cluster, c.Layer)
		if err != nil {
			return nil, err
		}
		repo, err := r.archives.Repository(ctx, name)
		if err != nil {
			return nil, err
		}
		return repo.Image(ctx, *rec)
	}()
	if err == nil && image.BlockSize != c.Block {
		image.Close()
		err = fmt.Errorf("its pieces have %s, and clusters are read in %s", amount.Bytes(image.BlockSize), amount.Bytes(c.Block))
	}
	if err != nil {
		r.line("note: %s is not compared with archive %s: %s", c.Layer, name, inLine(err.Error()))
		return nil, "", func() {}
	}
	record = recordedIn(ctx, image, func(err error) {
		r.line("note: %s is not compared further with archive %s: %s", c.Layer, name, inLine(err.Error()))
	})
	return record, "archive " + name, func() { image.Close() }
}

// recordedIn is what an image has. Where that cannot be read, nothing more is known of it, and
// failed is told why.
func recordedIn(ctx context.Context, image *archive.Image, failed func(error)) scrub.Record {
	const piece = 1024
	from, sums, over := int64(-1), []archive.ID(nil), false
	return func(at int64) (sum [32]byte, ok bool) {
		if over || at*image.BlockSize >= image.Size {
			return sum, false
		}
		if first := at / piece * piece; first != from {
			blocks := (image.Size + image.BlockSize - 1) / image.BlockSize
			var err error
			if sums, err = image.Sums(ctx, first, min(piece, blocks-first)); err != nil {
				over = true
				failed(err)
				return sum, false
			}
			from = first
		}
		return sums[at-from], true
	}
}

// readSums reads the sums of the file; none where there is no file yet.
func (r *comparison) readSums() error {
	r.was = map[lineage.UUID]scrub.Copy{}
	if r.file == "" {
		return nil
	}
	f, err := os.Open(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := scrub.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", r.file, err)
	}
	for _, c := range all {
		r.was[c.UUID] = c
	}
	return nil
}

// keep has the file lose the sums of copies that were not there any more at the last look.
func (r *comparison) keep() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.was)
	r.forget()
	if r.file == "" || len(r.was) == before {
		return nil
	}
	return r.write()
}

// forget forgets copies that a node which was read has no more. r.mu is held.
func (r *comparison) forget() {
	if r.seen == nil {
		return
	}
	maps.DeleteFunc(r.was, func(u lineage.UUID, c scrub.Copy) bool {
		n := r.seen.Nodes[c.Node]
		return n != nil && n.Unknown == "" && n.LvolByUUID(u) == nil
	})
}

// write writes the file anew. r.mu is held.
func (r *comparison) write() error {
	all := slices.SortedFunc(maps.Values(r.was), func(a, b scrub.Copy) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.UUID, b.UUID))
	})
	f, err := os.CreateTemp(filepath.Dir(r.file), ".sums")
	if err != nil {
		return err
	}
	err = scrub.Write(f, all)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), r.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
