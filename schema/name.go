package schema

import (
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
)

// badName says what is wrong with a name of ours, or nothing.
func badName(s string) string {
	switch {
	case lineage.ValidName(s):
		return ""
	case s == "":
		return "must not be empty"
	case len(s) > lineage.MaxName:
		return fmt.Sprintf("must have at most %d bytes, and has %d", lineage.MaxName, len(s))
	case s[0] == '-':
		return `must not start with "-"`
	default:
		return `may only have a-z, 0-9 and "-" in it`
	}
}

// ownName returns a text that is a name of ours; what says of what.
func (s *spot) ownName(what string) (string, bool) {
	t, ok := s.text("the name of a " + what)
	if !ok {
		return "", false
	}
	if why := badName(t); why != "" {
		s.wrong("", "%q is no name: it %s", t, why)
		return "", false
	}
	return t, true
}

// each returns the fields of a struct that has things by their names, sorted
// by name. It reports names that are none; what says of what.
func (s *spot) each(what, example string) []*spot {
	if s == nil {
		return nil
	}
	o, _ := s.object("a struct such as " + example)
	for _, f := range o.fields {
		if why := badName(f.name); why != "" {
			f.wrong("", "the name of %s %s %s", article(what), what, why)
		}
	}
	slices.SortFunc(o.fields, func(a, b *spot) int { return strings.Compare(a.name, b.name) })
	return o.fields
}

// labels returns a struct of labels.
func (s *spot) labels() map[string]string {
	if s == nil {
		return nil
	}
	o, _ := s.object(`a struct such as {zone: "a"}`)
	labels := make(map[string]string, len(o.fields))
	for _, f := range o.fields {
		if !labelKey.MatchString(f.name) {
			f.wrong("", `is no label: it must have 1 to 63 of A-Z, a-z, 0-9, ".", "_", "/" and "-", and start with a letter or digit`)
			continue
		}
		if v, ok := f.matching("a text that is not empty", notEmpty); ok {
			labels[f.name] = v
		}
	}
	return labels
}

func notEmpty(s string) bool { return s != "" }

// article is that of a word.
func article(word string) string {
	if strings.ContainsAny(word[:1], "aeio") {
		return "an"
	}
	return "a"
}
