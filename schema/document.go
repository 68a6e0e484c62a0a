package schema

import (
	"bytes"
	"encoding/json"
	"reflect"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/token"
	cuejson "cuelang.org/go/encoding/json"
)

// Document evaluates a configuration, as Load does, and returns it as plain JSON,
// which Parse reads: what templates, tags and imports come to.
func Document(paths []string, tags []string) ([]byte, error) {
	f, problems := gather(paths)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	doc, _, problems := f.judged(tags)
	if len(problems) > 0 {
		return nil, problems.tidy()
	}
	text, err := doc.value.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Compact(&b, text)
	return b.Bytes(), err
}

// Parse reads what Document has made, and holds it to the schema as Load does.
// name is what problems call it.
func Parse(name string, text []byte) (*Config, error) {
	x, err := cuejson.Extract(name, text)
	if err != nil {
		return nil, Problems{dataProblem(name, err)}
	}
	file := &ast.File{Filename: name, Decls: []ast.Decl{&ast.EmbedDecl{Expr: x}}}
	if p := notAMapping(name, file); p != nil {
		return nil, Problems{p}
	}
	inst := build.NewContext().NewInstance("", nil)
	if err := inst.AddSyntax(file); err != nil {
		return nil, Problems{dataProblem(name, err)}
	}
	doc := &document{places: &place{}, tags: map[token.Pos]string{}}
	doc.places.add(file.Decls)
	doc.value = cuecontext.New().BuildInstance(inst)
	cfg := doc.config()
	if len(doc.problems) > 0 {
		return nil, doc.problems.tidy()
	}
	return cfg, nil
}

// Same reports whether two configurations say the same, wherever they stand.
func (c *Config) Same(o *Config) bool {
	a, errA := json.Marshal(c.unplaced())
	b, errB := json.Marshal(o.unplaced())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// unplaced is a copy without positions.
func (c *Config) unplaced() *Config {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // it is plain data
	}
	out := &Config{}
	if err := json.Unmarshal(text, out); err != nil {
		panic(err)
	}
	forget(reflect.ValueOf(out))
	return out
}

// forget clears every position in a value.
func forget(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			forget(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			forget(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Field(i); f.Interface().(type) {
			case Pos, []Pos, map[string]Pos:
				f.SetZero()
			default:
				forget(f)
			}
		}
	}
}
