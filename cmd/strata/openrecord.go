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
	records, err := s.records(cmd, cfg, name)
	if err != nil {
		return in, err
	}
	if in.listed, err = find(records, what); err != nil {
		return in, err
	}
	if in.repo, err = s.archivesOf(cfg).Repository(cmd.Context(), name); err != nil {
		return in, err
	}
	id, err := archive.ParseID(in.listed.ID)
	if err != nil {
		return in, err
	}
	if in.record, err = in.repo.Record(cmd.Context(), id); err != nil {
		return in, err
	}
	in.image, err = in.repo.Image(cmd.Context(), in.record)
	return in, err
}
