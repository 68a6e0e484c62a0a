package state

import (
	"cmp"
	"slices"

	"strata/lineage"
	"strata/spdk"
)

// Limits are what users of a bdev get at most; 0 is no limit.
type Limits struct {
	IOPS              int64 // reads and writes a second
	Read, Write, Both int64 // bytes a second
}

// LimitsOf are those of a RAID or lvol, by any of its names.
func (n *Node) LimitsOf(bdev string) Limits { return n.Limits[n.limited(bdev)] }

// SetLimits has a bdev have other limits.
func (n *Node) SetLimits(bdev string, l Limits) {
	key := n.limited(bdev)
	switch {
	case l == Limits{}:
		delete(n.Limits, key)
		return
	case n.Limits == nil:
		n.Limits = map[string]Limits{}
	}
	n.Limits[key] = l
}

func (n *Node) limited(bdev string) string { return cmp.Or(string(n.Backing(bdev)), bdev) }

// readLimits takes note of a bdev's limits, but for those of what is being copied to.
func (n *Node) readLimits(b *spdk.Bdev) {
	if b.Limits == (spdk.Limits{}) || slices.ContainsFunc(b.Aliases, isStaging) {
		return
	}
	const mib = 1 << 20
	key := b.UUID
	if b.Driver.Raid != nil || b.Driver.Crypto != nil {
		key = b.Name
	}
	n.SetLimits(key, Limits{int64(b.Limits.IOPS), int64(b.Limits.RMBps) * mib, int64(b.Limits.WMBps) * mib, int64(b.Limits.MBps) * mib})
}

func isStaging(alias string) bool {
	_, name, _ := cutLast(alias, "/")
	parsed, _ := lineage.Parse(lineage.LvolName(name))
	_, is := parsed.(lineage.Staging)
	return is
}
