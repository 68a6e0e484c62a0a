// Package docs compares what documents state with the code.
package docs

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "strata/"

// TestPackageGraph: the packages and their imports are those that ARCHITECTURE.md
// states.
func TestPackageGraph(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	stated, err := statedGraph(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := noticed(); err != nil {
		t.Fatal(err)
	}
	found, err := listedGraph()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences(stated, found) {
		t.Error(d)
	}
}

// graph has the packages, without the name of the module, and what each imports.
type graph map[string][]string

// statedGraph reads the tables of the section "Packages": the first column is a
// package, the last what it imports.
func statedGraph(text string) (graph, error) {
	_, section, _ := strings.Cut(text, "\n## Packages\n")
	section, _, _ = strings.Cut(section, "\n## ")
	all := graph{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		name := code.FindStringSubmatch(cells[0])
		if !strings.HasPrefix(line, "| ") || name == nil {
			continue
		}
		if _, twice := all[name[1]]; twice {
			return nil, fmt.Errorf("%s stands there twice", name[1])
		}
		last := cells[len(cells)-1]
		all[name[1]] = []string{}
		for _, m := range code.FindAllStringSubmatch(last, -1) {
			all[name[1]] = append(all[name[1]], m[1])
		}
		if rest := code.ReplaceAllString(last, ""); len(all[name[1]]) == 0 && rest != "nothing" || len(all[name[1]]) > 0 && strings.Trim(rest, ", ") != "" {
			return nil, fmt.Errorf("%s: %q is no list of packages, and not \"nothing\"", name[1], last)
		}
	}
	return all, nil
}

var code = regexp.MustCompile("`([^`]*)`")

// listedGraph asks go list. A package without a file that is no test is none.
func listedGraph() (graph, error) {
	cmd := exec.Command("go", "list", "-f", `{{if .GoFiles}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := graph{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		name := strings.TrimPrefix(words[0], module)
		all[name] = []string{}
		for _, w := range words[1:] {
			if of, ours := strings.CutPrefix(w, module); ours {
				all[name] = append(all[name], of)
			}
		}
	}
	return all, nil
}

// noticed looks at every file that go list reads: what another process reads is
// not seen by go test, which would take an old result for that of new files.
func noticed() error {
	return filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go"):
			_, err = os.Stat(path)
		}
		return err
	})
}

// differences says what of one graph is not in the other.
func differences(stated, found graph) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		imports, ok := stated[name]
		if !ok {
			all = append(all, fmt.Sprintf("package %s is not in ARCHITECTURE.md", name))
			continue
		}
		for _, i := range found[name] {
			if !slices.Contains(imports, i) {
				all = append(all, fmt.Sprintf("%s imports %s, and ARCHITECTURE.md does not state it", name, i))
			}
		}
		for _, i := range imports {
			if !slices.Contains(found[name], i) {
				all = append(all, fmt.Sprintf("ARCHITECTURE.md states that %s imports %s, and it does not", name, i))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(stated)) {
		if _, ok := found[name]; !ok {
			all = append(all, fmt.Sprintf("ARCHITECTURE.md has package %s, and there is none", name))
		}
	}
	return all
}

func TestDifferences(t *testing.T) {
	const table = "# A\n\n## Packages\n\n| package | owns | imports |\n| --- | --- | --- |\n| `a` | `x` | nothing |\n| `b/c` | it | %s |\n\n## Words\n\n| `d` | `e` |\n"
	found := graph{"a": {}, "b/c": {"a"}}
	for _, c := range []struct {
		cell  string
		found graph
		want  []string
	}{
		{"`a`", found, nil},
		{"nothing", found, []string{"b/c imports a, and ARCHITECTURE.md does not state it"}},
		{"`a`, `e`", found, []string{"ARCHITECTURE.md states that b/c imports e, and it does not"}},
		{"`a`", graph{"a": {}, "b/c": {"a"}, "f": {}}, []string{"package f is not in ARCHITECTURE.md"}},
		{"`a`", graph{"b/c": {"a"}}, []string{"ARCHITECTURE.md has package a, and there is none"}},
	} {
		stated, err := statedGraph(fmt.Sprintf(table, c.cell))
		if err != nil {
			t.Fatal(err)
		}
		if got := differences(stated, c.found); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.cell, got, c.want)
		}
	}
	for _, cell := range []string{"", "`a` and others", "all"} {
		if _, err := statedGraph(fmt.Sprintf(table, cell)); err == nil {
			t.Errorf("%q is taken for a list", cell)
		}
	}
}
