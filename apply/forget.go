package apply

import (
	"context"
	"errors"

	"strata/plan"
)

// errUnopened says that this run has no archives.
var errUnopened = errors.New("archives are not opened here")

func (b *backups) forget(ctx context.Context, op plan.RecordForget) error {
	if b.archives == nil {
		return errUnopened
	}
	return b.archives.Forget(ctx, op.Archive, b.cfg.Cluster, op.Layers)
}

func (b *backups) prune(ctx context.Context, op plan.ArchivePrune) error {
	if b.archives == nil {
		return errUnopened
	}
	return b.archives.Prune(ctx, op.Archive)
}
