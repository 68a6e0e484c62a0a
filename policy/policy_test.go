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
