package recipe

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/world"
	"strata/schema"
	"strata/state"
)

// courses are all there are, in the order in which they are tried.
var courses = []course{apart, making, beginning, moving, keeping, relieving, starting, layering}

// onlyAsks are the recipes without steps: they leave volumes as they are.
var onlyAsks = []string{"suspended", "seen", "spent", "alone", "overtaken", "shaken", "parted", "hold", "unsure", "copied", "ciphered"}

// TestTable: the table says what is so.
func TestTable(t *testing.T) {
	docs := map[string]string{}
	for _, c := range courses {
		for _, r := range c.rows {
			f := runtime.FuncForPC(reflect.ValueOf(r.try).Pointer())
			if file, _ := f.FileLine(f.Entry()); filepath.Base(file) != r.file {
				t.Errorf("recipe %s: %s is in %s, and the table says %s", r.name, f.Name(), filepath.Base(file), r.file)
			}
			if r.name == "" || r.doc == "" || strings.ContainsAny(r.doc, "\n|") || strings.HasSuffix(r.doc, ".") {
				t.Errorf("recipe %q: %q is no line on what it does", r.name, r.doc)
			}
			if other, ok := docs[r.name]; ok && other != r.doc {
				t.Errorf("two recipes are called %s", r.name)
			}
			docs[r.name] = r.doc
		}
	}
}

