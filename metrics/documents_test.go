package metrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.yaml.in/yaml/v3"
)

// TestDocumented holds docs/monitoring.md to the registry, both ways: names, types,
// labels and what they are. A story makes every metric have values.
func TestDocumented(t *testing.T) {
	cfg := config(t)
	var got []string
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, cfg)
		defer s.end()
		lose(t, s)
		s.runAhead()
		families := s.families()
		for name, labels := range described(s.metrics) {
			f := families[name]
			if f == nil {
				t.Errorf("%s has no value in the story", name)
				continue
			}
			code := "—"
			if len(labels) > 0 {
				code = "`" + strings.Join(labels, "`, `") + "`"
			}
			got = append(got, fmt.Sprintf("| `%s` | %s | %s | %s |", name, strings.ToLower(f.GetType().String()), code, f.GetHelp()))
		}
		for name := range families {
			if _, is := described(s.metrics)[name]; !is && strings.HasPrefix(name, "strata_") {
				t.Errorf("%s is collected and not described", name)
			}
		}
	})
	slices.Sort(got)
	page, err := os.ReadFile("../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	var has []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `strata_") {
			has = append(has, strings.TrimSpace(line))
		}
	}
	slices.Sort(has)
	for _, line := range got {
		if !slices.Contains(has, line) {
			t.Errorf("docs/monitoring.md lacks\n%s", line)
		}
	}
	for _, line := range has {
		if !slices.Contains(got, line) {
			t.Errorf("docs/monitoring.md has, and nothing is so,\n%s", line)
		}
	}
}

var (
	quoted   = regexp.MustCompile(`"[^"]*"`)
	selector = regexp.MustCompile(`(strata_\w+)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)`)
	grouped  = regexp.MustCompile(`(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
	shown    = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}`)
)

// unknown says what of an expression there is not: metrics, and labels that none of its
// metrics has.
func unknown(expr string, all map[string][]string, also ...string) (wrong []string) {
	has := map[string]bool{"job": true, "instance": true}
	any := false
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		any = true
		labels, known := all[m[1]]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, cut := strings.CutSuffix(m[1], suffix); cut && !known {
				if labels, known = all[base]; known && suffix == "_bucket" {
					labels = append(slices.Clone(labels), "le")
				}
			}
		}
		if !known {
			wrong = append(wrong, m[1])
		}
		for _, l := range labels {
			has[l] = true
		}
		for _, k := range matcher.FindAllStringSubmatch(quoted.ReplaceAllString(m[2], `""`), -1) {
			if !slices.Contains(labels, k[1]) && k[1] != "job" && k[1] != "instance" {
				wrong = append(wrong, m[1]+" has no label "+k[1])
			}
		}
	}
	if !any {
		wrong = append(wrong, "no metric of strata in "+expr)
	}
	labels := also
	for _, g := range grouped.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, strings.FieldsFunc(g[1], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	for _, l := range labels {
		if !has[l] {
			wrong = append(wrong, "nothing in "+expr+" has label "+l)
		}
	}
	return wrong
}

func labelsShown(text string) (all []string) {
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestRulesNameWhatThereIs(t *testing.T) {
	all := described(New(nil, "test"))
	text, err := os.ReadFile("../examples/monitoring/strata.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			count++
			for _, wrong := range unknown(r.Expr, all, labelsShown(strings.Join(slices.Collect(maps.Values(r.Annotations)), " "))...) {
				t.Errorf("%s: %s", r.Alert, wrong)
			}
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s says too little", r.Alert)
			}
		}
	}
	if count < 10 {
		t.Errorf("%d alerts", count)
	}
}

func TestDashboardNamesWhatThereIs(t *testing.T) {
	all := described(New(nil, "test"))
	text, err := os.ReadFile("../examples/monitoring/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for i, p := range board.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %s shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, wrong := range unknown(target.Expr, all, labelsShown(target.LegendFormat)...) {
				t.Errorf("panel %s: %s", p.Title, wrong)
			}
			for _, m := range selector.FindAllStringSubmatch(target.Expr, -1) {
				used[m[1]] = true
			}
		}
		for _, q := range board.Panels[:i] {
			a, b := p.GridPos, q.GridPos
			if p.ID == q.ID || a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H || a.X+a.W > 24 {
				t.Errorf("panels %s and %s lie over one another", p.Title, q.Title)
			}
		}
	}
	for _, v := range board.Templating.List {
		if m := regexp.MustCompile(`label_values\((\w+), (\w+)\)`).FindStringSubmatch(v.Definition); m != nil && !slices.Contains(all[m[1]], m[2]) {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
		}
	}
	if len(used) < 15 {
		t.Errorf("it shows %d metrics", len(used))
	}
}

// TestUnknown: what the tests above find is found.
func TestUnknown(t *testing.T) {
	all := map[string][]string{"strata_a": {"volume"}, "strata_h": {"method"}}
	for expr, want := range map[string]int{
		`strata_a{volume=~"x{y}|z"}`:                                   0,
		`sum by (volume) (strata_a)`:                                   0,
		`histogram_quantile(1, sum by (le, method) (strata_h_bucket))`: 0,
		`strata_b`:                 1,
		`strata_a{node="n"}`:       1,
		`sum by (node) (strata_a)`: 1,
		`sum by (le) (strata_a)`:   1,
		`up`:                       1,
		`rate(strata_h_total[5m])`: 1,
		`max by (job) (strata_a) and on (job, method) strata_h_count > 0`: 0,
	} {
		if got := unknown(expr, all); len(got) != want {
			t.Errorf("%s: %q", expr, got)
		}
	}
}

// TestPromtool has Prometheus' own tool judge the rules and carry out their tests.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("STRATA_TEST_PROMTOOL") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool, of Debian's package prometheus, is not installed")
	}
	for _, args := range [][]string{
		{"check", "rules", "strata.rules.yml"}, {"test", "rules", "strata.rules.test.yml"}, {"check", "config", "prometheus.yml"},
	} {
		cmd := exec.Command(tool, args...)
		cmd.Dir = "../examples/monitoring"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
