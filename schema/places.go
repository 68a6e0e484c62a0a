package schema

import (
	"slices"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// place is a field as the user's files write it out. It gives a field's label
// where CUE's evaluator only knows of values, which may stand in a template.
type place struct {
	written []writing
	fields  map[string]*place
	// computed are the fields whose labels are expressions, as in loops.
	computed []*place
}

// writing is one of the times that a field is written.
type writing struct{ label, value token.Pos }

// label returns where the label of the field stands whose value is at value;
// when that is none of the field's values, the label that comes first.
func (p *place) label(value token.Pos) token.Pos {
	if p == nil || len(p.written) == 0 {
		return value
	}
	for _, w := range p.written {
		if w.value == value {
			return w.label
		}
	}
	return p.written[0].label
}

func (p *place) field(name string) *place {
	if p == nil {
		return nil
	}
	if f := p.fields[name]; f != nil || len(p.computed) != 1 {
		return f
	}
	return p.computed[0]
}

// find follows names as far as they are written out.
func (p *place) find(names []string) *place {
	for _, name := range names {
		next := p.field(name)
		if next == nil {
			break
		}
		p = next
	}
	return p
}

// add records the fields that decls write out. Patterns are not fields.
func (p *place) add(decls []ast.Decl) {
	for _, d := range decls {
		switch d := d.(type) {
		case *ast.Field:
			switch d.Label.(type) {
			case *ast.Interpolation, *ast.ParenExpr:
				c := &place{}
				p.computed = append(p.computed, c)
				c.write(d)
				continue
			}
			if name, _, err := ast.LabelName(d.Label); err == nil {
				p.child(name).write(d)
			}
		case *ast.EmbedDecl:
			p.addExpr(d.Expr)
		case *ast.Comprehension:
			p.addExpr(d.Value)
		}
	}
}

func (p *place) addExpr(x ast.Expr) {
	switch x := x.(type) {
	case *ast.StructLit:
		p.add(x.Elts)
	case *ast.ParenExpr:
		p.addExpr(x.X)
	case *ast.BinaryExpr:
		if x.Op == token.AND {
			p.addExpr(x.X)
			p.addExpr(x.Y)
		}
	case *ast.Comprehension:
		p.addExpr(x.Value)
	}
}

func (p *place) child(name string) *place {
	if p.fields == nil {
		p.fields = map[string]*place{}
	}
	c := p.fields[name]
	if c == nil {
		c = &place{}
		p.fields[name] = c
	}
	return c
}

// write records that f writes the place.
func (p *place) write(f *ast.Field) {
	w := writing{label: f.Label.Pos()}
	if f.Value != nil {
		w.value = f.Value.Pos()
		p.addExpr(f.Value)
	}
	p.written = append(p.written, w)
}

// plain reports whether an identifier used as a label names a regular field.
func plain(name string) bool { return name != "" && name[0] != '_' && name[0] != '#' }

// tagsOf returns the keys of the @tag attributes of f's fields by the position
// of the field's value.
func tagsOf(f *ast.File, tags map[token.Pos]string) {
	ast.Walk(f, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && field.Value != nil {
			for _, a := range field.Attrs {
				if key, body := a.Split(); key == "tag" {
					tags[field.Value.Pos()] = body
				}
			}
		}
		return true
	}, nil)
}

// unsetTags returns the keys of the tags that were not given, and whose fields
// have no value or default without that.
func unsetTags(f *ast.File, given []string) (keys []string) {
	ast.Walk(f, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if !ok {
			return true
		}
		for _, a := range field.Attrs {
			attr, body := a.Split()
			key := tagKey(body)
			if attr == "tag" && !hasValue(field.Value) && !wasGiven(body, given) && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		return true
	}, nil)
	return keys
}

// wasGiven reports whether a tag, "zone,short=a|b", was given: as zone=a or as a.
func wasGiven(body string, given []string) bool {
	_, short, _ := strings.Cut(body, "short=")
	short, _, _ = strings.Cut(short, ",")
	return slices.ContainsFunc(given, func(g string) bool {
		key, _, assigned := strings.Cut(g, "=")
		return key == tagKey(body) || g == withVars && strings.Contains(body, "var=") || !assigned && slices.Contains(strings.Split(short, "|"), g)
	})
}

// hasValue reports whether an expression is a literal, or has one as its default.
func hasValue(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BasicLit:
		return true
	case *ast.UnaryExpr:
		return x.Op == token.MUL
	case *ast.ParenExpr:
		return hasValue(x.X)
	case *ast.BinaryExpr:
		return x.Op == token.OR && (isDefault(x.X) || isDefault(x.Y))
	}
	return false
}

func isDefault(x ast.Expr) bool {
	if b, ok := x.(*ast.BinaryExpr); ok {
		return hasValue(b)
	}
	u, ok := x.(*ast.UnaryExpr)
	return ok && u.Op == token.MUL
}

// labelsOf returns what fields, helpers and let clauses of a file are called.
func labelsOf(f *ast.File) (names []string) {
	ast.Walk(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if name, _, err := ast.LabelName(n.Label); err == nil {
				names = append(names, name)
			}
		case *ast.LetClause:
			names = append(names, n.Ident.Name)
		}
		return true
	}, nil)
	return names
}

// posOf converts a position; files carry the names they are shown by.
func posOf(p token.Pos) Pos {
	if !p.IsValid() {
		return Pos{}
	}
	at := p.Position()
	return Pos{File: at.Filename, Line: at.Line, Column: at.Column}
}

// pos converts a position; files that are embedded get the names they are shown by.
func (d *document) pos(p token.Pos) Pos {
	at := posOf(p)
	if shown := d.files[at.File]; shown != "" {
		at.File = shown
	}
	return at
}
