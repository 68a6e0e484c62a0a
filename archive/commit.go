package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Commit says what a record is to say.
type Commit struct {
	Time time.Time // now if zero
	Host string    // whose volume it is; this machine if empty
	Tags []string  // without commas, for restic's command line has them between tags
	// Note is JSON that is kept beside the image, as image.json; may be nil.
	Note json.RawMessage
}

// Commit stores what is queued, then the index, then the record: with that, and not
// before, the image is in the repository. The backup has ended, however it went.
func (b *Backup) Commit(ctx context.Context, c Commit) (Record, error) {
	defer b.Close()
	b.stop()
	if err := b.unfinished(); err != nil {
		return Record{}, err
	}
	b.mu.Lock()
	err := b.err
	b.mu.Unlock()
	if err != nil {
		return Record{}, err
	}
	content, err := b.imageTree(ctx)
	if err != nil {
		return Record{}, err
	}
	tree, err := b.rootTree(ctx, content, c.Note)
	if err != nil {
		return Record{}, err
	}
	if err := b.saver.flush(ctx); err != nil {
		return Record{}, err
	}
	return b.record(ctx, tree, c)
}

func (b *Backup) record(ctx context.Context, tree ID, c Commit) (Record, error) {
	by := b.repo.by
	s := snapshot{Time: c.Time, Tree: &tree, Paths: []string{"/" + b.name}, Hostname: c.Host, Username: by.Username, UID: by.UID, GID: by.GID, Tags: c.Tags}
	if s.Time.IsZero() {
		s.Time = time.Now()
	}
	if s.Hostname == "" {
		s.Hostname = by.Hostname
	}
	if b.base != nil {
		s.Parent = &b.base.Record.ID
	}
	text, err := json.Marshal(&s)
	if err != nil {
		return Record{}, err
	}
	if err := b.lock.there(ctx); err != nil {
		return Record{}, err
	}
	id, err := b.repo.saveFile(ctx, snapshotsDir, text)
	if err != nil {
		return Record{}, fmt.Errorf("all of %s is stored, but the record was not: %w", b.name, err)
	}
	return s.record(id), nil
}

// rootTree stores what is around the image.
func (b *Backup) rootTree(ctx context.Context, content ID, note json.RawMessage) (ID, error) {
	d := description{Version: formatOfImage, shape: b.shape, Content: content, Note: note}
	if b.base != nil {
		d.Base = &b.base.Record.ID
	}
	text, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		return ID{}, fmt.Errorf("the note of a record is no JSON: %w", err)
	}
	text = append(text, '\n')
	id, err := b.saver.save(ctx, dataBlob, text)
	if err != nil {
		return ID{}, err
	}
	volume, err := b.repo.saveTree(ctx, b.saver, dirNode(imageDir, content), fileNode(imageFile, int64(len(text)), []ID{id}))
	if err != nil {
		return ID{}, err
	}
	return b.repo.saveTree(ctx, b.saver, dirNode(b.name, volume))
}

// imageTree stores the trees of the image, those that the base has not.
func (b *Backup) imageTree(ctx context.Context) (ID, error) {
	k := &carpenter{Backup: b, empty: map[int64]ID{}, zero: map[int64]ID{}}
	groups := make([]node, b.shape.groups())
	for g := range groups {
		id, err := k.group(ctx, int64(g))
		if err != nil {
			return ID{}, err
		}
		groups[g] = dirNode(dirName(int64(g)), id)
	}
	return b.repo.saveTree(ctx, b.saver, groups...)
}

// group stores the tree of a group of pieces.
func (k *carpenter) group(ctx context.Context, g int64) (ID, error) {
	nodes := make([]node, k.shape.inGroup(g))
	workers, inner := errgroup.WithContext(ctx)
	workers.SetLimit(4)
	if k.shape.BlockSize < 64<<10 {
		workers.SetLimit(1) // lists are long
	}
	for i := range nodes {
		workers.Go(func() error {
			id, err := k.piece(inner, g*groupPieces+int64(i))
			nodes[i] = dirNode(dirName(int64(i)), id)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return ID{}, err
	}
	return k.repo.saveTree(ctx, k.saver, nodes...)
}
