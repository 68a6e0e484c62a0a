package plan

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// TestOpTypes: every type of op.go that embeds At is known by its name.
func TestOpTypes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "op.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		s, ok := spec.Type.(*ast.StructType)
		if ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
			id, ok := f.Type.(*ast.Ident)
			return ok && id.Name == "At" && f.Names == nil
		}) {
			declared = append(declared, spec.Name.Name)
		}
		return true
	})
	if got := OpNames(); !slices.Equal(got, declared) {
		t.Errorf("known are\n%v\nof\n%v", got, declared)
	}
}
