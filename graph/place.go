package graph

// rounds is how often the columns are moved towards their neighbours on both sides.
const rounds = 16

// place finds where the items are: columns are as wide as they have to be, and
// every item is as near as can be to the middle of those it is joined to.
func (l *layout) place() {
	x := 0.0
	for c, column := range l.columns {
		deepest, width := 0, 0.0
		for _, it := range column {
			deepest = max(deepest, len(it.groups))
			width = max(width, it.w)
		}
		for _, it := range column {
			for i, g := range it.groups {
				// A frame is wider than what is in it by its padding on both sides.
				width = max(width, titleWidth(g)-float64(2*(deepest-1-i))*padding)
			}
		}
		for _, it := range column {
			it.w = width
			it.x = x + float64(deepest)*padding
		}
		width += float64(2*deepest) * padding
		x += width
		if c+1 < len(l.columns) {
			x += columnGap
		}
	}
	l.width = x
	l.heights()
	lowest, highest := 0.0, 0.0
	for i, column := range l.columns {
		for j, it := range column {
			top := it.top() - above(len(it.groups))
			bottom := it.bottom() + float64(len(it.groups))*padding
			if i+j == 0 || top < lowest {
				lowest = top
			}
			if i+j == 0 || bottom > highest {
				highest = bottom
			}
		}
	}
	for _, column := range l.columns {
		for _, it := range column {
			it.y -= lowest
		}
	}
	l.height = highest - lowest
}

// heights finds the height of every item. The column that needs most room is
// stacked, those beside it follow it one after another, and then all give way
// to one another.
func (l *layout) heights() {
	tallest, most := 0, -1.0
	for c, column := range l.columns {
		l.settle(column, nil)
		if n := len(column); n > 0 && column[n-1].y > most {
			tallest, most = c, column[n-1].y
		}
	}
	for c := tallest - 1; c >= 0; c-- {
		l.settle(l.columns[c], func(it *item) (float64, float64) { return middle(it, it.right) })
	}
	for c := tallest + 1; c < len(l.columns); c++ {
		l.settle(l.columns[c], func(it *item) (float64, float64) { return middle(it, it.left) })
	}
	for i := range rounds {
		for c := range l.columns {
			column := l.columns[c]
			if i%2 == 0 {
				column = l.columns[len(l.columns)-1-c]
			}
			l.settle(column, func(it *item) (float64, float64) { return middle(it, it.left, it.right) })
		}
	}
}

// titleWidth is the room that a group's title takes within its frame.
func titleWidth(g *Group) float64 { return float64(len([]rune(g.Title))) * charWidth * boldness }

// above is the room that n frames take above what they begin with.
func above(n int) float64 { return float64(n) * (padding + headHeight) }

// middle is where an item would like to be, beside its neighbours, and how much.
func middle(it *item, beside ...[]side) (y, weight float64) {
	const little = 0.001 // where nobody cares
	sum, weight := it.y*little, little
	for _, sides := range beside {
		for _, n := range sides {
			sum += n.weight * n.y
			weight += n.weight
		}
	}
	return sum / weight, weight
}

// settle places the items of a column in their order, with the distances that
// they need, as near as possible to where they would like to be (least squares:
// neighbours that want the same room share the loss). With nil they are stacked.
func (l *layout) settle(column []*item, want func(*item) (y, weight float64)) {
	if len(column) == 0 {
		return
	}
	offsets := make([]float64, len(column)) // of an item from the first, at least
	for i := 1; i < len(column); i++ {
		offsets[i] = offsets[i-1] + l.distance(column[i-1], column[i])
	}
	if want == nil {
		for i, it := range column {
			it.y = offsets[i]
		}
		return
	}
	type block struct {
		sum, weight float64
		n           int
	}
	var blocks []block
	for i, it := range column {
		y, weight := want(it)
		blocks = append(blocks, block{(y - offsets[i]) * weight, weight, 1})
		for k := len(blocks) - 1; k > 0; k-- {
			a, b := blocks[k-1], blocks[k]
			if b.sum/b.weight >= a.sum/a.weight {
				break
			}
			blocks = append(blocks[:k-1], block{a.sum + b.sum, a.weight + b.weight, a.n + b.n})
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			column[i].y = b.sum/b.weight + offsets[i]
			i++
		}
	}
}

// distance is how far apart the middles of two neighbours are at least: there
// has to be room for the frames that end and begin between them.
func (l *layout) distance(a, b *item) float64 {
	common := 0
	for common < len(a.groups) && common < len(b.groups) && a.groups[common] == b.groups[common] {
		common++
	}
	ends, begins := len(a.groups)-common, len(b.groups)-common
	between := l.gap
	if a.box == nil && b.box == nil {
		between = l.gap / 2
	}
	return a.h/2 + float64(ends)*padding + between + above(begins) + b.h/2
}

// frame finds where the groups are.
func (l *layout) frame() {
	for _, column := range l.columns {
		deepest := 0
		for _, it := range column {
			deepest = max(deepest, len(it.groups))
		}
		for depth := range deepest {
			var last *Group
			for _, it := range column {
				if len(it.groups) <= depth {
					last = nil
					continue
				}
				inside := float64(deepest - depth)
				g := it.groups[depth]
				within := float64(len(it.groups) - depth)
				if g != last {
					l.frames = append(l.frames, frame{
						group: g, depth: depth,
						x: it.x - inside*padding, w: it.w + 2*inside*padding, y: it.top() - above(int(within)),
					})
					last = g
				}
				f := &l.frames[len(l.frames)-1]
				f.h = it.bottom() + within*padding - f.y
			}
		}
	}
}
