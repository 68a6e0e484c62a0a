package schema

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
)

// conflicts reports what CUE's evaluator finds wrong: values that exclude each
// other, references to nothing, values that are not known.
func (d *document) conflicts(err error) {
	errs := cueerrors.Errors(err)
	for len(errs) > 0 {
		e := errs[0]
		errs = errs[1:]
		if format, _ := e.Msg(); !strings.HasPrefix(format, "%d errors in empty disjunction") {
			d.conflict(e)
			continue
		}
		n := 0
		for n < len(errs) && within(errs[n].Path(), e.Path()) {
			n++
		}
		d.noAlternative(e, errs[:n])
		errs = errs[n:]
	}
}

func within(path, of []string) bool {
	return len(path) >= len(of) && slices.Equal(path[:len(of)], of)
}

// conflict words one error of the evaluator.
func (d *document) conflict(e cueerrors.Error) {
	names := unquoted(e.Path())
	if d.incomplete[strings.Join(names, "\x00")] {
		return
	}
	entity, subject := split(names)
	text, hint := d.word(e)
	if holdsSecret(names) {
		text, hint = "your files contradict one another", ""
	}
	at, others := d.where(e, names)
	if subject != "" {
		text = subject + ": " + text
	}
	if len(others) > 0 {
		text += " (see also " + strings.Join(others, ", ") + ")"
	}
	d.problems = append(d.problems, &Problem{Pos: at, Path: entity, Text: text, Hint: hint})
}

// word says in plain words what e says, and what to do.
func (d *document) word(e cueerrors.Error) (text, hint string) {
	format, args := e.Msg()
	text = message(e)
	switch {
	case strings.HasPrefix(format, "conflicting values %s and %s"):
		text = fmt.Sprintf("conflicting values %s and %s", args[0], args[1])
	case format == "field not allowed":
		text, hint = "not allowed by a definition that your files apply here", "add the field to the definition or leave it out"
	case strings.HasPrefix(format, "reference %q not found"):
		text, hint = fmt.Sprintf("%q is not defined", args[0]), d.undefined(fmt.Sprint(args[0]))
	case strings.HasPrefix(format, "undefined field: %s"):
		text, hint = fmt.Sprintf("refers to a field %v that does not exist", args[0]), d.meant(strings.Trim(fmt.Sprint(args[0]), `"`))
	case strings.HasPrefix(format, "structural cycle"):
		text, hint = "refers to a struct that it stands in, so it would have no end", "refer to something beside it"
	case strings.HasPrefix(format, "cycle with field"):
		text, hint = fmt.Sprintf("has no value of its own: it refers to %v, which refers back to it", args[0]), "give one of them a value"
	case strings.HasPrefix(format, "invalid value %v (out of bound %s)"):
		text = fmt.Sprintf("%v does not satisfy %v", args[0], args[1])
	case strings.Contains(text, "non-concrete value"), strings.HasPrefix(text, "invalid non-ground value"),
		strings.HasPrefix(text, "unresolved disjunction"), strings.Contains(text, " is incomplete (type "):
		text, hint = "depends on a value that is not known yet", d.unsetHint()
	case strings.HasPrefix(format, "incomplete value %v"):
		hint = d.unsetHint()
		text = fmt.Sprintf("has no value yet, only the constraint %v", args[0])
	}
	for _, p := range cueerrors.Positions(e) {
		if tag, ok := d.tags[p]; ok {
			hint = fmt.Sprintf("give it a value with -t %s=…", tagKey(tag))
		}
	}
	return text, hint
}

// undefined says what may have been meant by a name that nothing has.
func (d *document) undefined(name string) string {
	if path := packages[name]; path != "" {
		return fmt.Sprintf("add import %q at the top of the file, below its package", path)
	}
	if hint := d.meant(name); !plain(name) || hint != "" && !slices.Contains(d.named, name) {
		return hint
	}
	return "text has to be in quotes"
}

