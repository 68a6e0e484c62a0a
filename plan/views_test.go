package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestViews shows the plans of some of the archives in testdata in the other
// forms: each file of testdata/views is named after one, and has "compact" and
// "markdown".
func TestViews(t *testing.T) {
	views, err := filepath.Glob("testdata/views/*.txtar")
	if err != nil || len(views) == 0 {
		t.Fatal("no views", err)
	}
	nodes, err := os.ReadFile("testdata/nodes.cue")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range views {
		name, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			o := outlineOf(t, filepath.Join(filepath.Dir(name), "..", filepath.Base(name)), string(nodes))
			var compact, markdown strings.Builder
			if err := o.Compact(&compact); err != nil {
				t.Fatal(err)
			}
			if err := o.Markdown(&markdown); err != nil {
				t.Fatal(err)
			}
			got := txtar.Format(&txtar.Archive{Files: []txtar.File{{Name: "compact", Data: []byte(compact.String())}, {Name: "markdown", Data: []byte(markdown.String())}}})
			if *update {
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want, err := os.ReadFile(name); err != nil || string(want) != string(got) {
				t.Errorf("got\n%s\nwant\n%s (%v)", got, want, err)
			}
		})
	}
}

func outlineOf(t *testing.T, archive, nodes string) *Outline {
	ar, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]string{}
	for _, f := range ar.Files {
		in[f.Name] = string(f.Data)
	}
	cfg := loadConfig(t, in["lab.cue"], nodes)
	snap, err := readWorld(cfg.Cluster, in["world"])
	if err != nil {
		t.Fatal(err)
	}
	remind(cfg, snap)
	p, err := Build(cfg, snap, options(string(ar.Comment)))
	if err != nil {
		t.Fatal(err)
	}
	return p.Outline(cfg.Cluster)
}

// TestMarkdownIsBounded: however long a plan is, the comment is not longer than
// the limit, closes what it opens, and says what it leaves out if and only if
// that is something.
func TestMarkdownIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	cut := 0
	for range 300 {
		o := randomOutline(r)
		limit := 1000 + r.IntN(20000)
		var b strings.Builder
		if err := o.markdown(&b, limit); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if n := utf8.RuneCountInString(text); n > limit {
			t.Fatalf("%d characters, not %d", n, limit)
		}
		if !strings.Contains(text, o.Summary) {
			t.Fatalf("without summary:\n%s", text)
		}
		if strings.Count(text, "<details>") != strings.Count(text, "</details>") || strings.Count(text, "```")%2 != 0 {
			t.Fatalf("not closed:\n%s", text)
		}
		all := true
		for _, pass := range o.Passes {
			for _, s := range pass.Sections {
				for _, stage := range s.Stages {
					for _, step := range stage {
						all = all && strings.Contains(text, fmt.Sprintf("%d. %-8s %s", step.Number, step.Node, step.Text))
					}
				}
			}
		}
		for _, rem := range append(o.Blocked, o.Notes...) {
			all = all && strings.Contains(text, rem.Text)
		}
		for _, v := range o.Violations {
			all = all && strings.Contains(text, v.Rule)
		}
		if said := strings.Contains(text, "not the whole plan"); said == all {
			t.Fatalf("everything is there: %v, and it says that something is left out: %v\n%s", all, said, text)
		}
		if !all {
			cut++
		}
	}
	if cut < 50 || cut > 250 {
		t.Errorf("%d of 300 were cut", cut)
	}
}

func randomOutline(r *rand.Rand) *Outline {
	word := func(n int) string { return strings.Repeat("ä", 1+r.IntN(n)) }
	o := &Outline{Cluster: "lab", Totals: Totals{Risks: map[Risk]int{}}}
	for range r.IntN(3) {
		var pass OutlinePass
		for range 1 + r.IntN(5) {
			s := OutlineSection{Key: "volume " + word(20)}
			for range 1 + r.IntN(20) {
				var stage []OutlineStep
				for range 1 + r.IntN(3) {
					o.Totals.Steps++
					risk := Risks[r.IntN(len(Risks))]
					o.Totals.Risks[risk]++
					stage = append(stage, OutlineStep{Number: o.Totals.Steps, Node: "n1", Risk: risk, Text: word(90), Reason: word(60)})
				}
				s.Stages = append(s.Stages, stage)
			}
			pass.Sections = append(pass.Sections, s)
		}
		o.Passes = append(o.Passes, pass)
	}
	for range r.IntN(30) {
		o.Blocked = append(o.Blocked, Remark{About: "volume db", Text: fmt.Sprint(r.Uint64(), word(100)), Hint: word(30)})
		o.Notes = append(o.Notes, Remark{About: "volume db", Text: fmt.Sprint(r.Uint64(), word(100))})
	}
	for range r.IntN(10) {
		o.Violations = append(o.Violations, Violation{Rule: fmt.Sprint(r.Uint64()), At: "p.cue:1:1", Text: word(200), Details: []string{word(100)}})
	}
	o.Summary = summary(o.Totals, len(o.Blocked))
	return o
}
