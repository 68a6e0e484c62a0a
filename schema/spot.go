package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"

	"strata/lineage"
)

// spot is a value of the document and where it stands.
type spot struct {
	doc   *document
	up    *spot
	name  string
	value cue.Value
	place *place // nil if the files do not write the field out
}

// pos returns where the spot's field, or list element, is written.
func (s *spot) pos() Pos {
	at := s.value.Pos()
	switch {
	case s.place == nil || len(s.place.written) == 0:
	case s.value.IncompleteKind() == cue.StructKind:
		at = s.place.written[0].label
	default:
		at = s.place.label(at)
	}
	if !at.IsValid() && s.up != nil {
		return s.up.pos()
	}
	return s.doc.pos(at)
}

// names is the path to the spot.
func (s *spot) names() []string {
	if s.up == nil {
		return nil
	}
	return append(s.up.names(), s.name)
}

// split divides a path into that of the thing it belongs to (a volume, a node,
// a pool, the links) and the rest, as a user would write it.
func split(names []string) (entity, subject string) {
	n := 0
	switch {
	case len(names) >= 4 && names[0] == "nodes" && names[2] == "pools":
		n = 4
	case len(names) >= 2 && (names[0] == "nodes" || names[0] == "volumes" || names[0] == "archives"):
		n = 2
	case len(names) >= 1 && names[0] == "links":
		n = 1
	}
	return dotted(names[:n]), dotted(names[n:])
}

// helper is a name that users give to fields of their own.
var helper = regexp.MustCompile(`^_?#?[A-Za-z_$][A-Za-z0-9_$]*$`)

// dotted joins names; those that are no identifiers or names of ours are quoted.
func dotted(names []string) string {
	var b strings.Builder
	for i, name := range names {
		_, err := strconv.Atoi(name)
		switch {
		case i > 0 && err == nil && names[i-1] != "volumes" && names[i-1] != "archives" && names[i-1] != "nodes" && names[i-1] != "pools":
			b.WriteString("[" + name + "]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		if !lineage.ValidName(strings.ToLower(name)) && !labelKey.MatchString(name) && !helper.MatchString(name) {
			name = strconv.Quote(name)
		}
		b.WriteString(name)
	}
	return b.String()
}

// wrong reports what is wrong with the spot. The text follows the field's
// path; hint may be empty.
func (s *spot) wrong(hint, format string, args ...any) {
	entity, subject := split(s.names())
	s.doc.problems = append(s.doc.problems, &Problem{
		Pos:  s.pos(),
		Path: entity,
		Text: strings.TrimSpace(subject + " " + fmt.Sprintf(format, args...)),
		Hint: hint,
	})
}

// object is a struct of the document.
type object struct {
	*spot
	fields []*spot
}

// object returns the spot as a struct. It reports a value of another type,
// saying that it must be want.
func (s *spot) object(want string) (object, bool) {
	o := object{spot: s}
	if !s.resolve() {
		// A struct with a conflict somewhere inside still has its fields.
		if s.value.Err() == nil {
			return o, false
		}
	} else if s.value.Kind() != cue.StructKind {
		s.wrongType(want)
		return o, false
	}
	it, err := s.value.Fields()
	if err != nil {
		return o, false
	}
	for it.Next() {
		name := it.Selector().Unquoted()
		o.fields = append(o.fields, &spot{s.doc, s, name, it.Value(), s.place.field(name)})
	}
	return o, true
}

// only reports the fields that are not among known.
func (o object) only(known []string) object {
	for _, f := range o.fields {
		if slices.Contains(known, f.name) {
			continue
		}
		hint := Hint(f.name, "fields", known)
		if _, near := nearest(f.name, known); o.up == nil && !near {
			hint = fmt.Sprintf("a helper of your own is written _%[1]s or #%[1]s", f.name)
		}
		unknown := &spot{f.doc, o.spot, "", f.value, f.place}
		entity, subject := split(o.names())
		if subject != "" {
			subject += ": "
		}
		f.doc.problems = append(f.doc.problems, &Problem{
			Pos:  unknown.pos(),
			Path: entity,
			Text: fmt.Sprintf("%sunknown field %q", subject, f.name),
			Hint: hint,
		})
	}
	return o
}

// field returns the field of that name, or nil.
func (o object) field(name string) *spot {
	for _, f := range o.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// required returns the field of that name and reports it if it is missing.
// The example shows what to write.
func (o object) required(name, example string) *spot {
	f := o.field(name)
	if f == nil && len(o.fields) == 0 && o.value.Err() != nil {
		return nil // the whole struct is wrong, which is said
	}
	if f == nil {
		subject := name
		if _, s := split(o.names()); s != "" {
			subject = s + "." + name
		}
		entity, _ := split(o.names())
		o.doc.problems = append(o.doc.problems, &Problem{
			Pos:  o.pos(),
			Path: entity,
			Text: subject + " is missing",
			Hint: "for example " + name + ": " + example,
		})
	}
	return f
}
