package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// complete are the functions, by directory, that have to know what every type of Op
// does, or the types that they are given.
var complete = map[string][]string{
	"plan/world.Project": OpNames(),
	"plan/check.owned":   OpNames(),
	"apply.call":         OpNames(),
	"plan/recipe.do":     OpNames(), // the model of its tests
	"apply.begin":        those(func(f Facts) bool { return f.Hosts.Effect == IOHeld || f.Hosts.Effect == PathTaken }),
}

func those(are func(Facts) bool) (names []string) {
	for _, op := range opTypes {
		if are(sample(op).Facts()) {
			names = append(names, opName(op))
		}
	}
	return names
}

// TestSwitches goes through every switch over the type of an Op in the module. One
// either says in a comment what it does with all types that it does not name, or it
// refuses them: then it names every type that it is given.
func TestSwitches(t *testing.T) {
	s := newSwitches()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go"):
			return s.read(filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../"))), path, nil)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.all) < 20 {
		t.Errorf("only %d switches were found", len(s.all))
	}
	for _, fault := range s.faults(complete) {
		t.Error(fault)
	}
}

// TestSwitchesAreSeenThrough: what TestSwitches is to find, it finds.
func TestSwitchesAreSeenThrough(t *testing.T) {
	const head = "package x\nfunc do(op plan.Op) error {\n\tswitch op := op.(type) {\n"
	all := "\tcase plan." + strings.Join(OpNames()[3:], ", plan.") + ":\n\t\treturn nil\n"
	const disks = "\tcase plan.DiskAttach, plan.DiskDetach, plan.ExpectBlank:\n\t\treturn disk(op)\n"
	const refuses, nothing = "\tdefault:\n\t\treturn fmt.Errorf(\"%T\", op)\n\t}\n\treturn nil\n}\n", "\t}\n\treturn nil\n}\n"
	disk := func(types, end string) string {
		return "func disk(op plan.Op) error {\n\tswitch op.(type) {\n\tcase " + types + ":\n" + end
	}
	const three = "plan.DiskAttach, plan.DiskDetach, plan.ExpectBlank"
	for _, c := range []struct{ source, want string }{
		{head + all + disks + refuses + disk(three, refuses), ""},
		{head + all + disks + "\t}\n\treturn errors.New(\"no\")\n}\n" + disk(three, refuses), ""},
		{head + all + disks + nothing + disk(three, refuses), "x.do: what becomes of types that it does not name?"},
		{head + all + disks + "\tdefault:\n\t}\n\treturn nil\n}\n" + disk(three, refuses), "x.do: what becomes of types that it does not name?"},
		{head + all + disks + refuses + disk(three, nothing), "x.disk: what becomes of types that it does not name?"},
		{head + all + refuses, "x.do does not know DiskAttach, DiskDetach, ExpectBlank"},
		{head + all + disks + refuses + disk("plan.DiskAttach", refuses), "x.disk does not know DiskDetach, ExpectBlank"},
		{head + all + disks + refuses + disk("plan.DiskAttach", "\tdefault: // stay as they are\n"+nothing), ""},
		{head + all + disks + refuses + disk(three, refuses) + strings.Replace(disk(three, refuses), "disk", "other", 1), "x.other refuses types, and nobody says which it is given"},
	} {
		s := newSwitches()
		if err := s.read("x", "x.go", c.source); err != nil {
			t.Fatal(err)
		}
		got := s.faults(map[string][]string{"x.do": OpNames()})
		if len(got) > 1 || (len(got) == 0) != (c.want == "") || len(got) == 1 && !strings.HasSuffix(got[0], c.want) {
			t.Errorf("%s\ngot %q, want %q", c.source, got, c.want)
		}
	}
	s := newSwitches()
	if err := s.read("x", "x.go", head+refuses); err != nil {
		t.Fatal(err)
	}
	if got := s.faults(map[string][]string{"x.gone": nil}); len(got) != 1 || got[0] != "there is no x.gone, or it refuses no type" {
		t.Errorf("%q", got)
	}
}

// switches are those over the type of an Op, and who gives whom which types.
type switches struct {
	files *token.FileSet
	all   []opSwitch
	given map[string][]string // by directory and function
}

type opSwitch struct {
	at, in  string
	names   []string
	refuses bool // what it does not name
	silent  bool // nor says what becomes of it
}

func newSwitches() *switches {
	return &switches{files: token.NewFileSet(), given: map[string][]string{}}
}

