package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"strata/machine"
)

// documentOf has, by verb, the document that --json prints.
var documentOf = map[string]string{"plan": "plan", "show": "plan", "apply": "events", "status": "status"}

func (l *lab) cmdJSON(s *script, args []string) error {
	cmd := s.process(args)
	var out bytes.Buffer
	cmd.Stdout = io.MultiWriter(&out, cmd.Stdout)
	ended := cmd.Run()
	if err := ran(ended); err != nil {
		return err
	}
	document := documentOf[args[1]]
	if slices.Contains(args, "--if") {
		document = "if"
	}
	if err := l.conforms(document, &out); err != nil {
		return err
	}
	return ended
}

// conforms holds JSON values to the schema of a document; "" is any.
func (l *lab) conforms(document string, in io.Reader) error {
	var schema cue.Value
	if document != "" {
		var err error
		if schema, err = strict(document); err != nil {
			return err
		}
	}
	for d := json.NewDecoder(in); ; {
		var v json.RawMessage
		if err := d.Decode(&v); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if document == "" {
			continue
		}
		value := cuecontext.New().CompileBytes(v)
		if err := schema.Unify(value).Validate(cue.Concrete(true)); err != nil {
			return fmt.Errorf("%s is not as strata schema %s says: %s", v, document, errors.Details(err, nil))
		}
	}
}

var open = regexp.MustCompile(`(?m)^\t+\.\.\.\n`)

// strict is the schema of a document without the room that it leaves for
// fields of later versions: whatever is printed stands in it.
func strict(document string) (cue.Value, error) {
	source, ok := machine.Schema(document)
	if !ok {
		return cue.Value{}, fmt.Errorf("no schema of %s", document)
	}
	closed := open.ReplaceAllString(source, "")
	if closed == source {
		return cue.Value{}, fmt.Errorf("the schema of %s has no room for fields of later versions", document)
	}
	v := cuecontext.New().CompileString(closed)
	root := map[string]string{"plan": "#Plan", "events": "#Event", "status": "#Status", "saved": "#Saved", "if": "#If"}[document]
	return v.LookupPath(cue.ParsePath(root)), v.Err()
}

func (l *lab) cmdConforms(s *script, args []string) error {
	return l.conforms(args[0], strings.NewReader(s.ReadFile(args[1])))
}
