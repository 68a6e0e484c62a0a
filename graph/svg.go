package graph

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// style gives the tones their colours: dark ones where the reader's screen is.
// The picture has a ground of its own, so that it can be read anywhere.
const style = `
	svg { color-scheme: light dark }
	text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace; fill: #1f2328; white-space: pre }
	.title { font-size: 15px; font-weight: 600 }
	.head { font-weight: 600 }
	.soft { fill: #59636e }
	tspan.head { fill: #1f2328 }
	.ground { fill: #ffffff }
	.frame { fill: #818b98; fill-opacity: .08; stroke: #818b98; stroke-opacity: .45 }
	.box { fill: #f6f8fa; stroke: #818b98 }
	.box.good { fill: #e6f6ea; stroke: #1a7f37 }
	.box.info { fill: #e4f2ff; stroke: #0969da }
	.box.worry { fill: #fff5d2; stroke: #9a6700 }
	.box.bad { fill: #ffeae8; stroke: #cf222e }
	.line { fill: none; stroke: #6e7781; stroke-width: 1.5 }
	.line.good { stroke: #1a7f37 }
	.line.info { stroke: #0969da }
	.line.worry { stroke: #9a6700; stroke-dasharray: 6 4 }
	.line.bad { stroke: #cf222e; stroke-dasharray: 2 3 }
	.tip { fill: #6e7781 }
	@media (prefers-color-scheme: dark) {
		text { fill: #e6edf3 }
		.soft { fill: #9ea7b3 }
		tspan.head { fill: #e6edf3 }
		.ground { fill: #0d1117 }
		.box { fill: #1c2128; stroke: #768390 }
		.box.good { fill: #12291a; stroke: #3fb950 }
		.box.info { fill: #10243e; stroke: #58a6ff }
		.box.worry { fill: #2e2410; stroke: #d29922 }
		.box.bad { fill: #3a1618; stroke: #f85149 }
		.line { stroke: #9198a1 }
		.line.good { stroke: #3fb950 }
		.line.info { stroke: #58a6ff }
		.line.worry { stroke: #d29922 }
		.line.bad { stroke: #f85149 }
		.tip { fill: #9198a1 }
	}
`

// SVG writes the graph as a picture that needs nothing else to be shown.
func (g *Graph) SVG(w io.Writer) error {
	d := &drawing{directed: g.Directed}
	y := margin
	d.text(margin, y+12, "title", g.Title)
	width := float64(len([]rune(g.Title))) * charWidth * 15 / 12
	y += 38
	for i := range g.Bands {
		b := &g.Bands[i]
		l := arrange(b)
		if b.Title != "" {
			d.text(margin, y, "soft", b.Title)
			width = max(width, float64(len([]rune(b.Title)))*charWidth)
			y += 14
		}
		d.band(l, margin, y)
		width = max(width, l.width)
		y += l.height + bandGap
	}
	width = max(width, d.legend(g.Legend, y))
	if len(g.Legend) > 0 {
		y += 20
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img">`+"\n", px(width+2*margin), px(y))
	fmt.Fprintf(out, "<title>%s</title>\n<style>%s</style>\n", escape(g.Title), style)
	if g.Directed {
		out.WriteString(`<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	}
	out.WriteString(`<rect class="ground" width="100%" height="100%"/>` + "\n")
	out.WriteString(d.out.String())
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// drawing is what the picture consists of.
type drawing struct {
	out      strings.Builder
	directed bool
}

// band draws a band with its upper left corner at x and y: frames, then lines,
// then boxes.
func (d *drawing) band(l *layout, x, y float64) {
	for _, f := range l.frames {
		d.rect("frame", f.group.Tone, f.x+x, f.y+y, f.w, f.h)
		d.text(f.x+x+padding, f.y+y+headHeight-5, "soft head", f.group.Title)
	}
	l.ports()
	for _, p := range l.paths {
		d.path(p, x, y)
	}
	for _, column := range l.columns {
		for _, it := range column {
			if it.box != nil {
				d.box(it, x, y)
			}
		}
	}
}

func (d *drawing) box(it *item, x, y float64) {
	x, y = it.x+x, it.top()+y
	fmt.Fprintf(&d.out, "<g><title>%s</title>", escape(strings.Join(append([]string{it.box.Title}, it.box.Text...), "\n")))
	d.rect("box", it.box.Tone, x, y, it.w, it.h)
	for i, line := range it.lines {
		at := y + padding + lineHeight*float64(i) + 11
		if i > 0 {
			d.text(x+padding, at, "soft", line)
			continue
		}
		title, rest, one := strings.Cut(line, separator)
		if one {
			rest = separator + rest
		}
		fmt.Fprintf(&d.out, `<text class="soft" x="%s" y="%s"><tspan class="head">%s</tspan>%s</text>`+"\n", px(x+padding), px(at), escape(title), escape(rest))
	}
	d.out.WriteString("</g>\n")
}

func (d *drawing) rect(class string, tone Tone, x, y, w, h float64) {
	if tone != Plain {
		class += " " + string(tone)
	}
	fmt.Fprintf(&d.out, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="6"/>`+"\n", class, px(x), px(y), px(w), px(h))
}

func (d *drawing) text(x, y float64, class, text string) {
	fmt.Fprintf(&d.out, `<text class="%s" x="%s" y="%s">%s</text>`+"\n", class, px(x), px(y), escape(text))
}

// path draws a line through the items of a path, level where it passes them.
func (d *drawing) path(p path, x, y float64) {
	class := "line"
	if p.line.Tone != Plain {
		class += " " + string(p.line.Tone)
	}
	var b strings.Builder
	from := p.items[0]
	x1, y1 := from.x+from.w+x, p.out+y
	fmt.Fprintf(&b, "M%s %s", px(x1), px(y1))
	for i, to := range p.items[1:] {
		x2, y2 := to.x+x, to.y+y
		if i == len(p.items)-2 {
			y2 = p.in + y
		}
		bend := (x2 - x1) / 2
		fmt.Fprintf(&b, "C%s %s %s %s %s %s", px(x1+bend), px(y1), px(x2-bend), px(y2), px(x2), px(y2))
		if to.box == nil {
			fmt.Fprintf(&b, "H%s", px(x2+to.w))
		}
		x1, y1 = x2+to.w, y2
	}
	tip := ""
	if d.directed {
		tip = ` marker-end="url(#tip)"`
	}
	fmt.Fprintf(&d.out, `<path class="%s" d="%s"%s/>`+"\n", class, b.String(), tip)
}

// legend explains the tones in one line, and returns its width.
func (d *drawing) legend(keys []Key, y float64) float64 {
	x := margin
	for _, k := range keys {
		d.rect("box", k.Tone, x, y-10, 14, 14)
		d.text(x+20, y+1, "soft", k.Text)
		x += 20 + float64(len([]rune(k.Text)))*charWidth + 24
	}
	return x - margin
}

// px is a number of pixels, to a tenth.
func px(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Round(f*10)/10), ".0")
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
