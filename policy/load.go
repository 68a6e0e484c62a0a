package policy

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"strata/schema"
)

// Load reads policies: each path is a directory, whose CUE files count, or a
// CUE file. The error is of type schema.Problems and has everything that is wrong.
func Load(paths []string) (*Policy, error) {
	p := &Policy{}
	var problems schema.Problems
	for _, path := range paths {
		s, wrong := load(filepath.Clean(path))
		problems = append(problems, wrong...)
		p.sets = append(p.sets, s)
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b *schema.Problem) int {
			return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
		})
		return nil, problems
	}
	return p, nil
}

func load(dir string) (*set, schema.Problems) {
	names, unread, problem := filesOf(dir)
	if problem != nil {
		return nil, schema.Problems{problem}
	}
	inst := build.NewContext().NewInstance(dir, nil)
	var problems schema.Problems
	for _, name := range names {
		f, err := parser.ParseFile(name, nil, parser.ParseComments)
		if err == nil {
			err = inst.AddSyntax(f)
		}
		problems = append(problems, fromCUE(err)...)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	ctx := cuecontext.New()
	v := ctx.BuildInstance(inst)
	if err := v.Validate(); err != nil {
		return nil, fromCUE(err)
	}
	s := &set{dir: dir, ctx: ctx, value: v, plan: v.LookupPath(planPath).Exists(), unread: unread}
	return s, s.read()
}

// filesOf lists the CUE files of a directory, or the one that is named, and what
// else is there: somebody may have taken that for a part of the policy.
func filesOf(path string) (names, unread []string, problem *schema.Problem) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, &schema.Problem{Path: path, Text: "there is no such policy", Hint: "--policy names a directory with CUE files"}
	}
	if !info.IsDir() {
		return []string{path}, nil, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, &schema.Problem{Path: path, Text: "cannot be read: " + err.Error()}
	}
	for _, e := range entries {
		name, ext := filepath.Join(path, e.Name()), filepath.Ext(e.Name())
		switch {
		case strings.HasPrefix(e.Name(), ".") || ext == ".md" || e.IsDir() && e.Name() == "cue.mod":
		case ext != ".cue" || strings.HasPrefix(e.Name(), "_") || e.IsDir():
			unread = append(unread, name)
		default:
			info, err := os.Stat(name)
			if err != nil {
				return nil, nil, &schema.Problem{Path: name, Text: "cannot be read: " + err.Error()}
			}
			if !info.Mode().IsRegular() { // reading a pipe might never end
				return nil, nil, &schema.Problem{Path: name, Text: "is no regular file"}
			}
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		problem = &schema.Problem{Path: path, Text: "has no CUE file", Hint: "strata schema policy says what to write"}
	}
	return names, unread, problem
}

// fromCUE makes problems of what CUE reports.
func fromCUE(err error) schema.Problems {
	var problems schema.Problems
	for _, e := range errors.Errors(err) {
		problems = append(problems, &schema.Problem{Pos: posOf(first(e)), Text: said(e)})
	}
	return problems
}

// first is the position of an error, in the policy if there is one.
func first(e errors.Error) token.Pos {
	for _, p := range append([]token.Pos{e.Position()}, e.InputPositions()...) {
		if p.IsValid() && p.Filename() != "" {
			return p
		}
	}
	return token.NoPos
}

// said is an error's text without the path before it.
func said(e errors.Error) string {
	text := e.Error()
	if path := strings.Join(e.Path(), "."); path != "" {
		text = path + ": " + strings.TrimPrefix(text, path+": ")
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

func posOf(p token.Pos) schema.Pos {
	if !p.IsValid() {
		return schema.Pos{}
	}
	return schema.Pos{File: p.Filename(), Line: p.Line(), Column: p.Column()}
}

// labelPos is where a field is written: its label, where that is known.
func labelPos(v cue.Value) schema.Pos {
	if f, ok := v.Source().(*ast.Field); ok {
		return posOf(f.Label.Pos())
	}
	if _, args := v.Expr(); len(args) > 0 && v.Source() == nil {
		if f, ok := args[0].Source().(*ast.Field); ok {
			return posOf(f.Label.Pos())
		}
	}
	return posOf(v.Pos())
}
