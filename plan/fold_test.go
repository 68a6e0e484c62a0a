package plan_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"strata/lineage"
	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/recipe"
)

var (
	numbered = regexp.MustCompile(`(?m)^ *(\d+)\. `)
	folded   = regexp.MustCompile(`(?m)^Then the same \d+ times more, .*: steps (\d+) to (\d+)\b`)
)

// What is not printed of a plan is nothing that a reviewer has to see, and the
// text says which steps that are. With AllSteps there is none.
func TestFoldedStepsAreHarmless(t *testing.T) {
	folds := 0
	for _, c := range plantest.Cases(t, "recipe/testdata") {
		cfg, snap, opt := c.Load(t)
		p, err := recipe.Build(cfg, snap, opt)
		if err != nil {
			t.Fatal(err)
		}
		all := plantest.Text(p)
		for _, step := range p.Steps() {
			if !strings.Contains(all, fmt.Sprintf("\n%4d. %-8s %s", step.Number, step.Op.On(), step.Op.Words())) {
				t.Errorf("%s: step %d is not among all steps", c.Name, step.Number)
			}
		}
		var b strings.Builder
		if err := p.Print(&b); err != nil {
			t.Fatal(err)
		}
		times := make([]int, len(p.Steps())+1)
		for _, m := range numbered.FindAllStringSubmatch(b.String(), -1) {
			n, _ := strconv.Atoi(m[1])
			times[n]++
		}
		for _, m := range folded.FindAllStringSubmatch(b.String(), -1) {
			folds++
			from, _ := strconv.Atoi(m[1])
			to, _ := strconv.Atoi(m[2])
			for n := from; n <= to; n++ {
				times[n]++
				if s := p.Steps()[n-1]; s.HostsWait || s.Risk != plan.RiskCreate && s.Risk != plan.RiskCopy {
					t.Errorf("%s: step %d is folded: %s", c.Name, n, s.Op.Words())
				}
			}
		}
		for _, step := range p.Steps() {
			if times[step.Number] != 1 {
				t.Errorf("%s: step %d is there %d times in\n%s", c.Name, step.Number, times[step.Number], b.String())
			}
		}
	}
	if folds < 2 {
		t.Errorf("%d series were folded", folds)
	}
}

// copies are passes that are alike: each copies a layer.
func copies(n int) *plan.Outline {
	o := &plan.Outline{}
	for i := range n {
		one := 1
		step := func(k int, node, op, text string, risk plan.Risk) plan.OutlineStep {
			return plan.OutlineStep{Number: 3*i + k, Node: lineage.Node(node), Op: op, Text: text, Risk: risk, Reason: fmt.Sprintf("n2 lacks layer db.k3f7@%d.s%d of db", i+2, i+1), Copies: &one}
		}
		s := plan.OutlineSection{Key: "volume db", Stages: [][]plan.OutlineStep{
			{step(1, "n2", "NamespaceAdd", fmt.Sprintf("show n2/lab.fast/db.k3f7+%d as namespace %d of nqn:n2", i+2, 70+i), plan.RiskCreate)},
			{step(2, "n1", "ShallowCopy", fmt.Sprintf("copy %dMi of layer lab.fast/db.k3f7@%d.s%d to n2/lab.fast/db.k3f7+%d", i+1, i+2, i+1, i+2), plan.RiskCopy)},
			{step(3, "n2", "LvolSnapshot", fmt.Sprintf("cut layer db.k3f7@%d.s%d of lab.fast/db.k3f7+%d", i+2, i+1, i+2), plan.RiskCreate)},
		}}
		s.Stages[1][0].Bytes = int64(i+1) << 20
		o.Passes = append(o.Passes, plan.OutlinePass{Sections: []plan.OutlineSection{s}})
	}
	return o
}

