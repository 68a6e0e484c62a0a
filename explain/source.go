package explain

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// source is the schema's text, parsed.
type source struct {
	defs map[string]*ast.Field // by name, with its #
}

// place is a field of the schema: all that is declared of it.
type place struct {
	path  []string
	decls []declaration
}

// declaration is one of the places where the schema declares a field.
type declaration struct {
	value  ast.Expr
	mark   token.Token // ! or ?; ILLEGAL for none
	doc    []string
	only   []string // conditions in words, outermost first
	within string   // definition that it stands in
	// alternative is set where it stands in one of several structs, of which one counts.
	alternative bool
}

func parse(text string) (*source, error) {
	file, err := parser.ParseFile("schema.cue", text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	s := &source{defs: map[string]*ast.Field{}}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			if name, ok := labelOf(f.Label); ok {
				s.defs[name] = f
			}
		}
	}
	return s, nil
}

func (s *source) root() *place {
	return &place{decls: []declaration{{value: ast.NewIdent("#Config")}}}
}

func (p *place) label() string { return p.path[len(p.path)-1] }

// below are the fields within a place, in the order of the schema.
func (s *source) below(at *place) []*place {
	var all []*place
	add := func(label string, d declaration) {
		for _, p := range all {
			if p.label() == label {
				p.decls = append(p.decls, d)
				return
			}
		}
		all = append(all, &place{path: append(slices.Clone(at.path), label), decls: []declaration{d}})
	}
	for _, d := range at.decls {
		for _, lit := range s.structs(d.value, declaration{within: d.within}, 0) {
			s.fields(lit.lit.Elts, lit.declaration, add)
		}
	}
	return slices.DeleteFunc(all, func(p *place) bool {
		return !slices.ContainsFunc(p.decls, func(d declaration) bool { return !bottom(d.value) })
	})
}

// fields calls add with the fields of a struct, those of its conditions included. as is
// what holds of all.
func (s *source) fields(elts []ast.Decl, as declaration, add func(string, declaration)) {
	for _, d := range elts {
		switch d := d.(type) {
		case *ast.Field:
			label, ok := labelOf(d.Label)
			if !ok || strings.HasPrefix(label, "_") || strings.HasPrefix(label, "#") {
				continue
			}
			here := as
			here.value, here.mark, here.doc = d.Value, d.Constraint, docOf(d)
			add(label, here)
		case *ast.Comprehension:
			lit, ok := d.Value.(*ast.StructLit)
			if !ok {
				continue
			}
			if cond, ok := condition(d.Clauses); ok {
				here := as
				here.only = append(slices.Clone(as.only), cond)
				s.fields(lit.Elts, here, add)
			}
		}
	}
}

// literal is a struct of the schema, and what is declared of all in it.
type literal struct {
	lit *ast.StructLit
	declaration
}

// structs are the structs that an expression may be, and those that are in its lists.
func (s *source) structs(x ast.Expr, as declaration, depth int) []literal {
	if depth > 16 {
		return nil
	}
	switch x := x.(type) {
	case *ast.StructLit:
		return []literal{{x, as}}
	case *ast.Ident:
		if def := s.defs[x.Name]; def != nil {
			as.within = x.Name
			return s.structs(def.Value, as, depth+1)
		}
	case *ast.ParenExpr:
		return s.structs(x.X, as, depth+1)
	case *ast.UnaryExpr:
		return s.structs(x.X, as, depth+1)
	case *ast.BinaryExpr:
		if x.Op != token.OR && x.Op != token.AND {
			return nil
		}
		all := append(s.structs(x.X, as, depth+1), s.structs(x.Y, as, depth+1)...)
		if x.Op == token.OR {
			for i := range all {
				all[i].alternative = true
			}
		}
		return all
	case *ast.ListLit:
		var all []literal
		for _, e := range x.Elts {
			if rest, ok := e.(*ast.Ellipsis); ok && rest.Type != nil {
				e = rest.Type
			}
			all = append(all, s.structs(e, as, depth+1)...)
		}
		return all
	}
	return nil
}

// labelOf is the name of a field; that of a pattern is anyName.
func labelOf(l ast.Label) (string, bool) {
	switch l := l.(type) {
	case *ast.Ident:
		return l.Name, true
	case *ast.BasicLit:
		return strings.Trim(l.Value, `"`), true
	case *ast.Alias:
		if l, ok := l.Expr.(ast.Label); ok {
			return labelOf(l)
		}
	case *ast.ListLit:
		if len(l.Elts) == 1 {
			return anyName, true
		}
	}
	return "", false
}

// condition puts the clauses of a comprehension into words; false if it is a loop.
func condition(clauses []ast.Clause) (string, bool) {
	var all []string
	for _, c := range clauses {
		c, ok := c.(*ast.IfClause)
		if !ok {
			return "", false
		}
		all = append(all, words(c.Condition))
	}
	return strings.Join(all, ", and "), true
}

// words puts a condition into words: "with layout", "without layout".
func words(x ast.Expr) string {
	if b, ok := x.(*ast.BinaryExpr); ok {
		name := text(b.X)
		switch {
		case b.Op == token.EQL && bottom(b.Y):
			return "without " + name
		case b.Op == token.NEQ && bottom(b.Y):
			return "with " + name
		case b.Op == token.LOR:
			return words(b.X) + " or " + words(b.Y)
		case b.Op == token.LAND:
			return words(b.X) + " and " + words(b.Y)
		case b.Op == token.EQL:
			return "where " + name + " is " + text(b.Y)
		}
	}
	return "where " + text(x)
}

// docOf are the lines of a declaration's comment.
func docOf(n ast.Node) (lines []string) {
	for _, group := range ast.Comments(n) {
		for _, c := range group.List {
			lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(c.Text, "//"), " "))
		}
	}
	return lines
}

func bottom(x ast.Expr) bool {
	_, is := x.(*ast.BottomLit)
	return is
}
