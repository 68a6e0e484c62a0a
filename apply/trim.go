package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"strata/backup"
	"strata/lineage"
	"strata/plan"
	"strata/spdk"
)

// Trims has volumes trimmed that nobody uses.
type Trims struct {
	Rate int64         // bytes a second of a volume that are read at most; 0: as fast as they come
	For  time.Duration // how long one is trimmed at a time
	// From is by how many bytes a volume was trimmed already. It and Tell are called for
	// several volumes at once.
	From func(lineage.Volume) int64
	// Tell is told what a trim has come to, and why it went no further.
	Tell func(lineage.Volume, backup.Trimmed, error)
}

// expectUnused fails when a host is connected to a subsystem.
func expectUnused(ctx context.Context, t *spdk.Client, op plan.ExpectUnused) error {
	hosts, err := connectedTo(ctx, t, string(op.NQN))
	if err != nil || len(hosts) == 0 {
		return err
	}
	return fmt.Errorf("%s is in use by %s: let go of it there first; a host that can discard does better with fstrim", op.NQN, strings.Join(hosts, ", "))
}

// trim frees what of a volume reads as zero. However that ends, hosts are to reach the volume
// again by the steps that follow: what went wrong only Tell is told.
func (c *caller) trim(ctx context.Context, t *spdk.Client, op plan.Trim) error {
	b := c.backups
	n := b.cfg.Node(op.Node)
	switch {
	case b.trims == nil:
		return fmt.Errorf("nobody has asked for %s to be trimmed", op.Volume)
	case n == nil:
		return fmt.Errorf("%s is not configured", op.Node)
	case b.run == "":
		return fmt.Errorf("%s is not locked: somebody could show %s to hosts while it is trimmed", op.Node, op.Volume)
	}
	job := backup.Trim{Alone: c.alone(t, n, op.Volume, op.Bdev, op.Proven), Unit: op.Unit, From: b.trims.From(op.Volume), For: b.trims.For, Rate: b.trims.Rate, Stop: b.stop}
	now, _ := CopyOf(op)
	now.Total = op.Bytes
	done, err := job.Run(ctx, func(read int64) {
		now.Copied = job.From + read
		c.events.copying(now)
	})
	b.trims.Tell(op.Volume, done, err)
	return nil
}
