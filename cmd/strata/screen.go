package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"

	"strata/spdk"
)

// screen is what people read: everything that the command prints goes through
// one. Names and messages come from targets, files and other people, and a
// terminal takes what is in them for orders; so no character that cannot be seen
// gets through, but those of strata's own styles. It is written as in JSON,
// \u001b, so JSON stays what it is.
type screen struct {
	mu   sync.Mutex
	out  io.Writer
	rest []byte // the beginning of a character, or of a style, whose end is to come
	wrapping
}

// The screens of this process.
var (
	stdout = fitted(&screen{out: os.Stdout})
	stderr = fitted(&screen{out: os.Stderr})
)

// fitted has the lines on a screen broken where they would not fit, if it is a terminal.
func fitted(s *screen) *screen {
	s.width = widthOf(terminal(s))
	return s
}

// Write never keeps back more than a part of one character.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clean, rest := seen(append(s.rest, b...), false)
	s.rest = bytes.Clone(rest)
	if _, err := s.out.Write(s.broken(clean)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// terminal is the terminal that a screen, or a file, is shown on; nil for none.
func terminal(w io.Writer) *os.File {
	if s, ok := w.(*screen); ok {
		w = s.out
	}
	if f, ok := w.(*os.File); ok && interactive(f) {
		return f
	}
	return nil
}

// ours stands for the escape character in strata's own styles, and nobody else
// can write it.
var ours = func() []byte {
	var secret [8]byte
	if _, err := rand.Read(secret[:]); err != nil {
		panic(err) // the kernel has no random numbers
	}
	return []byte("\x1b" + hex.EncodeToString(secret[:]))
}()

// style is one of strata's own.
type style struct{ lipgloss.Style }

func (s style) Render(text string) string {
	return strings.ReplaceAll(s.Style.Render(inLine(text)), "\x1b", string(ours))
}

// seen returns b without what cannot be seen, and what of its end is not whole
// if more is to come.
func seen(b []byte, all bool) (clean, rest []byte) {
	if !bytes.ContainsFunc(b, func(r rune) bool { return r == utf8.RuneError || hidden(r) }) {
		return b, nil
	}
	for len(b) > 0 {
		switch r, n := utf8.DecodeRune(b); {
		case r == '\x1b' && bytes.HasPrefix(b, ours):
			clean, b = append(clean, '\x1b'), b[len(ours):]
		case !all && (bytes.HasPrefix(ours, b) || !utf8.FullRune(b)):
			return clean, b
		case r == utf8.RuneError && n == 1:
			clean, b = fmt.Appendf(clean, `\x%02x`, b[0]), b[1:]
		case hidden(r):
			clean, b = appendHidden(clean, r), b[n:]
		default:
			clean, b = append(clean, b[:n]...), b[n:]
		}
	}
	return clean, nil
}

// hidden reports whether a character cannot be seen, or moves what can: control
// characters, marks of direction, what is of no width, line breaks of other kinds.
func hidden(r rune) bool {
	switch {
	case r >= ' ' && r <= '~': // most of what is written
		return false
	case r == '\n' || r == '\t':
		return false
	}
	return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r)
}

func appendHidden(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// inLine is a text that stays in its line: a name with a line break in it would
// look like more than one thing.
func inLine(text string) string {
	if plain(text) || !strings.ContainsFunc(text, func(r rune) bool { return r == '\n' || r == '\t' || r == utf8.RuneError || hidden(r) }) {
		return text
	}
	clean, _ := seen([]byte(text), true)
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(string(clean))
}

// plain reports whether a text has only characters of ASCII that can be seen, as most
// have.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// inLines is a copy of a value in which every text stays in its line: what is
// laid out has only the lines of its layout. The value is of plain data.
func inLines[T any](value *T) *T { return copied(reflect.ValueOf(value)).Interface().(*T) }

func copied(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		out := reflect.New(v.Type()).Elem()
		out.SetString(inLine(v.String()))
		return out
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(copied(v.Elem()))
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(copied(v.Elem()))
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if f := out.Field(i); f.CanSet() {
				f.Set(copied(v.Field(i)))
			}
		}
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(copied(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, value := range v.Seq2() {
			out.SetMapIndex(copied(key), copied(value))
		}
		return out
	}
	return v
}

// message is what an error says. Of what targets and file names bring into it,
// each stays in its line.
func message(err error) string {
	text := err.Error()
	for _, part := range parts(err) {
		if foreign := part.Error(); strings.Contains(foreign, "\n") {
			text = strings.ReplaceAll(text, foreign, inLine(foreign))
		}
	}
	return text
}

// parts are the errors in err of which others wrote the text.
func parts(err error) []error {
	var out []error
	switch err.(type) {
	case *spdk.Error, *fs.PathError, *os.LinkError, *os.SyscallError:
		out = append(out, err)
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		if below := err.Unwrap(); below != nil {
			out = append(out, parts(below)...)
		}
	case interface{ Unwrap() []error }:
		for _, below := range err.Unwrap() {
			out = append(out, parts(below)...)
		}
	}
	return out
}
