package graph

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"strata/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestGolden draws the plan that is in testdata in every form. Look at the
// pictures when they change.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	var o plan.Outline
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(io.Writer) error{
		"plan.svg": Plan(&o, false).SVG, "plan-steps.svg": Plan(&o, true).SVG,
		"plan.dot": Plan(&o, false).DOT, "plan.mmd": Plan(&o, false).Mermaid,
	} {
		var got strings.Builder
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != got.String() {
			t.Errorf("%s (%v):\n%s", name, err, got.String())
		}
	}
}

// TestLayout: whatever a graph is like, nothing is on top of anything else,
// what is in a group is in its frame, and the order is no worse than the first.
func TestLayout(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	better := 0
	for range 400 {
		b := random(r)
		l := arrange(b)
		if why := wrong(l, len(b.Boxes)); why != "" {
			t.Fatalf("%s\n%+v", why, *b)
		}
		before := items(b)
		before.order(b.Groups, 0)
		if n := before.crossings(); l.crossings() > n {
			t.Fatalf("%d lines cross, and %d before they were ordered", l.crossings(), n)
		} else if l.crossings() < n {
			better++
		}
	}
	if better < 100 {
		t.Errorf("only %d of 400 became better", better)
	}
}

func wrong(l *layout, boxes int) string {
	n := 0
	for c, column := range l.columns {
		for i, it := range column {
			if it.box != nil {
				n++
			}
			if it.column != c || it.x < -0.01 || it.x+it.w > l.width+0.01 || it.top() < -0.01 || it.bottom() > l.height+0.01 {
				return fmt.Sprintf("%v is outside", it.box)
			}
			if i > 0 && it.top() < column[i-1].bottom()-0.01 {
				return fmt.Sprintf("%v is on top of %v", it.box, column[i-1].box)
			}
			if c > 0 && len(l.columns[c-1]) > 0 && it.x < l.columns[c-1][0].x+l.columns[c-1][0].w+columnGap-0.01 {
				return fmt.Sprintf("%v has no room for lines before it", it.box)
			}
		}
	}
	for i, f := range l.frames {
		for _, it := range l.by {
			inside := it.x >= f.x && it.x+it.w <= f.x+f.w && it.top() >= f.y+headHeight && it.bottom() <= f.y+f.h
			outside := it.x+it.w <= f.x || it.x >= f.x+f.w || it.bottom() <= f.y || it.top() >= f.y+f.h
			member := len(it.groups) > f.depth && it.groups[f.depth] == f.group
			if member && !inside || !member && !outside {
				return fmt.Sprintf("%v and the frame of %v", it.box, f.group)
			}
		}
		for _, g := range l.frames[:i] {
			if g.depth == f.depth && g.x < f.x+f.w && f.x < g.x+g.w && g.y < f.y+f.h-0.01 && f.y < g.y+g.h-0.01 {
				return fmt.Sprintf("the frames of %v and %v", f.group, g.group)
			}
		}
	}
	if n != boxes {
		return fmt.Sprintf("%d of %d boxes", n, boxes)
	}
	return ""
}

// random is a band with groups in the first and the last of its columns.
func random(r *rand.Rand) *Band {
	b := &Band{}
	columns := 1 + r.IntN(4)
	for c := range columns {
		groups := []string{""}
		if c == 0 || c == columns-1 {
			for g := range r.IntN(4) {
				id := fmt.Sprintf("g%d.%d", c, g)
				b.Groups = append(b.Groups, &Group{ID: id, Title: strings.Repeat("t", r.IntN(40))})
				groups = append(groups, id)
				if r.IntN(2) == 0 {
					b.Groups = append(b.Groups, &Group{ID: id + ".in", In: id, Title: "inner"})
					groups = append(groups, id+".in")
				}
			}
		}
		for i := range 1 + r.IntN(60)*r.IntN(2) {
			b.Boxes = append(b.Boxes, &Box{
				ID: fmt.Sprintf("b%d.%d", c, i), Column: c, In: groups[r.IntN(len(groups))],
				Title: strings.Repeat("ä", r.IntN(90)), Text: make([]string, r.IntN(4)),
			})
		}
	}
	for range r.IntN(80) {
		from, to := b.Boxes[r.IntN(len(b.Boxes))], b.Boxes[r.IntN(len(b.Boxes))]
		if from.Column < to.Column {
			b.Lines = append(b.Lines, Line{From: from.ID, To: to.ID, Level: r.IntN(2) == 0})
		}
	}
	return b
}

// TestForms: the same graph gives the same bytes each time, and what stands in
// boxes cannot break the form.
func TestForms(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	b := random(r)
	nasty := "<b>&\"'`#;]]> \\ \n%{}|[x](y) end -->"
	b.Boxes[0].Title, b.Boxes[0].Text = nasty, []string{nasty}
	g := &Graph{Title: nasty, Bands: []Band{*b, {Title: nasty, Boxes: b.Boxes}}, Legend: []Key{{Good, nasty}}}
	for name, write := range map[string]func(io.Writer) error{"svg": g.SVG, "dot": g.DOT, "mermaid": g.Mermaid} {
		var first, again strings.Builder
		if write(&first) != nil || write(&again) != nil || first.String() != again.String() {
			t.Errorf("%s differs each time", name)
		}
		switch text := first.String(); name {
		case "svg":
			for d := xml.NewDecoder(strings.NewReader(text)); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		case "dot":
			if n := strings.Count(strings.ReplaceAll(strings.ReplaceAll(text, `\\`, ""), `\"`, ""), `"`); n%2 != 0 {
				t.Errorf("%d quotation marks:\n%s", n, text)
			}
		case "mermaid":
			if _, text, _ = strings.Cut(text, "flowchart LR"); strings.Contains(text, "<b>") || strings.Contains(text, "`") {
				t.Errorf("mermaid:\n%s", text)
			}
		}
	}
}
