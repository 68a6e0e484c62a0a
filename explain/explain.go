// Package explain owns what can be said of a field of a configuration: where it
// is, what it may be, what it is without, and how it is written. All of it is
// read from the schema, and from configurations that show every field. It knows
// no configuration of anybody's, and decides nothing.
package explain

import (
	"fmt"
	"slices"
	"strings"

	"strata/schema"
)

// Field is a field of the schema.
type Field struct {
	Path string `json:"path"` // volumes.NAME.replicas.spread
	// Type is what it may be, as the schema has it, and Means what the definitions in
	// that are: those of one line.
	Type  string   `json:"type"`
	Means []string `json:"means,omitempty"`
	// Default is what it is when it is left out; "" for nothing.
	Default string `json:"default,omitempty"`
	// Required is when it has to be given: "yes", or a condition in words; "" for never.
	Required string `json:"required,omitempty"`
	// Only are the conditions under which it may be there at all, each in words.
	Only []string `json:"only,omitempty"`
	// Doc is what the schema says of it, in lines.
	Doc string `json:"doc,omitempty"`
	// Example is a part of a valid configuration that has it.
	Example string `json:"example,omitempty"`
	// Fields are those within it.
	Fields []Field `json:"fields,omitempty"`
}

// Of explains a field by its path. What has names of the user's, as volumes do, is
// passed over: volumes.replicas, and volumes.db.replicas is the same. "" is
// the configuration itself.
func Of(path string) (*Field, error) {
	s, err := parse(schema.Source())
	if err != nil {
		return nil, err
	}
	at, err := s.find(path)
	if err != nil {
		return nil, err
	}
	f := s.field(at)
	below := s.below(at)
	for len(below) == 1 && below[0].label() == anyName && len(s.below(below[0])) > 0 {
		below = s.below(below[0])
	}
	for _, in := range below {
		f.Fields = append(f.Fields, *s.field(in))
	}
	f.Example, err = s.example(at)
	return f, err
}

// Paths are those of all fields, sorted, as Of takes them: without names of the user's.
func Paths() ([]string, error) {
	s, err := parse(schema.Source())
	if err != nil {
		return nil, err
	}
	var all []string
	for _, at := range s.all(s.root()) {
		if at.label() != anyName {
			all = append(all, strings.Join(slices.DeleteFunc(slices.Clone(at.path), func(s string) bool { return s == anyName }), "."))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// all are the places below one, and those below them.
func (s *source) all(at *place) (all []*place) {
	for _, below := range s.below(at) {
		all = append(append(all, below), s.all(below)...)
	}
	return all
}

// anyName stands in a path for a name of the user's.
const anyName = "NAME"

// find returns the place of a path.
func (s *source) find(path string) (*place, error) {
	at := s.root()
	var names []string
	if path != "" {
		names = strings.Split(path, ".")
	}
	for i, name := range names {
		last := i == len(names)-1
		next, err := s.step(at, name, last)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// step goes from a place to what is called name there, through names of the user's.
func (s *source) step(at *place, name string, last bool) (*place, error) {
	var known []string
	var through *place
	for place := at; place != nil; place = through {
		through = nil
		for _, f := range s.below(place) {
			if f.label() == name {
				return f, nil
			}
			if f.label() == anyName {
				through = f
			} else {
				known = append(known, f.label())
			}
		}
		if through != nil && (name == anyName || !last) && !s.reaches(through, name) {
			return through, nil
		}
	}
	text := "the configuration has"
	if len(at.path) > 0 {
		text = strings.Join(at.path, ".") + " has"
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("%s no fields, and so no %s", text, name)
	}
	return nil, fmt.Errorf("%s no field %s; %s", text, name, schema.Hint(name, "fields", known))
}

// reaches reports whether a place has a field of that name, through names of the user's.
func (s *source) reaches(at *place, name string) bool {
	for _, f := range s.below(at) {
		if f.label() == name || f.label() == anyName && s.reaches(f, name) {
			return true
		}
	}
	return false
}
