package machine

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	cuejson "cuelang.org/go/encoding/json"
	"cuelang.org/go/encoding/jsonschema"
)

// TestPromise holds the schemas to what was printed when a format was new: it
// is valid for ever, by the CUE schema and by the JSON Schema. The files of
// testdata/v1 and v2 are never written anew.
func TestPromise(t *testing.T) {
	for _, document := range Documents() {
		for name, schema := range schemas(t, document) {
			n := 0
			for _, v := range values(t, document) {
				n++
				if err := valid(schema, v); err != nil {
					t.Errorf("%s, %s: %s\n%s", document, name, errors.Details(err, nil), v)
				}
			}
			if n == 0 {
				t.Errorf("nothing of %s was looked at", document)
			}
		}
	}
}

// TestRoom: a document of a later version has more fields.
func TestRoom(t *testing.T) {
	for _, document := range Documents() {
		for name, schema := range schemas(t, document) {
			for _, v := range values(t, document) {
				more := strings.Replace(string(v), "{", `{"fieldOfALaterVersion": {"x": [1]},`, 1)
				if err := valid(schema, []byte(more)); err != nil {
					t.Errorf("%s, %s: %s", document, name, errors.Details(err, nil))
				}
			}
		}
	}
}

// TestRefused: what lacks a field, or has one of another type, is not valid.
func TestRefused(t *testing.T) {
	wrong := map[string][]string{
		"plan": {
			`{}`, `{"format": 2}`, `"plan"`,
			without(t, "plan", "passes"), without(t, "plan", "totals"), without(t, "plan", "format"),
			swapped(t, "plan", `"copies": 2`, `"copies": "2"`), swapped(t, "plan", `"risk": "pause"`, `"risk": "harmless"`),
		},
		"if":     {`{}`, without(t, "if", "plan"), without(t, "if", "volumes"), swapped(t, "if", `"left": 1`, `"left": "1"`)},
		"saved":  {`{}`, without(t, "saved", "plan"), swapped(t, "saved", "strata-plan/1", "strata-plan/3")},
		"import": {`{}`, without(t, "import", "plan"), without(t, "import", "volumes"), swapped(t, "import", `"text": "`, `"text": 1, "was": "`)},
		"status": {`{}`, without(t, "status", "volumes"), swapped(t, "status", `"health": "healthy"`, `"health": "fine"`)},
		"events": {`{}`, `{"event": "begin"}`, `{"event": "coffee", "time": "2026-11-21T11:41:31Z"}`, `{"event": "note", "time": "noon", "text": "x"}`},
	}
	for _, document := range Documents() {
		for name, schema := range schemas(t, document) {
			if len(wrong[document]) == 0 {
				t.Errorf("%s: nothing wrong to try", document)
			}
			for _, text := range wrong[document] {
				if valid(schema, []byte(text)) == nil {
					t.Errorf("%s, %s: %.200s is taken for valid", document, name, text)
				}
			}
		}
	}
}

// schemas are the two forms of a document's schema.
func schemas(t *testing.T, document string) map[string]cue.Value {
	ctx := cuecontext.New()
	source, ok := Schema(document)
	if !ok {
		t.Fatal("no schema of", document)
	}
	b, err := JSONSchema(document)
	if err != nil {
		t.Fatal(err)
	}
	expr, err := cuejson.Extract(document, b)
	if err != nil {
		t.Fatal(err)
	}
	file, err := jsonschema.Extract(ctx.BuildExpr(expr), &jsonschema.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]cue.Value{
		"CUE":         ctx.CompileString(source).LookupPath(cue.ParsePath(documents[document].root)),
		"JSON Schema": ctx.BuildFile(file),
	}
}

func valid(schema cue.Value, v []byte) error {
	if err := schema.Err(); err != nil {
		return err
	}
	return schema.Unify(cuecontext.New().CompileBytes(v)).Validate(cue.Concrete(true))
}

// values are the JSON values of a document's files.
func values(t *testing.T, document string) []json.RawMessage {
	later, err := os.ReadFile("testdata/v2/" + document + ".json")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(append(read(t, document), later...))); ; {
		var v json.RawMessage
		if err := d.Decode(&v); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
}

func read(t *testing.T, document string) []byte {
	b, err := os.ReadFile("testdata/v1/" + document + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func without(t *testing.T, document, field string) string {
	var v map[string]any
	if err := json.Unmarshal(read(t, document), &v); err != nil {
		t.Fatal(err)
	}
	if _, ok := v[field]; !ok {
		t.Fatal(document, "has no", field)
	}
	delete(v, field)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func swapped(t *testing.T, document, old, new string) string {
	text := string(read(t, document))
	if !strings.Contains(text, old) {
		t.Fatal(document, "has no", old)
	}
	return strings.Replace(text, old, new, 1)
}
