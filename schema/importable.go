package schema

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/ast/astutil"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// stated has what the schema that is imported says in another way: what cannot be
// derived, for it hangs on what another field is by default.
//
//go:embed importable.cue
var stated string

// Importable returns the schema as a package that configurations import, as Module has it.
//
// It is derived from schema.cue, and accepts the same, but it gives nothing a value: what a
// configuration leaves open stays open, for its own templates and for strata. So each field
// that has a default is one that may be left out; and where something else hangs on it, it
// stands there with its default.
var Importable = sync.OnceValue(func() string {
	file, err := parser.ParseFile("schema.cue", source, parser.ParseComments)
	if err != nil {
		panic(err) // it is a part of this program
	}
	other, err := parser.ParseFile("importable.cue", stated, parser.ParseComments)
	if err != nil {
		panic(err)
	}
	instead := map[string]*ast.Field{}
	for _, d := range other.Decls {
		if f, ok := d.(*ast.Field); ok {
			instead[labelText(f)] = f
		}
	}
	o := &opener{defaults: map[ast.Node]ast.Expr{}, ctx: cuecontext.New()}
	o.scope = o.ctx.CompileString(source)
	ast.Walk(file, o.note, nil)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			if other := instead[labelText(f)]; other != nil {
				f.Value = other.Value
			} else {
				o.open(f.Value)
			}
		}
	}
	text, err := format.Node(file, format.Simplify())
	if err != nil {
		panic(err)
	}
	return importableDoc + string(text)
})

// silent is a package that has the definitions of the schema and says nothing.
var silent = sync.OnceValue(func() string {
	file, err := parser.ParseFile("schema.cue", source)
	if err != nil {
		panic(err) // it is a part of this program
	}
	var b strings.Builder
	b.WriteString("package schema\n\n")
	for _, d := range file.Decls {
		if f, ok := d.(*ast.Field); ok {
			b.WriteString(labelText(f) + ": _\n")
		}
	}
	return b.String()
})

const importableDoc = `// The schema of a strata cluster's configuration, for cue vet, cue lsp and cue export beside
// strata. It says what may be written, and gives nothing a value: "strata schema" prints it
// with what is meant by what is left out.
//
//	package lab
//
//	import "` + ModulePath + `"
//
//	schema.#Config
//	cluster: "lab"
`

// opener takes the defaults of fields away.
type opener struct {
	ctx      *cue.Context
	scope    cue.Value             // the schema
	defaults map[ast.Node]ast.Expr // by the value of a field, or its alias, which is what the parser has a name refer to
}

// note takes note of the defaults of fields; where a field is a struct of its own, that is an
// empty one.
func (o *opener) note(n ast.Node) bool {
	f, ok := n.(*ast.Field)
	if !ok || f.Constraint != token.ILLEGAL || !named(f) {
		return true
	}
	def, _ := o.parted(f.Value)
	if _, isStruct := f.Value.(*ast.StructLit); isStruct {
		def = ast.NewStruct()
	}
	if def != nil {
		o.defaults[f.Value] = def
		if a, ok := f.Label.(*ast.Alias); ok {
			o.defaults[a] = def
		}
	}
	return true
}

// open takes the defaults out of an expression, and has what refers to one of their fields
// take them where the field is left out.
func (o *opener) open(x ast.Node) {
	astutil.Apply(x, func(c astutil.Cursor) bool {
		switch n := c.Node().(type) {
		case *ast.Field:
			if n.Constraint == token.ILLEGAL && named(n) {
				n.Constraint = token.OPTION
				_, n.Value = o.parted(n.Value)
			}
		case *ast.BinaryExpr:
			if n.Op == token.AND && hiddenOnly(n.Y) {
				c.Replace(n.X) // what it tells a definition, which is stated otherwise
			}
			exclusive(n)
		case *ast.Ident:
			if def := o.defaults[n.Node]; def != nil {
				c.Replace(orDefault(n, def))
				return false
			}
		}
		return true
	}, nil)
}

