package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"strata/archive"
	"strata/lineage"
)

// Forget removes the records of layers of a cluster, as an archive has them then: who
// changes the tags of one gives it another ID. One that is gone is no error.
func (a *Archives) Forget(ctx context.Context, name string, of lineage.Cluster, layers []lineage.LvolName) error {
	a.Changed(name)
	defer a.Changed(name)
	found := a.Look(ctx, []string{name})[name]
	if found.Unread != "" {
		return fmt.Errorf("archive %s: %s", name, found.Unread)
	}
	var ids []archive.ID
	for _, r := range found.Records {
		if r.Cluster == of && slices.Contains(layers, r.Layer) {
			id, err := archive.ParseID(r.ID)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
	}
	repo, err := a.Repository(ctx, name)
	if err != nil || len(ids) == 0 {
		return err
	}
	return deleting(name, repo.Forget(ctx, ids...))
}

// Prune frees what no record of an archive needs any more.
func (a *Archives) Prune(ctx context.Context, name string) error {
	repo, err := a.Repository(ctx, name)
	if err != nil {
		return err
	}
	if _, err := repo.Prune(ctx); err != nil {
		return deleting(name, fmt.Errorf("freeing space in archive %s, which the next time does, too: %w", name, err))
	}
	return nil
}

// deleting says what to do where a store lets nothing be deleted.
func deleting(name string, err error) error {
	if errors.Is(err, archive.ErrAppendOnly) {
		return fmt.Errorf("%w; with appendOnly: true of archive %s it is not tried again", err, name)
	}
	return err
}