// meant suggests a label of the files that is nearly the name.
func (d *document) meant(name string) string {
	names := slices.Clone(d.named)
	slices.Sort(names)
	if near, ok := nearest(name, slices.Compact(names)); ok {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

// unsetHint names the tags that have no value, which may be what is missing.
func (d *document) unsetHint() string {
	if len(d.unset) == 0 {
		return ""
	}
	var flags []string
	for _, key := range d.unset {
		flags = append(flags, "-t "+key+"=…")
	}
	return "a tag was given no value: " + strings.Join(flags, " ")
}

// packages are those of CUE's standard library, by the names that they go by.
var packages = map[string]string{
	"list": "list", "strings": "strings", "strconv": "strconv", "math": "math", "bits": "math/bits", "net": "net", "path": "path",
	"regexp": "regexp", "struct": "struct", "time": "time", "uuid": "uuid", "html": "html", "template": "text/template", "tabwriter": "text/tabwriter",
	"json": "encoding/json", "yaml": "encoding/yaml", "csv": "encoding/csv", "hex": "encoding/hex", "base64": "encoding/base64", "toml": "encoding/toml",
	"sha256": "crypto/sha256", "sha512": "crypto/sha512", "sha1": "crypto/sha1", "md5": "crypto/md5", "hmac": "crypto/hmac",
}

// tagKey is the key in the body of a @tag attribute, such as "zone,short=a|b".
func tagKey(body string) string {
	key, _, _ := strings.Cut(body, ",")
	return strings.TrimSpace(key)
}

// noAlternative reports a value that fits none of the alternatives that the
// user's files allow. Of CUE's errors, one for each alternative, the one that
// came furthest is the likely one.
func (d *document) noAlternative(e cueerrors.Error, alternatives []cueerrors.Error) {
	var deepest []cueerrors.Error
	for _, a := range alternatives {
		if f, _ := a.Msg(); strings.HasPrefix(f, "%d errors in empty disjunction") {
			continue
		}
		switch {
		case len(deepest) == 0 || len(a.Path()) > len(deepest[0].Path()):
			deepest = []cueerrors.Error{a}
		case len(a.Path()) == len(deepest[0].Path()):
			deepest = append(deepest, a)
		}
	}
	if len(deepest) == 1 {
		d.conflict(deepest[0])
		return
	}
	names := unquoted(e.Path())
	entity, subject := split(names)
	var texts []string
	var at Pos
	for _, a := range deepest {
		text, _ := d.word(a)
		texts = append(texts, text)
		if at == (Pos{}) {
			at, _ = d.where(a, names)
		}
	}
	text := "none of the values that your files allow fits"
	if subject != "" {
		text = subject + ": " + text
	}
	if len(texts) > 0 {
		text += ": " + strings.Join(texts, ", ")
	}
	d.problems = append(d.problems, &Problem{Pos: at, Path: entity, Text: text})
}

// where returns the position of an error at the field called names, and the
// other positions that contribute to it.
func (d *document) where(e cueerrors.Error, names []string) (Pos, []string) {
	at := cueerrors.Positions(e)
	var first token.Pos
	if p := d.places.find(names); p != nil && len(p.written) > 0 {
		first = p.written[0].label
		if len(at) > 0 {
			first = p.label(at[0])
		}
	} else if len(at) > 0 {
		first = at[0]
	}
	shown := d.pos(first)
	var others []string
	for _, p := range at {
		if o := d.pos(p); o.File != shown.File || o.Line != shown.Line {
			if s := o.String(); !slices.Contains(others, s) {
				others = append(others, s)
			}
		}
	}
	return shown, others
}

// unquoted returns a path of CUE's with the quotes of its labels removed.
func unquoted(path []string) []string {
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = s
		if sel := cue.ParsePath(s).Selectors(); len(sel) == 1 && sel[0].LabelType() == cue.StringLabel {
			names[i] = sel[0].Unquoted()
		}
	}
	return names
}