// exclusive has each of the alternatives of a disjunction that are structs exclude what only
// others have. In a definition that is closed they do so without; one that is embedded in a
// configuration is open.
func exclusive(x *ast.BinaryExpr) {
	if x.Op != token.OR {
		return
	}
	var structs []*ast.StructLit
	for _, y := range alternatives(x) {
		if s, ok := y.(*ast.StructLit); ok {
			structs = append(structs, s)
		}
	}
	for _, s := range structs {
		for _, other := range structs {
			for _, d := range other.Elts {
				if f, ok := d.(*ast.Field); ok && f.Constraint == token.NOT && !hasField(s, labelText(f)) {
					s.Elts = append(s.Elts, &ast.Field{Label: ast.NewIdent(labelText(f)), Constraint: token.OPTION, Value: &ast.BottomLit{}})
				}
			}
		}
	}
}

func hasField(s *ast.StructLit, name string) bool {
	return slices.ContainsFunc(s.Elts, func(d ast.Decl) bool {
		f, ok := d.(*ast.Field)
		return ok && labelText(f) == name
	})
}

func alternatives(x ast.Expr) []ast.Expr {
	if b, ok := x.(*ast.BinaryExpr); ok && b.Op == token.OR {
		return append(alternatives(b.X), alternatives(b.Y)...)
	}
	return []ast.Expr{x}
}

// hiddenOnly reports whether an expression is a struct of hidden fields only.
func hiddenOnly(x ast.Expr) bool {
	s, ok := x.(*ast.StructLit)
	for i := 0; ok && i < len(s.Elts); i++ {
		f, isField := s.Elts[i].(*ast.Field)
		ok = isField && strings.HasPrefix(labelText(f), "_")
	}
	return ok && len(s.Elts) > 0
}

// orDefault is what a field has, or else its default.
func orDefault(field *ast.Ident, def ast.Expr) ast.Expr {
	given := ast.NewBinExpr(token.NEQ, ast.NewIdent(field.Name), &ast.BottomLit{})
	list := ast.NewList(&ast.Comprehension{
		Clauses: []ast.Clause{&ast.IfClause{Condition: given}},
		Value:   &ast.StructLit{Elts: []ast.Decl{&ast.EmbedDecl{Expr: ast.NewIdent(field.Name)}}},
	}, def)
	return &ast.IndexExpr{X: list, Index: ast.NewLit(token.INT, "0")}
}

// named reports whether a field is one that a configuration may have: no pattern, no
// definition, and none that is hidden.
func named(f *ast.Field) bool {
	name := labelText(f)
	return name != "" && name[0] != '#' && name[0] != '_'
}

func labelText(f *ast.Field) string {
	label := f.Label
	if a, ok := label.(*ast.Alias); ok {
		label, _ = a.Expr.(ast.Label)
	}
	name, _, err := ast.LabelName(label)
	if err != nil {
		return ""
	}
	return name
}

// parted returns the default of a disjunction and all that the disjunction allows.
func (o *opener) parted(x ast.Expr) (def, all ast.Expr) {
	b, ok := x.(*ast.BinaryExpr)
	if !ok || b.Op != token.OR {
		return nil, x
	}
	if u, ok := b.X.(*ast.UnaryExpr); ok && u.Op == token.MUL {
		if o.allows(b.Y, u.X) {
			return u.X, b.Y
		}
		return u.X, ast.NewBinExpr(token.OR, u.X, b.Y)
	}
	def, left := o.parted(b.X)
	return def, ast.NewBinExpr(token.OR, left, b.Y)
}

// allows reports whether a default is one of the values that the other alternatives have.
func (o *opener) allows(rest, def ast.Expr) bool {
	if _, isList := def.(*ast.ListLit); isList {
		return true // it is empty
	}
	text, err := format.Node(ast.NewBinExpr(token.AND, &ast.ParenExpr{X: rest}, def))
	return err == nil && o.ctx.CompileString(string(text), cue.Scope(o.scope)).Validate(cue.Concrete(true)) == nil
}
