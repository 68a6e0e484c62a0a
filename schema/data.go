package schema

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/yaml"
)

// parseData reads a JSON or YAML file.
func (f *files) parseData(path string) (*ast.File, *Problem) {
	shown := f.shown[path]
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(shown, err)
	}
	f.text[shown] = text
	var file *ast.File
	if filepath.Ext(path) == ".json" {
		var x ast.Expr
		if x, err = json.Extract(shown, text); err == nil {
			file = &ast.File{Filename: shown, Decls: []ast.Decl{&ast.EmbedDecl{Expr: x}}}
		}
	} else {
		file, err = yaml.Extract(shown, text)
	}
	if err != nil {
		return nil, dataProblem(shown, err)
	}
	return file, notAMapping(shown, file)
}

// notAMapping refuses a file whose top level is no mapping of fields: a list,
// a scalar, several YAML documents, or nothing.
func notAMapping(shown string, file *ast.File) *Problem {
	for _, d := range file.Decls {
		e, ok := d.(*ast.EmbedDecl)
		if !ok {
			continue
		}
		if _, ok := e.Expr.(*ast.StructLit); !ok {
			return &Problem{Pos: Pos{shown, 1, 1}, Text: "must be one mapping with the fields " + strings.Join(configFields, ", ")}
		}
	}
	return nil
}

// yamlError is how the YAML decoder words its errors.
var yamlError = regexp.MustCompile(`^.*\.ya?ml:(?:([0-9]+):(?:([0-9]+):)?)? (.*)$`)

// jsonPrefix starts the errors of the JSON decoder.
var jsonPrefix = regexp.MustCompile(`^invalid JSON for file ".*?": `)

func dataProblem(shown string, err error) *Problem {
	p := &Problem{Pos: Pos{shown, 1, 1}, Text: err.Error()}
	if at := cueerrors.Positions(err); len(at) > 0 && at[0] != token.NoPos {
		p.Pos = posOf(at[0])
	}
	p.Text = jsonPrefix.ReplaceAllString(p.Text, "")
	if m := yamlError.FindStringSubmatch(p.Text); m != nil {
		p.Text = m[3]
		if n, err := strconv.Atoi(m[1]); err == nil {
			p.Pos.Line = n
		}
		if n, err := strconv.Atoi(m[2]); err == nil {
			p.Pos.Column = n
		}
	}
	return p
}