// TestPages: what is written of the recipes, in the documentation of package plan and
// in the page for contributors, is what the table and the golden plans say.
func TestPages(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	ops := operations(t)
	for _, name := range slices.Sorted(maps.Keys(ops)) {
		if slices.Contains(onlyAsks, name) {
			t.Errorf("recipe %s has steps in golden plans, and is among those that only ask", name)
		}
	}
	for name, write := range map[string]func(old string) string{
		"plan/doc.go":                  packageDoc,
		"docs/contributing/recipes.md": func(string) string { return page(t, root, ops) },
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		old, err := os.ReadFile(path)
		if err != nil && !*update {
			t.Fatal(err)
		}
		if now := write(string(old)); now == string(old) {
			continue
		} else if !*update {
			t.Errorf("%s is not what the recipes and the golden plans say; run: go test ./plan/recipe -run TestPages -update", name)
		} else if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// operations are those that the golden plans have, by the recipe that made them.
func operations(t *testing.T) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	watch := func(recipe string, op plan.Op) {
		if all[recipe] == nil {
			all[recipe] = map[string]bool{}
		}
		all[recipe][reflect.TypeOf(op).Name()] = true
	}
	for _, c := range plantest.Cases(t, "testdata") {
		t.Run(c.Name, func(t *testing.T) {
			cfg, snap, opt := c.Load(t)
			if _, _, err := checked(cfg, snap, opt, func(cfg *schema.Config, fitted *state.Snapshot, opt plan.Options) (*plan.Plan, *ahead, error) {
				p := newPasses(cfg, world.New(cfg.Cluster, fitted), opt)
				p.watch = watch
				made, err := p.plan(limitOf(fitted), (*passes).next)
				return made, nil, err
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
	delete(all, "") // of nodes, links and what is not configured
	return all
}

// packageDoc puts the recipes into the documentation of package plan: below the lines
// of its list that end with where they are to be found.
func packageDoc(old string) string {
	lists := map[string][]course{"(table.go):": {apart, making, beginning, moving, keeping, starting}, "(layers.go):": {layering}}
	var out []string
	skip := false
	for _, line := range strings.Split(old, "\n") {
		if !strings.HasPrefix(line, "//     ") {
			skip = false
		}
		if !skip {
			out = append(out, line)
		}
		for _, end := range slices.Sorted(maps.Keys(lists)) {
			if !skip && strings.HasSuffix(line, end) {
				skip = true
				out = append(out, listed(lists[end])...)
			}
		}
	}
	return strings.Join(out, "\n")
}

// listed are the recipes of courses as the lines of a list.
func listed(all []course) (lines []string) {
	for _, c := range all {
		if len(all) > 1 {
			lines = append(lines, "//     "+c.when+":")
		}
		for _, r := range c.rows {
			line := fmt.Sprintf("//     %-9s %s", r.name, r.doc)
			if r.file != r.name+".go" {
				line += " (" + r.file + ")"
			}
			if without := r.duty.short(); without != "" {
				line += " [" + without + "]"
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// short is what of a duty a list has room for: what has to be allowed, but for parts.
func (d duty) short() string {
	if d.any == nil && d.but != "" {
		return "" // it has no steps
	}
	text := strings.ReplaceAll(duty{any: d.any}.String(), "`", "")
	if d.but != "" {
		text += "…"
	}
	return text
}

// page is the page on recipes for contributors.
func page(t *testing.T, root string, ops map[string]map[string]bool) string {
	var b bytes.Buffer
	fmt.Fprint(&b, `<!-- go test ./plan/recipe -run TestPages -update writes this page. -->

# Recipes

What is done to volumes is done by *recipes*. [plan/recipe/table.go](../../plan/recipe/table.go) has them, in *courses*: the order in
which they are tried on a volume. Each says what came of it: *idle* (there is nothing to do), *acted* (this pass does
something about it) or *blocked* (it cannot be done now, and the recipe has said why). The table says after which of these the
rest of a course is not tried in this pass.

Where nobody looks at the plan (*plan.Options.Auto*), a recipe is tried only if the volume's *auto* has what stands under *without
a person*. What is not tried is in a plan that somebody asks for. What recipes do of that kind beside is in [plan/recipe/duty.go](../../plan/recipe/duty.go).

[ARCHITECTURE.md](../../ARCHITECTURE.md) has what ladders and rungs are, [CONTRIBUTING.md](../../CONTRIBUTING.md) how to add a recipe. What is done to
nodes, links and what is not configured is not in the table; [plan/doc.go](../../plan/doc.go) has it.

## Courses
`)
	for _, c := range courses {
		fmt.Fprintf(&b, "\n%s:\n\n| recipe | what it does | without a person | ends the course when |\n| --- | --- | --- | --- |\n", c.when)
		for _, r := range c.rows {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.name, r.name, r.doc, r.duty, ending(r.ends))
		}
	}
	calls := rpcs(t, root)
	seen := map[string]bool{}
	for _, c := range courses {
		for _, r := range c.rows {
			if seen[r.name] {
				continue
			}
			seen[r.name] = true
			fmt.Fprintf(&b, "\n## %s\n\n[plan/recipe/%s](../../plan/recipe/%s): %s.\n", r.name, r.file, r.file, r.doc)
			for _, l := range ladders(t, root, r.file) {
				fmt.Fprintf(&b, "\nRungs of `%s`:\n\n```text\n%s\n```\n", l.of, l.rungs)
			}
			if slices.Contains(onlyAsks, r.name) {
				fmt.Fprint(&b, "\nIt has no steps: it asks, and leaves the volume as it is.\n")
				continue
			}
			if len(ops[r.name]) == 0 {
				t.Errorf("no golden plan has a step of recipe %s", r.name)
			}
			fmt.Fprint(&b, "\n| operation | RPCs |\n| --- | --- |\n")
			for _, op := range slices.Sorted(maps.Keys(ops[r.name])) {
				fmt.Fprintf(&b, "| %s | %s |\n", op, calls[op])
			}
		}
	}
	return b.String()
}

// ending says after which results a course ends.
func ending(ends []result) string {
	var words []string
	for _, r := range ends {
		words = append(words, map[result]string{idle: "idle", acted: "acted", blocked: "blocked"}[r])
	}
	return strings.Join(words, ", ")
}

// ladder is the rungs that a comment has, of what it is on.
type ladder struct{ of, rungs string }

var (
	otherFile = regexp.MustCompile(`\((\w+\.go)\)`)
	method    = regexp.MustCompile(`\b(?:bdev|accel|nvmf|ublk|nbd)_[a-z_]+[a-z]\b`)
)

// ladders are those of a file, and of the files that they name.
func ladders(t *testing.T, root, file string) (all []ladder) {
	for _, group := range parse(t, filepath.Join(root, "plan", "recipe", file)).Comments {
		text := group.Text()
		intro, rest, ok := strings.Cut(text, ":\n\n\t")
		if lead := intro[strings.LastIndex(intro, "\n\n")+1:]; !ok || !strings.Contains(lead, "Ladder") && !strings.Contains(lead, "rung") {
			continue
		}
		rungs, _, _ := strings.Cut("\t"+rest, "\n\n")
		rungs = strings.ReplaceAll(strings.TrimSpace(rungs), "\n\t", "\n")
		of, _, _ := strings.Cut(text, " ")
		if of == "A" { // a comment on all of the file
			of = strings.TrimSuffix(file, ".go")
		}
		all = append(all, ladder{of, rungs})
		var named []string
		for _, m := range otherFile.FindAllStringSubmatch(rungs, -1) {
			named = append(named, m[1])
		}
		slices.Sort(named)
		for _, other := range slices.Compact(named) {
			all = append(all, ladders(t, root, other)...)
		}
	}
	return all
}

// rpcs are the methods that each type of operation says it stands for.
func rpcs(t *testing.T, root string) map[string]string {
	calls := map[string]string{}
	files, err := filepath.Glob(filepath.Join(root, "plan", "op_*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range parse(t, path).Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				var methods []string
				for _, m := range method.FindAllString(g.Doc.Text(), -1) {
					methods = append(methods, "`"+m+"`")
				}
				calls[spec.(*ast.TypeSpec).Name.Name] = cmp.Or(strings.Join(methods, ", "), "only listings: "+firstSentence(g.Doc.Text()))
			}
		}
	}
	return calls
}

// firstSentence is what an operation does, without its name.
func firstSentence(doc string) string {
	_, doc, _ = strings.Cut(strings.Join(strings.Fields(doc), " "), " ")
	doc, _, _ = strings.Cut(doc+" ", ". ")
	return "it " + strings.TrimSpace(doc)
}

func parse(t *testing.T, path string) *ast.File {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
