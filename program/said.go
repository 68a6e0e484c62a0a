package program

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSaid is how much of what a program says is shown, in characters: the end, where it
// says why it failed.
const maxSaid = 400

// lookedAt is how much of the end of it, in bytes, is looked at for that.
const lookedAt = 16 << 10

// escapes are sequences by which a terminal is controlled.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)?|\x1b.?`)

// said is what a program has written, in a line that follows on what happened: errors, or
// where it wrote none the rest, as they are given. Secrets are left out, and what a terminal would act on.
func said(secrets []string, from ...*output) string {
	for _, o := range from {
		text := without(secrets, o.String())
		text = strings.ToValidUTF8(text[max(0, len(text)-lookedAt):], "?")
		text = without(secrets, escapes.ReplaceAllString(text, ""))
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
		if n := utf8.RuneCountInString(text); n > maxSaid {
			text = "…" + string([]rune(text)[n-maxSaid:])
		}
		if text != "" {
			return ": " + text
		}
	}
	return ""
}

func without(secrets []string, text string) string {
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}
