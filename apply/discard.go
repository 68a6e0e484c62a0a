package apply

import (
	"context"
	"errors"

	"strata/lineage"
	"strata/spdk"
)

// A file or a kernel's device discards where it can make holes (fallocate(2)). Where it cannot, an
// I/O that discards fails, and a mirror loses the leg. The target does not say which it is, so
// it is tried, before anything on the disk is used: an lvol of one cluster is made, which has it, and
// deleted, which discards it. A target in which that fails has the lvol no more, and its
// cluster is free again once the lvstore has been loaded anew.

// attachFile makes a disk a bdev, without discard if the disk cannot.
func (c *caller) attachFile(ctx context.Context, t *spdk.Client, lvstore string, disk spdk.AIOCreate) error {
	if _, err := t.AIOCreate(ctx, disk); err != nil {
		return err
	}
	if err := t.WaitForExamine(ctx); err != nil || !disk.Fallocate {
		return err
	}
	return c.tryDisk(ctx, t, lvstore, disk.Name)
}

// tryDisk finds out whether an AIO disk that has an lvstore discards, if it is attached so that it
// would. One that does not is attached again, so that it need not; so is one with an lvstore that is
// not the cluster's, in which nothing is made. One without an lvstore is tried when it gets one.
func (c *caller) tryDisk(ctx context.Context, t *spdk.Client, lvstore, bdev string) error {
	b, err := t.GetBdev(ctx, bdev)
	if err != nil {
		return err
	}
	var stores []spdk.Lvstore
	if err := roundErr(ctx, t, spdk.GetLvstores(&stores)); err != nil {
		return err
	}
	for _, s := range stores {
		if s.BaseBdev != bdev || b.Driver.AIO == nil || !b.Driver.AIO.Fallocate {
			continue
		}
		discards := false
		if named, ok := lineage.ParseStore(s.Name); s.Name == lvstore || ok && named.Cluster == c.cluster {
			discards, err = tryLvstore(ctx, t, s)
		}
		if err != nil || discards {
			return err
		}
		if err := t.AIODelete(ctx, bdev); err != nil {
			return err
		}
		_, err = t.AIOCreate(ctx, spdk.AIOCreate{Name: bdev, Filename: b.Driver.AIO.Filename, BlockSize: uint32(b.BlockSize)})
		if err != nil {
			return err
		}
		return t.WaitForExamine(ctx)
	}
	return nil
}

// tryLvstore reports whether what is freed in an lvstore is discarded. It cannot be tried, and counts
// as not, where no cluster is free.
func tryLvstore(ctx context.Context, t *spdk.Client, s spdk.Lvstore) (discards bool, err error) {
	trial := s.Name + "/" + string(lineage.Trial)
	err = unless(spdk.NotFound, t.LvolDelete(ctx, trial)) // one of an earlier try
	if err == nil {
		_, err = t.LvolCreate(ctx, spdk.LvolCreate{LvolName: string(lineage.Trial), LvsName: s.Name, SizeMiB: 1})
	}
	switch {
	case spdk.ClassOf(err) == spdk.NoSpace || failed(err):
		return false, nil
	case err != nil:
		return false, err
	}
	if err = t.LvolDelete(ctx, trial); failed(err) {
		return false, nil
	}
	return err == nil, err
}

// failed reports whether a target has answered that something did not work, for no reason that it is
// known to give: so it does of I/O.
func failed(err error) bool {
	var e *spdk.Error
	return errors.As(err, &e) && e.Class == spdk.Other && e.Code != 0
}
