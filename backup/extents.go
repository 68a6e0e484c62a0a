package backup

import (
	"cmp"
	"slices"
)

// extents are stretches of a disk in order, each where it begins and how long it is, in grains.
// They do not touch.
type extents [][2]int64

// maxExtents is how many are kept at most: some hundred KiB.
const maxExtents = 1 << 15

// extentsOf are those of which bits are set; where they are more than can be kept, with what is
// between them (few).
func extentsOf(bits []uint64) (all extents) {
	for i, word := range bits {
		if word == 0 {
			continue
		}
		for b := range 64 {
			if word&(1<<b) != 0 {
				all = all.add(int64(i)*64+int64(b), 1)
			}
		}
		if len(all) > 2*maxExtents {
			all = all.few(maxExtents)
		}
	}
	return all
}

// add adds one that begins no earlier than the last.
func (e extents) add(first, n int64) extents {
	if last := len(e) - 1; last >= 0 && first <= e[last][0]+e[last][1] {
		e[last][1] = max(e[last][1], first+n-e[last][0])
		return e
	}
	return append(e, [2]int64{first, n})
}

// with are these and others.
func (e extents) with(others extents) (all extents) {
	both := slices.Concat(e, others)
	slices.SortFunc(both, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	for _, x := range both {
		all = all.add(x[0], x[1])
	}
	return all
}

// without are these where others are not.
func (e extents) without(others extents) (left extents) {
	next := 0 // of the others, the first that is not over
	for _, x := range e {
		at, end := x[0], x[0]+x[1]
		for next < len(others) && others[next][0]+others[next][1] <= at {
			next++
		}
		for _, o := range others[next:] {
			if o[0] >= end {
				break
			}
			if o[0] > at {
				left = left.add(at, o[0]-at)
			}
			at = o[0] + o[1]
		}
		if at < end {
			left = left.add(at, end-at)
		}
	}
	return left
}

// few are at most that many, with what is between those that are closest.
func (e extents) few(most int) extents {
	for gap := int64(1); len(e) > most; gap *= 2 {
		var all extents
		for _, x := range e {
			if last := len(all) - 1; last >= 0 && x[0]-all[last][0]-all[last][1] <= gap {
				all[last][1] = x[0] + x[1] - all[last][0]
				continue
			}
			all = append(all, x)
		}
		e = all
	}
	return e
}
