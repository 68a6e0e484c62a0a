package explain

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"
)

// field is what is said of a place, without what is in it.
func (s *source) field(at *place) *Field {
	f := &Field{Path: strings.Join(at.path, ".")}
	decls := slices.DeleteFunc(slices.Clone(at.decls), func(d declaration) bool { return bottom(d.value) })
	var docs, types, defaults, refs []string
	for _, d := range decls {
		f.required(d)
		docs = append(docs, d.doc...)
		if given := defaultOf(d.value); given != "" && !slices.Contains(defaults, given) {
			defaults = append(defaults, given)
		}
	}
	if f.Default = strings.Join(defaults, " or "); len(defaults) > 1 {
		f.Default += ", as said above"
	}
	for _, d := range saying(decls) {
		if kind := s.kind(d.value); !slices.Contains(types, kind) {
			types = append(types, kind)
			refs = append(refs, references(d.value)...)
		}
	}
	if f.Type = strings.Join(types, " & "); !slices.ContainsFunc(decls, always) {
		for _, d := range decls {
			if only := d.onlyWords(); !slices.Contains(f.Only, only) {
				f.Only = append(f.Only, only)
			}
		}
	}
	slices.Sort(refs)
	for _, name := range slices.Compact(refs) {
		def := s.defs[name]
		if def == nil {
			continue
		}
		if len(s.structs(def.Value, declaration{within: name}, 0)) == 0 {
			f.Means = append(f.Means, name+": "+text(def.Value))
		}
		if doc := docOf(def); len(doc) > 0 {
			docs = append(append(docs, ""), doc...)
		}
	}
	f.Doc = strings.TrimSpace(strings.Join(docs, "\n"))
	return f
}

// saying are the declarations that tell what a field may be: where one holds always, none
// that holds only at times.
func saying(decls []declaration) []declaration {
	says := func(d declaration) bool {
		i, is := d.value.(*ast.Ident)
		return !is || i.Name != "_"
	}
	of := func(match func(declaration) bool) (out []declaration) {
		for _, d := range decls {
			if match(d) {
				out = append(out, d)
			}
		}
		return out
	}
	if holds := of(func(d declaration) bool { return says(d) && always(d) }); len(holds) > 0 {
		return holds
	}
	return of(says)
}

// always reports whether a declaration holds whatever else there is.
func always(d declaration) bool { return len(d.only) == 0 }

// onlyWords are the conditions of a declaration, without those that follow from others.
func (d declaration) onlyWords() string {
	var all []string
	for i, c := range d.only {
		if !slices.ContainsFunc(d.only[i+1:], func(o string) bool { return strings.HasPrefix(o, c+".") }) {
			all = append(all, c)
		}
	}
	return strings.Join(all, ", ")
}

// required takes note of when it has to be given.
func (f *Field) required(d declaration) {
	switch {
	case d.mark != token.NOT:
	case d.alternative:
		f.Required = "one of the alternatives"
	case always(d):
		f.Required = "yes"
	case f.Required == "":
		f.Required = d.onlyWords()
	case f.Required != "yes":
		f.Required += ", or " + d.onlyWords()
	}
}

// kind is what a value may be, in a line.
func (s *source) kind(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StructLit:
		if len(x.Elts) == 1 {
			if f, ok := x.Elts[0].(*ast.Field); ok {
				if l, ok := f.Label.(*ast.ListLit); ok && len(l.Elts) == 1 {
					return "{[" + text(l.Elts[0]) + "]: " + s.kind(f.Value) + "}"
				}
			}
		}
		return text(x)
	case *ast.BinaryExpr:
		if x.Op == token.AND {
			return s.and(x)
		}
		if x.Op == token.OR {
			return s.or(x)
		}
	case *ast.UnaryExpr:
		if x.Op == token.MUL {
			return text(x.X)
		}
	}
	return text(x)
}

// or leaves out a default that is one of all strings, numbers or truths beside it.
func (s *source) or(x *ast.BinaryExpr) string {
	if u, ok := x.X.(*ast.UnaryExpr); ok && u.Op == token.MUL {
		if i, ok := x.Y.(*ast.Ident); ok && !strings.HasPrefix(i.Name, "#") {
			if i.Name == "_" {
				return text(u.X)
			}
			return i.Name
		}
	}
	return s.kind(x.X) + " | " + s.kind(x.Y)
}

// and leaves out of what is demanded at once what hands values on inside the schema.
func (s *source) and(x *ast.BinaryExpr) string {
	var all []string
	for _, part := range []ast.Expr{x.X, x.Y} {
		if lit, ok := part.(*ast.StructLit); ok && hiddenOnly(lit) {
			continue
		}
		all = append(all, s.kind(part))
	}
	return strings.Join(all, " & ")
}

func hiddenOnly(lit *ast.StructLit) bool {
	return !slices.ContainsFunc(lit.Elts, func(d ast.Decl) bool {
		f, ok := d.(*ast.Field)
		name := ""
		if ok {
			name, ok = labelOf(f.Label)
		}
		return !ok || !strings.HasPrefix(name, "_")
	})
}

// defaultOf is the default of an expression; "" for none.
func defaultOf(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.UnaryExpr:
		if x.Op == token.MUL {
			return text(x.X)
		}
	case *ast.ParenExpr:
		return defaultOf(x.X)
	case *ast.BinaryExpr:
		if x.Op == token.OR {
			if left := defaultOf(x.X); left != "" {
				return left
			}
			return defaultOf(x.Y)
		}
		if x.Op == token.AND {
			return defaultOf(x.X)
		}
	}
	return ""
}

// references are the definitions in an expression.
func references(x ast.Expr) (names []string) {
	ast.Walk(x, func(n ast.Node) bool {
		if i, ok := n.(*ast.Ident); ok && strings.HasPrefix(i.Name, "#") {
			names = append(names, i.Name)
		}
		_, inside := n.(*ast.StructLit)
		return !inside
	}, nil)
	return names
}

// text is an expression in one line.
func text(x ast.Expr) string {
	b, err := format.Node(x, format.Simplify())
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b)), " ")
}
