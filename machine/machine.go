// Package machine owns what other programs read of strata: the schemas of the
// documents that it prints as JSON, and the events of a run. What is in them
// comes from the packages that decide it.
package machine

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/encoding/jsonschema"
)

//go:embed *.cue
var sources embed.FS

// A document's schema is that of its own file and of those that it refers to.
var documents = map[string]struct {
	root  string // definition
	files []string
}{
	"plan":   {"#Plan", []string{"plan.cue", "violation.cue", "common.cue"}},
	"if":     {"#If", []string{"if.cue", "plan.cue", "violation.cue", "common.cue"}},
	"events": {"#Event", []string{"events.cue", "violation.cue", "common.cue"}},
	"status": {"#Status", []string{"status.cue"}},
	"import": {"#Import", []string{"import.cue", "plan.cue", "violation.cue", "common.cue"}},
	"saved":  {"#Saved", []string{"saved.cue", "plan.cue", "violation.cue", "common.cue"}},
}

// Documents are the names of the documents that have a schema.
func Documents() []string { return []string{"plan", "if", "saved", "events", "status", "import"} }

// Schema returns the CUE schema of a document, or false.
func Schema(document string) (string, bool) {
	d, ok := documents[document]
	var text strings.Builder
	for i, name := range d.files {
		b, err := sources.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		if i > 0 {
			text.WriteString("\n")
		}
		text.Write(b)
	}
	return text.String(), ok
}

// JSONSchema returns the schema of a document as JSON Schema, 2020-12.
func JSONSchema(document string) ([]byte, error) {
	source, ok := Schema(document)
	if !ok {
		return nil, fmt.Errorf("there is no schema of %s", document)
	}
	ctx := cuecontext.New()
	v := ctx.CompileString(source, cue.Filename(document+".cue"))
	expr, err := jsonschema.Generate(v.LookupPath(cue.ParsePath(documents[document].root)), &jsonschema.GenerateConfig{
		Version: jsonschema.VersionDraft2020_12, ExplicitOpen: true,
	})
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", document, err)
	}
	b, err := ctx.BuildExpr(expr).MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", document, err)
	}
	var text bytes.Buffer
	err = json.Indent(&text, b, "", "  ")
	text.WriteByte('\n')
	return text.Bytes(), err
}
