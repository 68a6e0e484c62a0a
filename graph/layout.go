package graph

import "strings"

// Measures of the picture, in pixels.
const (
	charWidth  = 7.3  // of the text, 12 pixels high and of fixed width
	boldness   = 1.02 // bold text is that much wider in some fonts
	lineHeight = 16.0
	padding    = 9.0 // between a box and its text, a group and what is in it
	gap        = 12.0
	headHeight = 22.0  // of a group's title
	columnGap  = 84.0  // for lines
	margin     = 24.0  // around everything
	bandGap    = 34.0  // between bands
	longest    = 60    // characters of a line of a box
	widest     = 110   // of a wide one
	minWidth   = 120.0 // of a box
	tallest    = 40    // boxes of a column, beyond which each has one line
	denseGap   = 5.0   // between boxes then

	levelWeight = 200 // how much more a level line counts
)

// separator stands between what would be lines of a box that has only one.
const separator = " · "

// layout has where everything of a band is.
type layout struct {
	columns [][]*item
	by      map[string]*item // boxes, by id
	frames  []frame
	paths   []path
	dense   bool    // boxes have one line
	gap     float64 // between boxes
	width   float64
	height  float64
}

// item is a box, or the place where a line passes a column.
type item struct {
	box    *Box // nil for a passing line
	column int
	groups []*Group // the groups that it is in, outermost first
	order  int
	lines  []string // of text, the title first
	x, y   float64  // of the middle of the left side
	w, h   float64
	left   []side // neighbours in the columns beside it
	right  []side
}

// side is a neighbour, and how much it counts.
type side struct {
	*item
	weight float64
}

func (it *item) top() float64    { return it.y - it.h/2 }
func (it *item) bottom() float64 { return it.y + it.h/2 }

// frame is where a group is.
type frame struct {
	group      *Group
	depth      int
	x, y, w, h float64
}

// path is where a line is: the items it goes through.
type path struct {
	// out and in are where it leaves the first item and reaches the last.
	out, in float64
	line    Line
	items   []*item
}

// arrange lays a band out: columns beside one another, boxes ordered so that
// few lines cross, and as high as what they are joined to.
func arrange(b *Band) *layout {
	l := items(b)
	l.order(b.Groups, sweeps)
	l.place()
	l.frame()
	return l
}

// items makes the items of a band, in the order of its boxes.
func items(b *Band) *layout {
	l := &layout{by: map[string]*item{}, gap: gap, dense: dense(b)}
	if l.dense {
		l.gap = denseGap
	}
	groups := map[string]*Group{}
	for _, g := range b.Groups {
		groups[g.ID] = g
	}
	for _, box := range b.Boxes {
		it := &item{box: box, column: box.Column, lines: text(box), groups: ancestors(groups, box.In)}
		if l.dense {
			it.lines = []string{cut(strings.Join(it.lines, separator), longest)}
		}
		for _, line := range it.lines {
			it.w = max(it.w, float64(len([]rune(line)))*charWidth)
		}
		it.w = max(minWidth, it.w+2*padding)
		it.h = float64(len(it.lines))*lineHeight + 2*padding - 2
		l.add(it)
		l.by[box.ID] = it
	}
	for _, line := range b.Lines {
		from, to := l.by[line.From], l.by[line.To]
		if from == nil || to == nil || from.column >= to.column {
			continue
		}
		p := path{line: line, items: []*item{from}}
		for c := from.column + 1; c < to.column; c++ {
			pass := &item{column: c}
			l.add(pass)
			p.items = append(p.items, pass)
		}
		p.items = append(p.items, to)
		for i := 1; i < len(p.items); i++ {
			a, b := p.items[i-1], p.items[i]
			weight := 1.0
			if line.Level {
				weight = levelWeight
			}
			a.right, b.left = append(a.right, side{b, weight}), append(b.left, side{a, weight})
		}
		l.paths = append(l.paths, p)
	}
	return l
}

func (l *layout) add(it *item) {
	for len(l.columns) <= it.column {
		l.columns = append(l.columns, nil)
	}
	l.columns[it.column] = append(l.columns[it.column], it)
}

// ancestors are a group and those it is in, outermost first.
func ancestors(groups map[string]*Group, id string) []*Group {
	var all []*Group
	for g := groups[id]; g != nil; g = groups[g.In] {
		all = append([]*Group{g}, all...)
	}
	return all
}

// text is what stands in a box. Lines that are too long end in "…".
func text(b *Box) []string {
	limit := longest
	if b.Wide {
		limit = widest
	}
	lines := append([]string{b.Title}, b.Text...)
	for i, line := range lines {
		lines[i] = cut(strings.ReplaceAll(line, "\n", " "), limit)
	}
	return lines
}

// cut ends what is too long in "…".
func cut(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

// dense reports whether a column has so many boxes that each has to be small.
func dense(b *Band) bool {
	n := map[int]int{}
	for _, box := range b.Boxes {
		if n[box.Column]++; n[box.Column] > tallest {
			return true
		}
	}
	return false
}

// wrap breaks a sentence into lines.
func wrap(s string) []string {
	const width = 42
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
