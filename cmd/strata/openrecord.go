package main

import (
	"github.com/spf13/cobra"

	"strata/archive"
	"strata/catalog"
	"strata/schema"
)

// openedRecord is what an archive has of a snapshot.
type openedRecord struct {
	listed *catalog.Record
	repo   *archive.Repository
	record archive.Record
	image  *archive.Image // to be closed
}

// openRecord finds the record of a snapshot, or the one of an ID, and opens its image. Who
// asks closes the archives in any case.
func (s *source) openRecord(cmd *cobra.Command, cfg *schema.Config, name, what string) (in openedRecord, err error) {
	var id archive.ID
	if in.listed, in.repo, id, err = s.recordIn(cmd, cfg, name, what); err != nil {
		return in, err
	}
	if in.record, err = in.repo.Record(cmd.Context(), id); err != nil {
		return in, err
	}
	in.image, err = in.repo.Image(cmd.Context(), in.record)
	return in, err
}

// recordIn finds the record of a snapshot, or the one of an ID, in an archive.
func (s *source) recordIn(cmd *cobra.Command, cfg *schema.Config, name, what string) (r *catalog.Record, repo *archive.Repository, id archive.ID, err error) {
	records, err := s.records(cmd, cfg, name)
	if err != nil {
		return nil, nil, id, err
	}
	if r, err = find(records, what); err != nil {
		return nil, nil, id, err
	}
	if id, err = archive.ParseID(r.ID); err != nil {
		return nil, nil, id, err
	}
	repo, err = s.archivesOf(cfg).Repository(cmd.Context(), name)
	return r, repo, id, err
}
