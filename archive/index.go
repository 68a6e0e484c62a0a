package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sync/errgroup"
)

// indexedPack is a pack as an index file has it.
type indexedPack struct {
	ID    ID     `json:"id"`
	Blobs []blob `json:"blobs"`
}

// index is what index files say, of all that are there, in memory that does not grow
// with them.
type index struct {
	table *table
	packs *packList
	// files are those that were read or written.
	files map[ID]bool
}

func newIndex(dir string) *index {
	return &index{table: newTable(dir), packs: newPackList(dir), files: map[ID]bool{}}
}

func (x *index) close() {
	x.table.close()
	x.packs.close()
}

// add takes a pack in.
func (x *index) add(p indexedPack) error {
	n, err := x.packs.add(p.ID)
	if err != nil {
		return err
	}
	if err := x.table.add(newRecord(n, blob{ID: p.ID, Kind: packEntry})); err != nil {
		return err
	}
	for _, b := range p.Blobs {
		if err := x.table.add(newRecord(n, b)); err != nil {
			return err
		}
	}
	return nil
}

// each calls f with the packs of an index file, one after the other.
func eachPack(text []byte, f func(indexedPack) error) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("it is no JSON object"), err)
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		if name != "packs" {
			var other json.RawMessage
			if err := dec.Decode(&other); err != nil {
				return err
			}
			continue
		}
		t, err := dec.Token()
		if err != nil {
			return err
		}
		if t == nil {
			continue
		}
		if t != json.Delim('[') {
			return errors.New("its packs are no list")
		}
		for dec.More() {
			var p indexedPack
			if err := dec.Decode(&p); err != nil {
				return err
			}
			for _, b := range p.Blobs {
				if b.Length < overhead || uint64(b.Offset)+uint64(b.Length) > maxPack {
					return fmt.Errorf("it says that blob %s of pack %s is where none can be", b.ID.Short(), p.ID.Short())
				}
			}
			if err := f(p); err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// refresh reads index files that were not read yet. Where others are gone, somebody
// has pruned the repository, and all are read again.
func (r *Repository) refresh(ctx context.Context) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	for {
		err := r.readIndexes(ctx)
		if !errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
			return err
		}
		// One went between being listed and being read: the next list is without it.
	}
}

func (r *Repository) readIndexes(ctx context.Context) error {
	listed, missing := map[ID]bool{}, []ID(nil)
	x := r.index.Load()
	for entry, err := range r.store.List(ctx, indexDir) {
		if err != nil {
			return err
		}
		id, err := ParseID(entry.Name)
		if err != nil {
			continue // no file of the format has such a name
		}
		listed[id] = true
		if !x.files[id] {
			missing = append(missing, id)
		}
	}
	for id := range x.files {
		if !listed[id] {
			x, missing = newIndex(r.dir), missing[:0]
			for id := range listed {
				missing = append(missing, id)
			}
			break
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, id := range missing {
		group.Go(func() error {
			text, err := r.loadFile(ctx, indexDir, id)
			if err != nil {
				return err
			}
			if err := eachPack(text, x.add); err != nil {
				return fmt.Errorf("%s: %s/%s: %w; `restic repair index` (before 0.16 `restic rebuild-index`) writes it anew from the packs", r.store, indexDir, id, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		if x != r.index.Load() {
			x.close()
		}
		return err
	}
	for _, id := range missing {
		x.files[id] = true
	}
	r.index.Store(x)
	return nil
}

// writeIndex stores what packs have.
func (r *Repository) writeIndex(ctx context.Context, packs []indexedPack) error {
	text, err := json.Marshal(struct {
		Packs []indexedPack `json:"packs"`
	}{packs})
	if err != nil {
		return err
	}
	id, err := r.saveFile(ctx, indexDir, text)
	if err == nil {
		r.refreshing.Lock()
		r.index.Load().files[id] = true
		r.refreshing.Unlock()
	}
	return err
}
