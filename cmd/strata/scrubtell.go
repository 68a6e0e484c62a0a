package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"strata/amount"
	"strata/archive"
	"strata/catalog"
	"strata/lineage"
	"strata/plan"
	"strata/scrub"
)

// recorder is what archives are asked for (backup.Archives).
type recorder interface {
	Look(ctx context.Context, names []string) catalog.Catalog
	Base(ctx context.Context, name string, c lineage.Cluster, layer lineage.LvolName) (*archive.Record, error)
	Repository(ctx context.Context, name string) (*archive.Repository, error)
}

// tell compares what was read, says what came of it, and keeps sums that are new. It
// returns how many copies of layers are damaged.
func (r *results) tell(ctx context.Context, out io.Writer, asked map[string]map[plan.LayerAt]bool, whole bool, took time.Duration) (damaged int, err error) {
	layers := map[lineage.LvolName][]scrub.Copy{}
	bytes := int64(0)
	for _, c := range r.all {
		layers[c.Layer] = append(layers[c.Layer], c)
		bytes += int64(len(c.Sums)) * c.Block
	}
	was := map[lineage.UUID]scrub.Copy{}
	for _, c := range r.earlier {
		was[c.UUID] = c
	}
	names := make([]lineage.LvolName, 0, len(layers))
	for name := range layers {
		names = append(names, name)
	}
	slices.SortFunc(names, byLayer)
	bad := map[lineage.Node][]string{}
	for _, name := range names {
		copies := layers[name]
		slices.SortFunc(copies, func(a, b scrub.Copy) int { return strings.Compare(string(a.Node), string(b.Node)) })
		record, where, done := r.record(ctx, out, copies[0])
		found := scrub.Compare(copies, was, record)
		done()
		r.layer(out, copies, where, found)
		hurt := map[lineage.Node]bool{}
		for _, f := range found {
			for _, n := range f.Odd {
				hurt[n] = hurt[n] || f.Kind == scrub.Changed
			}
		}
		for n, is := range hurt {
			if is {
				damaged++
				bad[n] = append(bad[n], layerVolume(name))
			}
		}
	}
	fmt.Fprintf(out, "%s read in %s: %s, %d %s\n", amount.Bytes(bytes), took.Round(100*time.Millisecond), amount.Of(len(names), "layer"), len(r.all), amount.Verb(len(r.all), "copy", "copies"))
	for _, v := range r.cfg.Volumes {
		if asked[v.Name] != nil && !slices.ContainsFunc(names, func(l lineage.LvolName) bool { return layerVolume(l) == v.Name }) {
			fmt.Fprintf(out, "note: of %s nothing was read: it has no layer on a current replica that can be read now; only snapshots are, not what hosts write to\n", v.Name)
		}
	}
	r.repairs(out, bad)
	return damaged, r.keep(was, asked, whole)
}

// byLayer is the order of volumes, and of a volume's layers in which they were cut.
func byLayer(a, b lineage.LvolName) int {
	x, _ := lineage.ParseLayer(a)
	y, _ := lineage.ParseLayer(b)
	if c := strings.Compare(x.Volume.String(), y.Volume.String()); c != 0 {
		return c
	}
	return int(x.Epoch) - int(y.Epoch)
}

// layer says what came of one.
func (r *results) layer(out io.Writer, copies []scrub.Copy, where string, found []scrub.Finding) {
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
		if len(r.earlier) == 0 && len(copies) == 1 && where == "" {
			how = "there is nothing to compare it with"
		}
		fmt.Fprintf(out, "%s: %s\n", what, how)
		return
	}
	fmt.Fprintf(out, "%s:\n", what)
	for _, f := range found {
		fmt.Fprintf(out, "  %s to %s: %s\n", amount.Bytes(f.From), amount.Bytes(f.To), meaning(f, where))
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

// repairs says how copies that are damaged are made anew.
func (r *results) repairs(out io.Writer, bad map[lineage.Node][]string) {
	var nodes []lineage.Node
	for n := range bad {
		nodes = append(nodes, n)
	}
	slices.Sort(nodes)
	for _, n := range nodes {
		volumes := bad[n]
		slices.Sort(volumes)
		for _, v := range slices.Compact(volumes) {
			fmt.Fprintf(out, "repair: have all layers of %s copied again: replicas: on: […] without %s, then strata apply --allow-destroy %s:%s; then as before. See that the disk of %s is well first\n", v, n, v, n, n)
		}
	}
}

// record is what the archive of a volume has of a layer, where that is, and what to do when
// it has been asked.
func (r *results) record(ctx context.Context, out io.Writer, c scrub.Copy) (record scrub.Record, where string, done func()) {
	v := r.cfg.Volume(layerVolume(c.Layer))
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
		fmt.Fprintf(out, "note: %s is not compared with archive %s: %s\n", c.Layer, name, inLine(err.Error()))
		return nil, "", func() {}
	}
	const piece = 1024
	from, sums, failed := int64(-1), []archive.ID(nil), false
	return func(at int64) (sum [32]byte, ok bool) {
		if failed || at*image.BlockSize >= image.Size {
			return sum, false
		}
		if first := at / piece * piece; first != from {
			blocks := (image.Size + image.BlockSize - 1) / image.BlockSize
			if sums, err = image.Sums(ctx, first, min(piece, blocks-first)); err != nil {
				failed = true
				fmt.Fprintf(out, "note: %s is not compared further with archive %s: %s\n", c.Layer, name, inLine(err.Error()))
				return sum, false
			}
			from = first
		}
		return sums[at-from], true
	}, "archive " + name, func() { image.Close() }
}

// readSums are the sums of a file; none where there is no file yet.
func readSums(name string) ([]scrub.Copy, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := scrub.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}

// keep writes the sums of copies that were read for the first time beside those there are.
// Where all was read, copies of the volumes that were not there any more go.
func (r *results) keep(was map[lineage.UUID]scrub.Copy, asked map[string]map[plan.LayerAt]bool, whole bool) error {
	if r.file == "" {
		return nil
	}
	now := map[lineage.UUID]bool{}
	for _, c := range r.all {
		now[c.UUID] = true
	}
	var kept []scrub.Copy
	for _, c := range r.earlier {
		if now[c.UUID] || !whole || asked[layerVolume(c.Layer)] == nil {
			kept = append(kept, c)
		}
	}
	for _, c := range r.all {
		if _, there := was[c.UUID]; !there {
			kept = append(kept, c)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(r.file), ".sums")
	if err != nil {
		return err
	}
	err = scrub.Write(f, kept)
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
