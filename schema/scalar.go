package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"cuelang.org/go/cue"
	cueerrors "cuelang.org/go/cue/errors"
)

// resolve takes the default of a value that has one, and reports whether the
// value then is known. What keeps it from being known is reported.
func (s *spot) resolve() bool {
	if s.value.Kind() != cue.BottomKind {
		return true
	}
	if v, ok := s.value.Default(); ok && v.Kind() != cue.BottomKind {
		s.value = v
		return true
	}
	if err := s.value.Err(); err != nil || s.value.IncompleteKind() == cue.BottomKind {
		// A struct's field speaks for itself.
		if len(cueerrors.Path(err)) <= len(s.names()) {
			s.doc.conflicts(s.value.Validate(cue.Concrete(true)))
		}
		return false
	}
	s.doc.incomplete[strings.Join(s.names(), "\x00")] = true
	switch {
	case s.value.IncompleteKind() == cue.TopKind:
		s.wrong(s.doc.unsetHint(), "has no value yet, here or in what it refers to")
	case s.value.IncompleteKind()&(s.value.IncompleteKind()-1) != 0:
		s.wrong("choose one, or mark one with * as the default", "may be any of %s", oneLine(s.value))
	default:
		s.wrong(s.doc.unsetHint(), "has no value yet, only the constraint %s", oneLine(s.value))
	}
	return false
}

// oneLine is CUE syntax without line breaks.
func oneLine(v cue.Value) string {
	text := strings.Join(strings.Fields(fmt.Sprint(v)), " ")
	if len(text) > 120 {
		text = text[:120] + "…"
	}
	return text
}

// wrongType reports that the value must be want.
func (s *spot) wrongType(want string) { s.wrong("", "must be %s, not %s", want, s.kind()) }

// kind says what the value is.
func (s *spot) kind() string {
	switch s.value.Kind() {
	case cue.NullKind:
		return "null"
	case cue.BoolKind:
		return "true or false"
	case cue.IntKind:
		return fmt.Sprintf("the number %v", s.value)
	case cue.FloatKind:
		return fmt.Sprintf("the fraction %v", s.value)
	case cue.StringKind:
		return "a string"
	case cue.BytesKind:
		return "bytes"
	case cue.StructKind:
		return "a struct"
	case cue.ListKind:
		return "a list"
	}
	return "that"
}

// integer returns a whole number within the bounds. All of these report a
// value that is none; all accept a nil spot, an absent field, and return false.
func (s *spot) integer(want string, low, high int64) (int64, bool) {
	if s == nil || !s.resolve() {
		return 0, false
	}
	if s.value.Kind() != cue.IntKind {
		s.wrongType(want)
		return 0, false
	}
	n, err := s.value.Int64()
	if err != nil || n < low || n > high {
		s.wrong("", "must be %s, not %v", want, s.value)
		return 0, false
	}
	return n, true
}

// factor returns a number, whole or not, within the bounds.
func (s *spot) factor(want string, low, high float64) (float64, bool) {
	if s == nil || !s.resolve() {
		return 0, false
	}
	if s.value.Kind()&cue.NumberKind == 0 {
		s.wrongType(want)
		return 0, false
	}
	x, err := s.value.Float64()
	if err != nil || x < low || x > high {
		s.wrong("", "must be %s, not %v", want, s.value)
		return 0, false
	}
	return x, true
}

// number is integer for what has a unit, which is easily written in quotes.
func (s *spot) number(want string, low, high int64) (int64, bool) {
	if s == nil || !s.resolve() {
		return 0, false
	}
	if t, err := s.value.String(); err == nil {
		s.wrong(quotedSize(s.pos().File, t), "must be %s, not a string", want)
		return 0, false
	}
	return s.integer(want, low, high)
}

func (s *spot) text(want string) (string, bool) {
	if s == nil || !s.resolve() {
		return "", false
	}
	if s.value.Kind() != cue.StringKind {
		s.wrongType(want)
		return "", false
	}
	t, err := s.value.String()
	return t, err == nil
}

// matching returns a text that ok accepts.
func (s *spot) matching(want string, ok func(string) bool) (string, bool) {
	t, is := s.text(want)
	if is && !ok(t) {
		s.wrong("", "must be %s, not %q", want, t)
		return "", false
	}
	return t, is
}

func (s *spot) boolean() bool {
	if s == nil || !s.resolve() {
		return false
	}
	if s.value.Kind() != cue.BoolKind {
		s.wrongType("true or false")
		return false
	}
	b, _ := s.value.Bool()
	return b
}

// bytes returns a size: a positive multiple of sizeUnit.
func (s *spot) bytes() (int64, bool) {
	n, ok := s.number("a number of bytes such as 64Gi", -1<<63, 1<<63-1)
	switch {
	case !ok:
		return 0, false
	case n <= 0:
		s.wrong("", "must be greater than 0, not %d", n)
	case n > maxSize:
		s.wrong("", "must be at most 1Pi, not %d bytes", n)
	case n%sizeUnit != 0:
		up := (n/sizeUnit + 1) * sizeUnit
		s.wrong(fmt.Sprintf("the next such size is %s", SizeText(up)), "must be a multiple of 1Mi, not %d bytes", n)
	default:
		return n, true
	}
	return 0, false
}

// lasts returns a time from low to high, in whole units.
func (s *spot) lasts(want string, low, high, unit time.Duration) (d time.Duration, ok bool) {
	_, ok = s.matching(want, func(t string) bool {
		var err error
		d, err = time.ParseDuration(t)
		return err == nil && d >= low && d <= high && d%unit == 0
	})
	return d, ok
}

// interval returns a time in seconds.
func (s *spot) interval() (int64, bool) {
	const want = `a time in whole seconds from "1m" to "8784h", such as "24h"`
	t, ok := s.text(want)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(t)
	if err != nil || d < minInterval || d > maxInterval || d%time.Second != 0 {
		s.wrong(inHours(t), "must be %s, not %q", want, t)
		return 0, false
	}
	return int64(d / time.Second), true
}

// inHours says how to write days or weeks.
func inHours(t string) string {
	m := daysOrWeeks.FindStringSubmatch(t)
	if m == nil {
		return ""
	}
	n, _ := strconv.Atoi(m[1])
	if n *= 24; m[2] == "w" {
		n *= 7
	}
	return fmt.Sprintf("did you mean %q?", fmt.Sprintf("%dh", n))
}

var daysOrWeeks = regexp.MustCompile(`^([1-9][0-9]{0,2})([dw])$`)

// list returns the elements of a list.
func (s *spot) list(want string) ([]*spot, bool) {
	if s == nil || !s.resolve() {
		return nil, false
	}
	if s.value.Kind() != cue.ListKind {
		s.wrongType(want)
		return nil, false
	}
	it, err := s.value.List()
	if err != nil {
		return nil, false
	}
	var elems []*spot
	for i := 0; it.Next(); i++ {
		elems = append(elems, &spot{s.doc, s, fmt.Sprint(i), it.Value(), nil})
	}
	return elems, true
}
