package graph

import (
	"cmp"
	"slices"
)

// sweeps is how often the columns are ordered by their neighbours.
const sweeps = 12

// order orders every column so that few lines cross: again and again by the
// mean position of what an item is joined to, first by the column before, then by
// the one behind. The best order that was met is kept.
func (l *layout) order(groups []*Group, sweeps int) {
	rank := map[*Group]int{}
	for i, g := range groups {
		rank[g] = i
	}
	for _, column := range l.columns {
		number(column)
		arrangeBy(column, func(it *item) float64 { return float64(it.order) }, rank)
		number(column)
	}
	best, fewest := l.snapshot(), l.crossings()
	for i := range sweeps {
		for c := range l.columns {
			column, beside := l.columns[c], (*item).lefts
			if i%2 == 1 {
				column, beside = l.columns[len(l.columns)-1-c], (*item).rights
			}
			arrangeBy(column, func(it *item) float64 { return mean(it, beside(it)) }, rank)
			number(column)
		}
		if n := l.crossings(); n < fewest {
			best, fewest = l.snapshot(), n
		}
	}
	for c, column := range best {
		l.columns[c] = column
		number(column)
	}
}

func (it *item) lefts() []side  { return it.left }
func (it *item) rights() []side { return it.right }

// mean is the mean position of the neighbours; without any the item stays.
func mean(it *item, beside []side) float64 {
	if len(beside) == 0 {
		return float64(it.order)
	}
	sum, weights := 0.0, 0.0
	for _, n := range beside {
		sum += n.weight * float64(n.order)
		weights += n.weight
	}
	return sum / weights
}

func number(column []*item) {
	for i, it := range column {
		it.order = i
	}
}

func (l *layout) snapshot() [][]*item {
	var all [][]*item
	for _, column := range l.columns {
		all = append(all, slices.Clone(column))
	}
	return all
}

// arrangeBy sorts a column by a key. Groups stay together, and in their order;
// they stand before what is in no group.
func arrangeBy(column []*item, key func(*item) float64, rank map[*Group]int) {
	keys := map[*item]float64{}
	for _, it := range column {
		keys[it] = key(it)
	}
	at := func(it *item, depth int) (group bool, where int) {
		if depth < len(it.groups) {
			return true, rank[it.groups[depth]]
		}
		return false, len(rank)
	}
	slices.SortStableFunc(column, func(a, b *item) int {
		for depth := 0; ; depth++ {
			ga, wa := at(a, depth)
			gb, wb := at(b, depth)
			if wa != wb {
				return cmp.Compare(wa, wb)
			}
			if !ga && !gb {
				return cmp.Compare(keys[a], keys[b])
			}
		}
	})
}

// crossings counts how often lines between neighbouring columns cross.
func (l *layout) crossings() int {
	n := 0
	for c := 0; c+1 < len(l.columns); c++ {
		// Lines by their left end; each crosses those before it that end further down.
		tree := make([]int, len(l.columns[c+1])+1)
		seen := 0
		for _, it := range l.columns[c] {
			for _, to := range it.right {
				below := seen
				for i := to.order + 1; i > 0; i -= i & -i {
					below -= tree[i]
				}
				n += below
			}
			for _, to := range it.right {
				seen++
				for i := to.order + 1; i < len(tree); i += i & -i {
					tree[i]++
				}
			}
		}
	}
	return n
}