func printed(t *testing.T, o *plan.Outline) string {
	t.Helper()
	var b strings.Builder
	if err := o.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAlikePassesAreFolded(t *testing.T) {
	for n, want := range map[int]string{
		2: "",
		3: "Then the same 2 times more, each time after another look at the nodes: steps 4 to 9, at most 5Mi copied (--all-steps prints them).\n    volume db: layers db.k3f7@3.s2 to db.k3f7@4.s3\n",
		5: "Then the same 4 times more, each time after another look at the nodes: steps 4 to 15, at most 14Mi copied (--all-steps prints them).\n    volume db: layers db.k3f7@3.s2 to db.k3f7@6.s5\n",
	} {
		text := printed(t, copies(n))
		if !strings.Contains(text, want) || want == "" && strings.Contains(text, "the same") {
			t.Errorf("%d passes:\n%s", n, text)
		}
	}
}

// A pass that differs ends a series, and one of which each step is to be seen is in
// none, whatever is beside it.
func TestWhatIsNotFolded(t *testing.T) {
	type change struct {
		name string
		do   func(*plan.OutlinePass)
	}
	step := func(p *plan.OutlinePass) *plan.OutlineStep { return &p.Sections[0].Stages[1][0] }
	seen := []change{
		{"redundancy goes", func(p *plan.OutlinePass) { step(p).Risk = plan.RiskReduce }},
		{"data goes", func(p *plan.OutlinePass) { step(p).Risk = plan.RiskDestroy }},
		{"hosts' I/O is held", func(p *plan.OutlinePass) { step(p).Risk = plan.RiskPause }},
		{"hosts wait", func(p *plan.OutlinePass) { step(p).Held = true }},
		{"hosts begin to wait", func(p *plan.OutlinePass) { step(p).Holds = true }},
		{"an assumption", func(p *plan.OutlinePass) { p.Assumes = []string{"n1/fast"} }},
	}
	two := 2
	differs := []change{
		{"another node", func(p *plan.OutlinePass) { step(p).Node = "n3" }},
		{"another operation", func(p *plan.OutlinePass) { step(p).Op = "LvolClone" }},
		{"another pool", func(p *plan.OutlinePass) {
			step(p).Text = strings.ReplaceAll(step(p).Text, "n2/lab.fast/", "n2/lab.slow/")
		}},
		{"another volume's layer", func(p *plan.OutlinePass) { step(p).Text = strings.ReplaceAll(step(p).Text, "db.k3f7@", "db.aaaa@") }},
		{"strata's own layer", func(p *plan.OutlinePass) { step(p).Text = strings.ReplaceAll(step(p).Text, ".s", ".~s") }},
		{"another kind of lvol", func(p *plan.OutlinePass) { step(p).Text = strings.ReplaceAll(step(p).Text, "+", "#") }},
		{"another reason", func(p *plan.OutlinePass) { step(p).Reason += ", and n1 copies it there already" }},
		{"another field", func(p *plan.OutlinePass) { step(p).At = "lab.cue:1:1" }},
		{"more copies", func(p *plan.OutlinePass) { step(p).Copies = &two }},
		{"another section", func(p *plan.OutlinePass) { p.Sections[0].Key = "volume wal" }},
		{"one section more", func(p *plan.OutlinePass) { p.Sections = append(p.Sections, p.Sections[0]) }},
		{"another order of sections", func(p *plan.OutlinePass) { p.Sections[0].After = []string{"node n1"} }},
		{"other stages", func(p *plan.OutlinePass) {
			s := &p.Sections[0]
			s.Stages = [][]plan.OutlineStep{append(s.Stages[0], s.Stages[1]...), s.Stages[2]}
		}},
		{"a step less", func(p *plan.OutlinePass) { p.Sections[0].Stages = p.Sections[0].Stages[:2] }},
	}
	for _, c := range append(differs, seen...) {
		o := copies(5)
		c.do(&o.Passes[2])
		if text := printed(t, o); strings.Contains(text, "the same") {
			t.Errorf("%s in one pass:\n%s", c.name, text)
		}
	}
	for _, c := range seen {
		o := copies(5)
		for i := range o.Passes {
			c.do(&o.Passes[i])
		}
		if text := printed(t, o); strings.Contains(text, "the same") {
			t.Errorf("%s in every pass:\n%s", c.name, text)
		}
	}
	o := copies(5)
	o.AllSteps = true
	if text := printed(t, o); strings.Contains(text, "the same") || len(numbered.FindAllString(text, -1)) != 15 {
		t.Errorf("with AllSteps:\n%s", text)
	}
}
