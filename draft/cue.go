package draft

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"

	"strata/lineage"
)

// label writes the name of a field.
func label(name string) string {
	if ast.StringLabelNeedsQuoting(name) || slices.Contains([]string{"for", "if", "in", "let"}, name) {
		return literal.Label.Quote(name)
	}
	return name
}

func quote[T ~string](s T) string { return literal.String.Quote(string(s)) }

// shown is a name of somebody else's, or a text with one in it, as it stands in a
// comment: in one line, and without what cannot be seen.
func shown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if quoted := strconv.QuoteRune(r); strconv.IsPrint(r) || r == '\t' {
			b.WriteRune(r)
		} else {
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// list writes strings.
func list[T ~string](items []T) string {
	var parts []string
	for _, i := range items {
		parts = append(parts, quote(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// nameLike makes a name of ours of somebody's: that of a pool, or a volume,
// which is not taken.
func nameLike(theirs, otherwise string, taken func(string) bool) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, theirs)
	name = strings.Trim(name[:min(len(name), lineage.MaxName)], "-")
	if name == "" {
		name = otherwise
	}
	return free(name, taken)
}

// free returns a name that is not taken: the name, or with a number.
func free(name string, taken func(string) bool) string {
	for n, try := 2, name; ; n++ {
		if !taken(try) {
			return try
		}
		suffix := "-" + strconv.Itoa(n)
		try = name[:min(len(name), lineage.MaxName-len(suffix))] + suffix
	}
}
