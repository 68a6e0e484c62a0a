package state

import (
	"cmp"

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

// limits takes note of a bdev's limits, but for those of what is being copied to.
func (a *answers) limits(n *Node, b *spdk.Bdev) {
	if b.Limits == (spdk.Limits{}) {
		return
	}
	for _, alias := range b.Aliases {
		if _, name, ok := cutLast(alias, "/"); ok {
			if parsed, _ := lineage.Parse(lineage.LvolName(name)); parsed != nil {
				if _, staging := parsed.(lineage.Staging); staging {
					return
				}
			}
		}
	}
	const mib = 1 << 20
	key := b.UUID
	if b.Driver.Raid != nil {
		key = b.Name
	}
	if n.Limits == nil {
		n.Limits = map[string]Limits{}
	}
	n.Limits[key] = Limits{int64(b.Limits.IOPS), int64(b.Limits.RMBps) * mib, int64(b.Limits.WMBps) * mib, int64(b.Limits.MBps) * mib}
}
