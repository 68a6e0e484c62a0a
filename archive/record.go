package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Record says that an image, or what restic backed up, is in the repository: a snapshot,
// as restic calls it.
type Record struct {
	ID ID
	// Original is the ID that it had first: restic gives it another when it changes tags.
	Original ID
	Time     time.Time
	Host     string
	Paths    []string // of an image "/VOLUME"
	Tags     []string

	tree   ID
	parent *ID
}

// Filter says which records. What is empty admits all.
type Filter struct {
	Host string
	Path string
	Tags []string // all of them
}

func (f Filter) admits(r Record) bool {
	return (f.Host == "" || f.Host == r.Host) && (f.Path == "" || slices.Contains(r.Paths, f.Path)) &&
		!slices.ContainsFunc(f.Tags, func(tag string) bool { return !slices.Contains(r.Tags, tag) })
}

// snapshot is the JSON of a record.
type snapshot struct {
	Time     time.Time `json:"time"`
	Parent   *ID       `json:"parent,omitempty"`
	Tree     *ID       `json:"tree"`
	Paths    []string  `json:"paths"`
	Hostname string    `json:"hostname,omitempty"`
	Username string    `json:"username,omitempty"`
	UID      uint32    `json:"uid,omitempty"`
	GID      uint32    `json:"gid,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	Original *ID       `json:"original,omitempty"`
}

// Records lists the records that a filter admits, oldest first. It reads nothing but
// them.
func (r *Repository) Records(ctx context.Context, f Filter) ([]Record, error) {
	ids, err := r.RecordIDs(ctx)
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, id := range ids {
		rec, err := r.Record(ctx, id)
		switch {
		case errors.Is(err, fs.ErrNotExist): // forgotten meanwhile
		case err != nil:
			return nil, err
		case f.admits(rec):
			all = append(all, rec)
		}
	}
	slices.SortFunc(all, func(a, b Record) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return all, nil
}

// RecordIDs are those of all records, in no order: what a caller has read of one stays so.
func (r *Repository) RecordIDs(ctx context.Context) (all []ID, err error) {
	for entry, err := range r.store.List(ctx, snapshotsDir) {
		if err != nil {
			return nil, err
		}
		if id, err := ParseID(entry.Name); err == nil {
			all = append(all, id)
		}
	}
	return all, nil
}

// Record reads one; fs.ErrNotExist says that there is none of that ID.
func (r *Repository) Record(ctx context.Context, id ID) (Record, error) {
	text, err := r.loadFile(ctx, snapshotsDir, id)
	if err != nil {
		return Record{}, err
	}
	var s snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return Record{}, fmt.Errorf("%s: record %s: %w", r.store, id.Short(), err)
	}
	if s.Tree == nil {
		return Record{}, fmt.Errorf("%s: record %s: it has no tree", r.store, id.Short())
	}
	return s.record(id), nil
}

func (s *snapshot) record(id ID) Record {
	rec := Record{ID: id, Original: id, Time: s.Time, Host: s.Hostname, Paths: s.Paths, Tags: s.Tags, tree: *s.Tree, parent: s.Parent}
	if s.Original != nil {
		rec.Original = *s.Original
	}
	return rec
}

// Forget removes records. What only they needed goes with the next Prune. One that is
// gone already is no error.
func (r *Repository) Forget(ctx context.Context, ids ...ID) error {
	if !r.locks {
		return fmt.Errorf("%s: nothing is deleted without locks", r.store)
	}
	l, err := r.lock(ctx, false)
	if err != nil {
		return err
	}
	defer l.release()
	for _, id := range ids {
		if err := r.store.Delete(ctx, snapshotsDir+"/"+id.String()); err != nil {
			return fmt.Errorf("forgetting record %s: %w", id.Short(), err)
		}
	}
	return nil
}

// Retag gives a record other tags, as restic does: it is stored under a new ID, which
// names the first, and then the old one goes. A store that lets nothing be deleted keeps
// both.
func (r *Repository) Retag(ctx context.Context, rec Record, tags []string) (Record, error) {
	if !r.locks {
		return rec, fmt.Errorf("%s: nothing is written without locks", r.store)
	}
	l, err := r.lock(ctx, false)
	if err != nil {
		return rec, err
	}
	defer l.release()
	text, err := r.loadFile(ctx, snapshotsDir, rec.ID)
	if err != nil {
		return rec, err
	}
	fields := map[string]json.RawMessage{} // also those that are not known here
	if err := json.Unmarshal(text, &fields); err != nil {
		return rec, err
	}
	if fields["tags"], err = json.Marshal(tags); err == nil {
		fields["original"], err = json.Marshal(rec.Original)
	}
	if err == nil {
		text, err = json.Marshal(fields)
	}
	if err != nil {
		return rec, err
	}
	if err := l.there(ctx); err != nil {
		return rec, err
	}
	id, err := r.saveFile(ctx, snapshotsDir, text)
	if err != nil {
		return rec, err
	}
	now := rec
	now.ID, now.Tags = id, tags
	if id == rec.ID {
		return now, nil
	}
	if err := r.store.Delete(ctx, snapshotsDir+"/"+rec.ID.String()); err != nil && !errors.Is(err, ErrAppendOnly) {
		return now, fmt.Errorf("record %s is %s now, and the old one stays: %w", rec.ID.Short(), id.Short(), err)
	}
	return now, nil
}
