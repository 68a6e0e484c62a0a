package graph

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Mermaid writes the graph as a Mermaid flowchart, which merge requests and wikis show.
func (g *Graph) Mermaid(w io.Writer) error {
	m := &writer{}
	m.line(0, "---")
	m.line(0, "title: %s", mermaidTitle(g.Title))
	m.line(0, "---")
	m.line(0, "flowchart LR")
	ids := map[string]string{} // Mermaid has ids of letters and digits
	id := func(kind, name string) string {
		if ids[kind+name] == "" {
			ids[kind+name] = fmt.Sprintf("%s%d", kind, len(ids)+1)
		}
		return ids[kind+name]
	}
	toned := map[Tone][]string{}
	var lines []Tone
	for i := range g.Bands {
		b := &g.Bands[i]
		depth := 1
		if b.Title != "" {
			m.line(1, "subgraph %s[%s]", id("p", fmt.Sprint(i)), mermaid(b.Title))
			depth = 2
		}
		b.nest("", func(box *Box, in int) {
			name := id("b", b.id(i, box.ID))
			m.line(depth+in, "%s[%s]", name, mermaid(strings.Join(text(box), "\n")))
			if box.Tone != Plain {
				toned[box.Tone] = append(toned[box.Tone], name)
			}
		}, func(group *Group, in int) {
			m.line(depth+in, "subgraph %s[%s]", id("g", b.id(i, group.ID)), mermaid(group.Title))
		}, func(in int) { m.line(depth+in, "end") }, 0)
		if b.Title != "" {
			m.line(1, "end")
		}
		arrow := map[bool]string{true: "-->", false: "---"}[g.Directed]
		for _, l := range b.Lines {
			m.line(1, "%s %s %s", id("b", b.id(i, l.From)), arrow, id("b", b.id(i, l.To)))
			lines = append(lines, l.Tone)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(toned)) {
		m.line(1, "classDef %s stroke:%s,stroke-width:2px", t, colours[t])
		m.line(1, "class %s %s", strings.Join(toned[t], ","), t)
	}
	for _, t := range []Tone{Good, Info, Worry, Bad} {
		var numbers []string
		for i, l := range lines {
			if l == t {
				numbers = append(numbers, fmt.Sprint(i))
			}
		}
		if len(numbers) > 0 {
			m.line(1, "linkStyle %s stroke:%s", strings.Join(numbers, ","), colours[t])
		}
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// mermaid makes a text of Mermaid, in which entities stand for what has a meaning.
func mermaid(s string) string {
	return `"` + strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", "\n", "<br/>").Replace(s) + `"`
}

// mermaidTitle makes a string of YAML.
func mermaidTitle(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}
