package plan_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/recipe"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestViews shows the plans of some of the golden cases in the other forms: each
// file of testdata/views is named after one, and has "compact" and "markdown", and
// "text" where that is not the plan with all its steps.
func TestViews(t *testing.T) {
	cases := plantest.Cases(t, "recipe/testdata")
	for _, view := range plantest.Cases(t, "testdata/views") {
		t.Run(view.Name, func(t *testing.T) {
			i := slices.IndexFunc(cases, func(c plantest.Case) bool { return c.Name == view.Name })
			if i < 0 {
				t.Fatal("there is no golden case of that name")
			}
			cfg, snap, opt := cases[i].Load(t)
			p, err := recipe.Build(cfg, snap, opt)
			if err != nil {
				t.Fatal(err)
			}
			o := p.Outline(cfg.Cluster)
			var text, compact, markdown strings.Builder
			if err := o.Print(&text); err != nil {
				t.Fatal(err)
			}
			if text.String() == plantest.Text(p) {
				text.Reset()
			}
			if err := o.Compact(&compact); err != nil {
				t.Fatal(err)
			}
			if err := o.Markdown(&markdown); err != nil {
				t.Fatal(err)
			}
			if *update {
				view.Update(t, txtar.File{Name: "text", Data: []byte(text.String())}, txtar.File{Name: "compact", Data: []byte(compact.String())}, txtar.File{Name: "markdown", Data: []byte(markdown.String())})
			} else if text.String() != view.File("text") || compact.String() != view.File("compact") || markdown.String() != view.File("markdown") {
				t.Errorf("got\n%s\n%s\n%s\nwant\n%s\n%s\n%s", text.String(), compact.String(), markdown.String(), view.File("text"), view.File("compact"), view.File("markdown"))
			}
		})
	}
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
		if err := o.MarkdownWithin(&b, limit); err != nil {
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

func randomOutline(r *rand.Rand) *plan.Outline {
	word := func(n int) string { return strings.Repeat("ä", 1+r.IntN(n)) }
	o := &plan.Outline{Cluster: "lab", Totals: plan.Totals{Risks: map[plan.Risk]int{}}}
	for range r.IntN(3) {
		var pass plan.OutlinePass
		for range 1 + r.IntN(5) {
			s := plan.OutlineSection{Key: "volume " + word(20)}
			for range 1 + r.IntN(20) {
				var stage []plan.OutlineStep
				for range 1 + r.IntN(3) {
					o.Totals.Steps++
					risk := plan.Risks[r.IntN(len(plan.Risks))]
					o.Totals.Risks[risk]++
					stage = append(stage, plan.OutlineStep{Number: o.Totals.Steps, Node: "n1", Risk: risk, Text: word(90), Reason: word(60)})
				}
				s.Stages = append(s.Stages, stage)
			}
			pass.Sections = append(pass.Sections, s)
		}
		o.Passes = append(o.Passes, pass)
	}
	for range r.IntN(30) {
		o.Blocked = append(o.Blocked, plan.Remark{About: "volume db", Text: fmt.Sprint(r.Uint64(), word(100)), Hint: word(30)})
		o.Notes = append(o.Notes, plan.Remark{About: "volume db", Text: fmt.Sprint(r.Uint64(), word(100))})
	}
	for range r.IntN(10) {
		o.Violations = append(o.Violations, plan.Violation{Rule: fmt.Sprint(r.Uint64()), At: "p.cue:1:1", Text: word(200), Details: []string{word(100)}})
	}
	o.Summary = plan.Summary(o.Totals, len(o.Blocked))
	return o
}
