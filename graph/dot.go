package graph

import (
	"fmt"
	"io"
	"strings"
)

// colours of the tones in DOT and Mermaid, which can be told from a light and
// from a dark ground.
var colours = map[Tone]string{Plain: "#818b98", Good: "#2da44e", Info: "#218bff", Worry: "#bf8700", Bad: "#e5534b"}

// DOT writes the graph for Graphviz.
func (g *Graph) DOT(w io.Writer) error {
	d := &writer{}
	d.line(0, "digraph strata {")
	d.line(1, `graph [label=%s, labelloc=t, rankdir=LR, fontname="monospace", fontsize=11];`, quote(g.Title))
	d.line(1, `node [shape=box, style=rounded, fontname="monospace", fontsize=10];`)
	d.line(1, `edge [fontname="monospace", fontsize=9%s];`, map[bool]string{false: ", dir=none"}[g.Directed])
	for i := range g.Bands {
		b := &g.Bands[i]
		depth := 1
		if b.Title != "" {
			d.line(1, "subgraph cluster_band%d {", i+1)
			d.line(2, "label=%s; color=%s;", quote(b.Title), quote(colours[Plain]))
			depth = 2
		}
		b.nest("", func(box *Box, in int) {
			d.line(depth+in, "%s [label=%s, color=%s];", quote(b.id(i, box.ID)), label(box), quote(colours[box.Tone]))
		}, func(group *Group, in int) {
			d.line(depth+in, "subgraph %s {", quote("cluster_"+group.ID))
			d.line(depth+in+1, "label=%s; color=%s;", quote(group.Title), quote(colours[group.Tone]))
		}, func(in int) { d.line(depth+in, "}") }, 0)
		for _, l := range b.Lines {
			dashed := ""
			if l.Tone == Worry || l.Tone == Bad {
				dashed = ", style=dashed"
			}
			d.line(depth, "%s -> %s [color=%s%s];", quote(b.id(i, l.From)), quote(b.id(i, l.To)), quote(colours[l.Tone]), dashed)
		}
		if b.Title != "" {
			d.line(1, "}")
		}
	}
	d.line(0, "}")
	_, err := io.WriteString(w, d.String())
	return err
}

// nest goes through the boxes and groups of a band as they are in one another.
func (b *Band) nest(in string, box func(*Box, int), begin func(*Group, int), end func(int), depth int) {
	for _, x := range b.Boxes {
		if x.In == in {
			box(x, depth)
		}
	}
	for _, g := range b.Groups {
		if g.In == in {
			begin(g, depth)
			b.nest(g.ID, box, begin, end, depth+1)
			end(depth)
		}
	}
}

// id is unique in the whole graph.
func (b *Band) id(band int, id string) string { return fmt.Sprintf("%d %s", band+1, id) }

type writer struct{ strings.Builder }

func (w *writer) line(depth int, format string, args ...any) {
	fmt.Fprintf(w, strings.Repeat("\t", depth)+format+"\n", args...)
}

func label(b *Box) string {
	return quote(strings.Join(text(b), "\n"))
}

// quote makes a string of DOT. What is on a line of its own stays so.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
