package recipe

import (
	"maps"
	"slices"

	"strata/lineage"
	"strata/schema"
)

// A mirror takes only legs with blocks of one size (bdev_raid_create answers
// -22 otherwise), so the replicas of a volume are on pools of one block size.

// fits reports whether replicas with blocks of that size can be in the pool. An
// NVMe disk that is not attached yet has a size that nobody knows.
func (p *pool) fits(block int64) bool { return block == 0 || p.block == 0 || p.block == block }

// blockSizes are those of the pools, as far as they are known, sorted.
func (b *builder) blockSizes() []int64 {
	sizes := map[int64]bool{}
	for _, pools := range b.ground.pools {
		for _, p := range pools {
			if p.block != 0 {
				sizes[p.block] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(sizes))
}

// commonBlock is the block size that gives a volume enough places and, where
// several do, has the best of them; where none does, the one with the most. It
// is 0 where pools do not differ.
func (b *builder) commonBlock(v *schema.Volume, held map[lineage.Place]stick, base lineage.LvolName, need int64) (block int64) {
	if len(b.ground.blocks) < 2 {
		return 0
	}
	var best candidate
	places := 0
	for _, size := range b.ground.blocks {
		open, _ := b.candidates(v, held, size, base, need)
		if len(open) == 0 {
			continue
		}
		first := slices.MinFunc(open, func(x, y candidate) int { return x.compare(y, nil) })
		n := min(len(open), v.Replicas.Count)
		if n > places || n == places && n == v.Replicas.Count && first.compare(best, nil) < 0 {
			best, places, block = first, n, size
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
		if size := s.b.w.Nodes[l.Node].BlockSize(l.Head.Lvol.Lvstore); size != 0 {
			return size
		}
	}
	return 0
}
