package explain

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"

	"strata/schema"
)

// examples are valid configurations that together have every field.
//
//go:embed examples
var examples embed.FS

// Examples are their files.
func Examples() fs.FS { return examples }

// exampleLines is how long an example may be. A field that has none so short is
// shown by those in it.
const exampleLines = 16

// example is the shortest part of an example that has a field, written out from the top;
// "" where none is short. What stands in a definition is shown where any has it.
func (s *source) example(at *place) (string, error) {
	found, err := s.written(at)
	if err != nil || len(found) == 0 {
		return "", err
	}
	best := slices.MinFunc(found, func(a, b string) int { return strings.Count(a, "\n") - strings.Count(b, "\n") })
	if strings.Count(best, "\n") >= exampleLines {
		return "", nil
	}
	return best, nil
}

// Shows reports whether an example has the field of a path, as Paths has it.
func Shows(path string) (bool, error) {
	s, err := parse(schema.Source())
	if err != nil {
		return false, err
	}
	at, err := s.find(path)
	if err != nil {
		return false, err
	}
	found, err := s.written(at)
	return len(found) > 0, err
}

// written are the parts of all examples that have a field.
func (s *source) written(at *place) ([]string, error) {
	if len(at.path) == 0 {
		return nil, nil
	}
	files, err := parsed()
	if err != nil {
		return nil, err
	}
	for _, like := range append([]*place{at}, s.alike(at)...) {
		var all []string
		for _, f := range files {
			all = append(all, shown(f.Decls, like.path, nil)...)
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, nil
}

// alike are the places of the same field of the same definition.
func (s *source) alike(at *place) (all []*place) {
	within := at.decls[0].within
	if within == "" || within == "#Config" {
		return nil
	}
	return slices.DeleteFunc(s.all(s.root()), func(p *place) bool { return p.label() != at.label() || p.decls[0].within != within })
}

// parsed are the examples.
func parsed() ([]*ast.File, error) {
	names, err := fs.Glob(examples, "examples/*.cue")
	if err != nil {
		return nil, err
	}
	var all []*ast.File
	for _, name := range names {
		text, err := examples.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(name, text)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// shown are the parts of a struct that have the field of a path.
func shown(decls []ast.Decl, path, above []string) (all []string) {
	for _, d := range decls {
		f, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		label, ok := labelOf(f.Label)
		if !ok || path[0] != anyName && label != path[0] {
			continue
		}
		here := append(slices.Clone(above), label)
		if len(path) == 1 {
			all = append(all, inPlace(here, f.Value))
			continue
		}
		switch v := f.Value.(type) {
		case *ast.StructLit:
			all = append(all, shown(v.Elts, path[1:], here)...)
		case *ast.ListLit:
			if holds(v, path[1:]) {
				all = append(all, inPlace(here, v))
			}
		}
	}
	return all
}

// holds reports whether an element of a list has the field of a path.
func holds(list *ast.ListLit, path []string) bool {
	return slices.ContainsFunc(list.Elts, func(e ast.Expr) bool {
		lit, ok := e.(*ast.StructLit)
		return ok && len(shown(lit.Elts, path, nil)) > 0
	})
}

// inPlace is a value where a configuration has it.
func inPlace(labels []string, value ast.Expr) string {
	b, err := format.Node(value, format.Simplify())
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s: %s", strings.Join(labels, ": "), b)
}
