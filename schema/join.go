package schema

import (
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// joinData joins structs of plain data that are written under the same label
// into one. Writing every volume as `volumes: name: {...}` is natural, but the
// evaluator compares each such struct with all others of its label, so the
// time would grow with the square of their number. The value is the same: plain
// data refers to nothing and is referred to by paths.
func joinData(decls []ast.Decl) []ast.Decl {
	first := map[string]*ast.StructLit{}
	joined := decls[:0:0]
	for _, d := range decls {
		name, data := dataField(d)
		if data == nil {
			joined = append(joined, d)
			continue
		}
		if to := first[name]; to != nil {
			to.Elts = append(to.Elts, data.Elts...)
			continue
		}
		first[name] = data
		joined = append(joined, d)
	}
	return joined
}

// dataField returns the name and value of a field that is a struct of plain data.
func dataField(d ast.Decl) (string, *ast.StructLit) {
	f, ok := d.(*ast.Field)
	if !ok || !regular(f) || !plainData(f.Value) {
		return "", nil
	}
	data, ok := f.Value.(*ast.StructLit)
	if !ok {
		return "", nil
	}
	name, _, err := ast.LabelName(f.Label)
	if err != nil {
		return "", nil
	}
	return name, data
}

// regular reports whether f has a label that is a plain name, and no
// attributes, alias or constraint.
func regular(f *ast.Field) bool {
	if len(f.Attrs) > 0 || f.Constraint != token.ILLEGAL || f.Alias != nil {
		return false
	}
	switch l := f.Label.(type) {
	case *ast.Ident:
		return plain(l.Name)
	case *ast.BasicLit:
		return l.Kind == token.STRING
	}
	return false
}

// plainData reports whether x consists of literals alone.
func plainData(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ListLit:
		for _, e := range x.Elts {
			if !plainData(e) {
				return false
			}
		}
		return true
	case *ast.StructLit:
		for _, d := range x.Elts {
			f, ok := d.(*ast.Field)
			if !ok || !regular(f) || !plainData(f.Value) {
				return false
			}
		}
		return true
	}
	return false
}