func (s *switches) read(dir, path string, source any) error {
	f, err := parser.ParseFile(s.files, path, source, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			var list []ast.Stmt
			switch n := n.(type) {
			case *ast.BlockStmt:
				list = n.List
			case *ast.CaseClause:
				list = n.Body
			}
			for i, stmt := range list {
				if sw, ok := stmt.(*ast.TypeSwitchStmt); ok {
					s.note(dir, fn.Name.Name, f, sw, list[i+1:])
				}
			}
			return true
		})
	}
	return nil
}

// note notes a switch, if it is one over the type of an Op, and what follows it.
func (s *switches) note(dir, fn string, f *ast.File, sw *ast.TypeSwitchStmt, rest []ast.Stmt) {
	is := opSwitch{at: s.files.Position(sw.Pos()).String(), in: dir + "." + fn}
	var other *ast.CaseClause
	end := sw.Body.Rbrace
	for i, stmt := range sw.Body.List {
		clause := stmt.(*ast.CaseClause)
		if clause.List == nil {
			other = clause
			if i+1 < len(sw.Body.List) {
				end = sw.Body.List[i+1].Pos()
			}
			continue
		}
		var names []string
		for _, e := range clause.List {
			if name := opNamed(dir, e); name != "" {
				names = append(names, name)
			}
		}
		is.names = append(is.names, names...)
		for _, callee := range calls(clause.Body, "op") {
			s.given[dir+"."+callee] = append(s.given[dir+"."+callee], names...)
		}
	}
	if len(is.names) == 0 {
		return
	}
	switch {
	case other == nil:
		is.refuses = len(rest) > 0 && refuses(rest[:1])
		is.silent = !is.refuses
	case refuses(other.Body):
		is.refuses = true
	default:
		is.silent = !slices.ContainsFunc(f.Comments, func(c *ast.CommentGroup) bool { return other.Pos() < c.Pos() && c.End() <= end })
	}
	s.all = append(s.all, is)
}

// faults says which switches pass a type silently, or do not name one that they are given.
func (s *switches) faults(complete map[string][]string) (all []string) {
	found := map[string]bool{}
	for _, is := range s.all {
		due, root := complete[is.in]
		given, called := s.given[is.in]
		var missing []string
		for _, name := range append(slices.Clone(due), given...) {
			if !slices.Contains(is.names, name) && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
		switch {
		case is.silent:
			all = append(all, fmt.Sprintf("%s: %s: what becomes of types that it does not name?", is.at, is.in))
		case is.refuses && len(missing) > 0:
			all = append(all, fmt.Sprintf("%s: %s does not know %s", is.at, is.in, strings.Join(missing, ", ")))
		case is.refuses && !root && !called:
			all = append(all, fmt.Sprintf("%s: %s refuses types, and nobody says which it is given", is.at, is.in))
		}
		found[is.in] = found[is.in] || is.refuses || is.silent
	}
	for in := range complete {
		if !found[in] {
			all = append(all, fmt.Sprintf("there is no %s, or it refuses no type", in))
		}
	}
	return all
}

// opNamed is the type of Op that an expression names; "" for none.
func opNamed(dir string, e ast.Expr) string {
	name := ""
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "plan" {
			name = e.Sel.Name
		}
	case *ast.Ident:
		if dir == "plan" {
			name = e.Name
		}
	}
	if !slices.Contains(OpNames(), name) {
		return ""
	}
	return name
}

// calls are the functions and methods that are called with that argument.
func calls(body []ast.Stmt, arg string) (names []string) {
	for _, stmt := range body {
		ast.Inspect(stmt, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && slices.ContainsFunc(call.Args, func(e ast.Expr) bool { x, ok := e.(*ast.Ident); return ok && x.Name == arg }) {
				names = append(names, called(call))
			}
			return true
		})
	}
	return names
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// refuses reports whether a statement returns an error that is made there.
func refuses(body []ast.Stmt) bool {
	return slices.ContainsFunc(body, func(stmt ast.Stmt) bool {
		ret, ok := stmt.(*ast.ReturnStmt)
		return ok && slices.ContainsFunc(ret.Results, func(e ast.Expr) bool {
			call, ok := e.(*ast.CallExpr)
			return ok && slices.Contains([]string{"Errorf", "New", "unknown", "unmodelled"}, called(call))
		})
	})
}
