package policy

import (
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
)

// written is a value as it stands in its file, or what it comes to where it
// refers to others.
func written(v cue.Value) string {
	node := v.Source()
	if f, ok := node.(*ast.Field); ok {
		node = f.Value
	}
	if node == nil || refers(node) {
		node = v.Syntax(cue.Final())
	}
	b, err := format.Node(node, format.Simplify())
	if err != nil {
		return v.IncompleteKind().String()
	}
	return strings.Join(strings.Fields(string(b)), " ")
}

// refers reports whether something else has to be known to read an expression.
func refers(node ast.Node) bool {
	found := false
	ast.Walk(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.File:
			found = true
		case *ast.Ident:
			switch n.Name {
			case "string", "int", "number", "bool", "_", "strings", "list", "regexp":
			default:
				found = true
			}
		case *ast.Field: // its label refers to nothing
			found = found || refers(n.Value)
			return false
		}
		return !found
	}, nil)
	return found
}
