package graph

import (
	"cmp"
	"slices"
)

// ports finds where lines leave and reach boxes: spread over the side, in the
// order of their other ends.
func (l *layout) ports() {
	out, in := map[*item][]*path{}, map[*item][]*path{}
	for i := range l.paths {
		p := &l.paths[i]
		first, last := p.items[0], p.items[len(p.items)-1]
		out[first], in[last] = append(out[first], p), append(in[last], p)
	}
	for it, paths := range out {
		spread(it, paths, func(p *path) float64 { return p.items[1].y }, func(p *path, y float64) { p.out = y })
	}
	for it, paths := range in {
		spread(it, paths, func(p *path) float64 { return p.items[len(p.items)-2].y }, func(p *path, y float64) { p.in = y })
	}
}

// spread gives every path a height of its own on one side of an item.
func spread(it *item, paths []*path, other func(*path) float64, set func(*path, float64)) {
	slices.SortStableFunc(paths, func(a, b *path) int { return cmp.Compare(other(a), other(b)) })
	room := it.h - 2*padding
	for i, p := range paths {
		set(p, it.y+room*((float64(i)+1)/float64(len(paths)+1)-0.5))
	}
}
