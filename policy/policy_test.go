package policy

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"strata/lineage"
	"strata/plan"
	"strata/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestGolden loads the CUE files of each archive in testdata. "want" is what
// testdata/plan.json breaks of them, or "errors" what is wrong with them; with
// "done: 2" its first two steps are done, and the rest is planned.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	b, err := os.ReadFile("testdata/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	var o plan.Outline
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		name, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			golden(t, name, &o)
		})
	}
}

func golden(t *testing.T, name string, o *plan.Outline) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("rules", 0o755); err != nil {
		t.Fatal(err)
	}
	var files []txtar.File
	want := map[string]string{}
	for _, f := range ar.Files {
		if filepath.Ext(f.Name) != ".cue" {
			want[f.Name] = string(f.Data)
			continue
		}
		files = append(files, f)
		if err := os.WriteFile(filepath.Join("rules", f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kind, text := judge(o, strings.Contains(string(ar.Comment), "done: 2"))
	if *update {
		ar.Files = append(files, txtar.File{Name: kind, Data: []byte(text)})
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, ok := want[kind]; !ok || got != text {
		t.Errorf("%s:\n%s\nwant\n%s", kind, text, got)
	}
}

func judge(o *plan.Outline, later bool) (kind, text string) {
	p, err := Load([]string{"rules"})
	if err != nil {
		return "errors", err.Error() + "\n"
	}
	run := p.Begin()
	if later {
		if _, err := run.Check(o); err != nil {
			return "errors", err.Error() + "\n"
		}
		for _, s := range Steps(o)[:2] {
			run.Did(s)
		}
		rest := *o
		rest.Passes = []plan.OutlinePass{{Sections: o.Passes[0].Sections[2:]}, o.Passes[1]}
		o = &rest
	}
	violations, err := run.Check(o)
	if err != nil {
		return "errors", err.Error() + "\n"
	}
	var b strings.Builder
	for _, v := range violations {
		b.WriteString(strings.Join(v.Lines(), "\n") + "\n")
	}
	return "want", b.String()
}

// TestNothing: neither a directory that is not there nor an empty one is a policy.
func TestNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{".", "nowhere"} {
		if _, err := Load([]string{path}); err == nil || errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestExample: a plan that is as bad as can be breaks every rule of
// examples/policy, and one that does nothing breaks none.
func TestExample(t *testing.T) {
	p, err := Load([]string{"../examples/policy"})
	if err != nil {
		t.Fatal(err)
	}
	violations, err := p.Check(&plan.Outline{Cluster: "lab", Blocked: []plan.Remark{}})
	if err != nil || len(violations) > 0 {
		t.Errorf("a plan that does nothing: %v %v", violations, err)
	}
	if violations, err = p.Check(bad()); err != nil {
		t.Fatal(err)
	}
	for _, r := range p.sets[0].rules {
		if !slices.ContainsFunc(violations, func(v plan.Violation) bool { return v.Rule == r.name }) {
			t.Errorf("%s is not broken", r.name)
		}
	}
	if n := len(p.sets[0].rules); n < 8 || len(violations) <= n {
		t.Errorf("%d rules, %d violations", n, len(violations))
	}
}

// bad is a plan that nobody should approve.
func bad() *plan.Outline {
	one := 1
	o := &plan.Outline{Cluster: "lab", Blocked: []plan.Remark{{About: "volume db", Text: "it cannot be"}}}
	o.Labels.Nodes = map[lineage.Node]map[string]string{"n3": {"zone": "b"}}
	o.Labels.Volumes = map[string]map[string]string{}
	pass := plan.OutlinePass{Sections: []plan.OutlineSection{{Key: "node n3", Kind: plan.KindNode, Stages: [][]plan.OutlineStep{{
		{Node: "n3", Op: "LvstoreCreate", Risk: plan.RiskCreate},
	}}}}}
	for _, v := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		o.Labels.Volumes[v] = map[string]string{"tier": "prod", "latency": "realtime"}
		hold := plan.OutlineStep{Node: "n1", Volume: v, Op: "Pause", Risk: plan.RiskPause, Held: true, Holds: true, Copies: &one}
		pass.Sections = append(pass.Sections, plan.OutlineSection{Key: "volume " + v, Kind: plan.KindVolume, Stages: [][]plan.OutlineStep{
			{hold}, {hold}, {hold},
			{{Node: "n1", Volume: v, Op: "ShallowCopy", Risk: plan.RiskCopy, Bytes: 10 << 30, Copies: &one}},
			{{Node: "n3", Volume: v, Op: "LvolDelete", Risk: plan.RiskDestroy, Copies: &one}},
		}})
	}
	o.Passes = []plan.OutlinePass{pass}
	return o
}

// TestWas: a label that is taken away, changed or set in the very change that is
// judged does not help it. A volume and a node that are new have had none.
func TestWas(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("rules.cue", []byte(`package policy
rules: "prod": deny: {risk: "destroy", labels: tier: "prod"}
rules: "zone": {where: op: "LvstoreCreate", require: nodeLabels: zone: "a"}
rules: "many": {where: labels: tier: "prod", total: steps: 0}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := Load([]string{"rules.cue"})
	if err != nil {
		t.Fatal(err)
	}
	del := plan.OutlineStep{Number: 1, Node: "n1", Volume: "db", Op: "LvolDelete", Risk: plan.RiskDestroy}
	format := plan.OutlineStep{Number: 2, Node: "n1", Op: "LvstoreCreate", Risk: plan.RiskCreate}
	o := &plan.Outline{Passes: []plan.OutlinePass{{Sections: []plan.OutlineSection{
		{Key: "volume db", Kind: plan.KindVolume, Stages: [][]plan.OutlineStep{{del}}},
		{Key: "node n1", Kind: plan.KindNode, Stages: [][]plan.OutlineStep{{format}}},
	}}}}
	o.Labels.Nodes = map[lineage.Node]map[string]string{"n1": {"zone": "a"}}
	db := func(tier string) []*schema.Volume {
		return []*schema.Volume{{Name: "db", Labels: map[string]string{"tier": tier}}}
	}
	n1 := func(zone string) []*schema.Node {
		return []*schema.Node{{Name: "n1", Labels: map[string]string{"zone": zone}}}
	}
	for _, c := range []struct {
		name string
		was  *schema.Config
		want string
	}{
		{"not known", nil, ""},
		{"as it is", &schema.Config{Nodes: n1("a"), Volumes: []*schema.Volume{{Name: "db"}}}, ""},
		{"new", &schema.Config{}, ""},
		{"volume relabelled", &schema.Config{Volumes: db("prod")}, "prod many"},
		{"node relabelled", &schema.Config{Nodes: n1("b")}, "zone"},
		{"both", &schema.Config{Nodes: n1("b"), Volumes: db("prod")}, "prod zone many"},
	} {
		p.Was = c.was
		violations, err := p.Check(o)
		if err != nil {
			t.Fatal(err)
		}
		var broken []string
		for _, v := range violations {
			broken = append(broken, v.Rule)
		}
		slices.SortFunc(broken, func(a, b string) int { return strings.Index("prod zone many", a) - strings.Index("prod zone many", b) })
		if got := strings.Join(broken, " "); got != c.want {
			t.Errorf("%s: broken are %q, want %q", c.name, got, c.want)
		}
	}
}

// TestNotes: what the policy names and nothing has, and files that are not
// read, are said.
func TestNotes(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"p/rules.cue": "package policy\nrules: \"a\": deny: {node: \"n8\" | \"n1\", volume: !=\"bd\"}\n",
		"p/more.json": "{}", "p/_old.cue": "package policy\n", "p/README.md": "", "p/.keep": "", "p/sub/x.cue": "package policy\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load([]string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Notes(&plan.Outline{}, &schema.Config{Nodes: []*schema.Node{{Name: "n1"}}, Volumes: []*schema.Volume{{Name: "db"}}}) {
		got = append(got, r.Pos.String()+" "+r.Text+" "+r.Hint)
	}
	want := []string{
		`p/rules.cue:2:20 rule "a" names node "n8", and there is none of that name did you mean "n1"?`,
		`p/rules.cue:2:39 rule "a" names volume "bd", and there is none of that name did you mean "db"?`,
	}
	for _, file := range []string{"_old.cue", "more.json", "sub"} {
		want = append(want, "- "+file+" is not read: a policy is the files that end in .cue and begin with neither . nor _, of one directory ")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
