package plan

import (
	"strata/lineage"
	"strata/schema"
)

// A mirror takes only legs with blocks of one size (bdev_raid_create answers
// -22 otherwise), so the replicas of a volume are on pools of one block size.

// fits reports whether replicas with blocks of that size can be in the pool. An
// NVMe disk that is not attached yet has a size that nobody knows.
func (p *pool) fits(block int64) bool { return block == 0 || p.block == 0 || p.block == block }

// isMixed reports whether pools differ in the size of their blocks.
func (b *builder) isMixed() bool {
	var first int64
	for _, pools := range b.pools {
		for _, p := range pools {
			if first == 0 {
				first = p.block
			}
			if !p.fits(first) {
				return true
			}
		}
	}
	return false
}

// commonBlock is the block size that gives a volume enough places and, where
// several do, has the best of them; where none does, the one with the most.
func (b *builder) commonBlock(v *schema.Volume, held map[lineage.Node]stick) (block int64) {
	sizes := map[int64]bool{}
	for _, pools := range b.pools {
		for _, p := range pools {
			sizes[p.block] = true
		}
	}
	var best *candidate
	places := 0
	for _, size := range sortedKeys(sizes) {
		if size == 0 {
			continue
		}
		open, _ := b.candidates(v, held, size)
		for i := range open {
			enough, had := len(open) >= v.Replicas.Count, places >= v.Replicas.Count
			switch {
			case best == nil, enough && !had, !enough && !had && len(open) > places,
				enough == had && enough && open[i].compare(*best, nil) < 0:
				best, places, block = &open[i], len(open), size
			}
		}
	}
	return block
}

// blockSize is that of the replicas a volume has; 0 when none is known.
func (s *subject) blockSize() int64 {
	for _, l := range s.Legs {
		if l.Head == nil {
			continue
		}
		at := s.b.w.Nodes[l.Node]
		lvs := at.Lvstores[l.Head.Lvol.Lvstore]
		if lvs == nil || at.Disks[lvs.Base] == nil {
			continue
		}
		if size := at.Disks[lvs.Base].BlockSize; size != 0 {
			return size
		}
	}
	return 0
}
