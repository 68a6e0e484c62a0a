package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"strata/archive"
	"strata/catalog"
	"strata/lineage"
)

// Archives are those of a configuration. Each is opened when it is first needed, and
// stays open.
type Archives struct {
	// Open opens the store of an archive, and says its password.
	Open func(ctx context.Context, name string) (archive.Store, string, error)
	// Listen is Job.Listen of all jobs.
	Listen string
	// Net is Job.Net of all jobs, and Fill.Net.
	Net *Net

	mu  sync.Mutex
	all map[string]*opened

	lends lends
}

// opened is an archive that is open.
type opened struct {
	repo *archive.Repository
	seen map[archive.ID]catalog.Record // by ID, for records never change
	last *catalog.Archive
	at   time.Time // when it was listed
}

// fresh is how long a listing serves, if nothing was recorded since.
const fresh = 30 * time.Second

// Repository is an archive that is open.
func (a *Archives) Repository(ctx context.Context, name string) (*archive.Repository, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, err := a.open(ctx, name)
	if err != nil {
		return nil, err
	}
	return o.repo, nil
}

// open opens an archive. a.mu is held.
func (a *Archives) open(ctx context.Context, name string) (*opened, error) {
	if o := a.all[name]; o != nil {
		return o, nil
	}
	st, password, err := a.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	repo, err := archive.Open(ctx, st, archive.Options{Password: password})
	if errors.Is(err, archive.ErrNone) {
		return nil, fmt.Errorf("%w, and so does strata backup init %s", err, name)
	}
	if err != nil {
		return nil, err
	}
	if a.all == nil {
		a.all = map[string]*opened{}
	}
	a.all[name] = &opened{repo: repo, seen: map[archive.ID]catalog.Record{}}
	return a.all[name], nil
}

// Look lists what is in archives. One that cannot be read says why.
func (a *Archives) Look(ctx context.Context, names []string) catalog.Catalog {
	if a == nil || len(names) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	found := catalog.Catalog{}
	for _, name := range names {
		o, err := a.open(ctx, name)
		if err == nil {
			err = o.list(ctx)
		}
		if err != nil {
			found[name] = &catalog.Archive{Unread: err.Error()}
			continue
		}
		found[name] = o.last
	}
	return found
}

// Changed has the next Look list an archive anew.
func (a *Archives) Changed(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.all[name]; o != nil {
		o.at = time.Time{}
	}
}

func (o *opened) list(ctx context.Context) error {
	if time.Since(o.at) < fresh {
		return nil
	}
	ids, err := o.repo.RecordIDs(ctx)
	if err != nil {
		return err
	}
	in := &catalog.Archive{}
	seen := make(map[archive.ID]catalog.Record, len(ids))
	for _, id := range ids {
		r, known := o.seen[id]
		if !known {
			rec, err := o.repo.Record(ctx, id)
			if errors.Is(err, fs.ErrNotExist) {
				continue // forgotten meanwhile
			}
			if err != nil {
				return err
			}
			r = recordOf(rec)
		}
		if seen[id] = r; r.Layer != "" {
			in.Records = append(in.Records, r)
		}
	}
	slices.SortFunc(in.Records, func(x, y catalog.Record) int { return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.ID, y.ID)) })
	o.seen, o.last, o.at = seen, in, time.Now()
	return nil
}

// recordOf is a record as catalogs have it; one that is not strata's has no layer.
func recordOf(rec archive.Record) catalog.Record {
	r, ok := catalog.Parse(rec.Tags)
	if !ok {
		return catalog.Record{}
	}
	r.ID, r.Cluster, r.Time = rec.ID.String(), lineage.Cluster(rec.Host), rec.Time.Unix()
	return r
}

// Base is the record of a layer, to build on; nil where there is none any more.
func (a *Archives) Base(ctx context.Context, name string, c lineage.Cluster, layer lineage.LvolName) (*archive.Record, error) {
	r := a.Look(ctx, []string{name})[name].Find(c, layer)
	if r == nil {
		return nil, fmt.Errorf("archive %s has no record of %s any more", name, layer)
	}
	id, err := archive.ParseID(r.ID)
	if err != nil {
		return nil, err
	}
	repo, err := a.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	rec, err := repo.Record(ctx, id)
	return &rec, err
}

// image is the image of a layer, open.
func (a *Archives) image(ctx context.Context, name string, c lineage.Cluster, layer lineage.LvolName) (*archive.Image, error) {
	rec, err := a.Base(ctx, name, c, layer)
	if err != nil {
		return nil, err
	}
	repo, err := a.Repository(ctx, name)
	if err != nil {
		return nil, err
	}
	return repo.Image(ctx, *rec)
}

// Close closes what is open. Nothing must be under way.
func (a *Archives) Close() {
	if a == nil {
		return
	}
	a.lends.close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range a.all {
		o.repo.Close()
	}
	a.all = nil
}
