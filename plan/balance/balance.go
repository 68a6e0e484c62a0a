// Package balance finds out which replicas have to be elsewhere so that pools are about
// equally full, by moving few bytes, and which engines, so that nodes serve about as many
// volumes. It takes numbers and gives numbers: it knows nothing of nodes' targets, makes
// no plan, and the same input gives the same answer.
package balance

import (
	"cmp"
	"slices"
)

// Pool is a place for replicas.
type Pool struct {
	Node string // no two replicas of a volume are on one
	Size int64  // bytes
	// Used is the bytes that are used, of what stays: what an interrupted move left is
	// not among them.
	Used int64
	// Spare is the bytes that are used beside these until that is gone.
	Spare int64
	// Promised is the bytes that are used once every lvol there is written whole, and
	// Limit what may be promised at most; 0: nobody has said.
	Promised, Limit int64
}

// Volume is what has replicas in pools, which are told by their indices.
type Volume struct {
	Need     int64 // bytes that a replica is promised
	Replicas []Replica
	May      []int         // pools in which a replica may be, ascending
	Begun    map[int]int64 // where an earlier run has begun to move one: the bytes that are there
	Domain   []string      // failure domains of the pools; nil: each is one of its own
	Once     bool          // no more than one of its replicas moves
}

// Replica is one of a volume's.
type Replica struct {
	Pool  int
	Bytes int64
	Stays bool // it is not to move
	Last  bool // it moves only if no other of as many bytes does as well
}

// Move is a replica that is to be in another pool.
type Move struct {
	Volume, Replica int // indices
	From, To        int // pools
	Bytes           int64
	Copied          int64 // of these, which are not there yet
}

// Band is how full a pool is to be, in bytes.
type Band struct{ Least, Most int64 }

// Outside is by how many bytes a pool that is so full is outside of it.
func (b Band) Outside(used int64) int64 { return max(b.Least-used, used-b.Most, 0) }

// Bands are how full each pool is to be: within so much of how full all those are together
// between which replicas may be, 0.1 being ten hundredths of the size.
func Bands(pools []Pool, volumes []Volume, within float64) []Band {
	of := kin(pools, volumes)
	size, used := map[int]int64{}, map[int]int64{}
	for i, p := range pools {
		size[of[i]] += p.Size
		used[of[i]] += p.Used
	}
	all := make([]Band, len(pools))
	for i, p := range pools {
		mean := 0.0
		if size[of[i]] > 0 {
			mean = float64(used[of[i]]) / float64(size[of[i]])
		}
		all[i] = Band{max(0, int64((mean-within)*float64(p.Size))), min(p.Size, int64((mean+within)*float64(p.Size)))}
	}
	return all
}

// kin tells for each pool by the least index which others replicas can get to from there.
func kin(pools []Pool, volumes []Volume) []int {
	of := make([]int, len(pools))
	for i := range of {
		of[i] = i
	}
	root := func(i int) int {
		for of[i] != i {
			of[i] = of[of[i]]
			i = of[i]
		}
		return i
	}
	join := func(a, b int) {
		a, b = root(a), root(b)
		of[max(a, b)] = min(a, b)
	}
	type seen struct {
		may  list
		pool int
	}
	joined := map[seen]bool{}
	for i := range volumes {
		v := &volumes[i]
		for _, r := range v.Replicas {
			if joined[seen{listOf(v.May), r.Pool}] {
				continue
			}
			joined[seen{listOf(v.May), r.Pool}] = true
			for _, q := range v.May {
				join(r.Pool, q)
			}
		}
	}
	for i := range of {
		of[i] = root(i)
	}
	return of
}

// Moves are those that bring every pool into its band, as far as moves are found that do.
// They are few bytes, which is not to say the fewest: where there are few replicas all ways
// are gone through, elsewhere see greedy. What an earlier run has begun is gone on with where
// it helps.
func Moves(pools []Pool, volumes []Volume, within float64) []Move {
	bands := Bands(pools, volumes, within)
	all := improve(pools, volumes, bands, greedy(pools, volumes, bands))
	slices.SortFunc(all, func(a, b Move) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Replica, b.Replica))
	})
	return all
}

// greedy relieves pools one after another by single moves, or by two. It goes about it in two
// ways, on each of those in which it can go on with what was begun; what comes of it is made
// cheaper as long as a move can be left out or exchanged for a cheaper one, and the best is taken.
func greedy(pools []Pool, volumes []Volume, bands []Band) (best *solver) {
	for _, w := range newSolver(pools, volumes, bands).ways() {
		for _, pick := range []func(all []candidate, lacks int64) *candidate{fill, cover} {
			s := newSolver(pools, volumes, bands)
			s.goOn(w)
			s.settle(pick)
			if s.cost() > nearly(least(pools, bands)) {
				s.cheapen()
			} else {
				s.drop()
			}
			if best == nil || s.better(best) {
				best = s
			}
		}
	}
	best.moves = slices.DeleteFunc(best.moves, func(m Move) bool { return m.From == m.To }) // forgotten
	return best
}

// better reports whether less is outside of bands, or as much by fewer bytes, or by fewer
// moves.
func (s *solver) better(o *solver) bool {
	return cmp.Or(cmp.Compare(s.outside(), o.outside()), cmp.Compare(s.cost(), o.cost()), cmp.Compare(s.count(), o.count())) < 0
}

// nearly is so little more that it is not worth looking for less.
func nearly(least int64) int64 { return least + least/100 }

// candidate is a move that may be made, and how much of what is outside of bands it brings in.
type candidate struct {
	Move
	gain int64
	last bool
}

// fill takes the largest that is not more than what a pool lacks, or has too many, so
// that little is moved in vain; where all are more, the smallest.
func fill(all []candidate, lacks int64) *candidate {
	return pick(all, func(a, b *candidate) bool {
		if aFits, bFits := a.Bytes <= lacks, b.Bytes <= lacks; aFits != bFits {
			return aFits
		} else if aFits {
			return a.before(b, b.Bytes-a.Bytes)
		}
		return a.before(b, a.Bytes-b.Bytes)
	})
}

// cover takes the smallest that is enough; where none is, the largest.
func cover(all []candidate, lacks int64) *candidate {
	return pick(all, func(a, b *candidate) bool {
		if aDoes, bDoes := a.Bytes >= lacks, b.Bytes >= lacks; aDoes != bDoes {
			return aDoes
		} else if aDoes {
			return a.before(b, a.Bytes-b.Bytes)
		}
		return a.before(b, b.Bytes-a.Bytes)
	})
}

// before reports whether a candidate is to be taken before another to which it compares so.
func (c *candidate) before(o *candidate, is int64) bool {
	return is < 0 || is == 0 && !c.last && o.last
}

// pick is the first of the best; nil of none.
func pick(all []candidate, better func(a, b *candidate) bool) (best *candidate) {
	for i := range all {
		if best == nil || better(&all[i], best) {
			best = &all[i]
		}
	}
	return best
}
