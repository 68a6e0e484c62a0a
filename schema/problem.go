package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Pos  Pos    // in the user's files; zero for the command line or the whole
	Path string // what it concerns, such as volumes.db; "" for the whole
	Text string // what is wrong
	Hint string // what to do about it, or ""
	// Others counts further things with the same problem at the same place,
	// as when a template makes many volumes.
	Others int
}

// lineBreaks come with names of files and with what a file says.
var lineBreaks = strings.NewReplacer("\n", `\n`, "\r", `\r`)

// Error is in one line.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Pos.File != "" {
		b.WriteString(p.Pos.String() + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		if p.Others > 0 {
			fmt.Fprintf(&b, " and %d more", p.Others)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return lineBreaks.Replace(b.String())
}

// Problems is everything that is wrong with a configuration, sorted by
// position, one line each.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as errors.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// tidy sorts the problems by position and joins those that say the same about
// the same place. What they quote of the files loses the passwords in it.
func (ps Problems) tidy() Problems {
	for _, p := range ps {
		p.Text, p.Hint = withoutPasswords(p.Text), withoutPasswords(p.Hint)
	}
	slices.SortStableFunc(ps, func(a, b *Problem) int {
		return cmp.Or(
			strings.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			strings.Compare(a.Text, b.Text),
			strings.Compare(a.Path, b.Path),
		)
	})
	var out Problems
	var path string // of the problem before
	for _, p := range ps {
		if n := len(out); n > 0 && out[n-1].Pos == p.Pos && out[n-1].Text == p.Text {
			if p.Path != path {
				out[n-1].Others++
			}
		} else if n > 0 && out[n-1].Pos == p.Pos && strings.HasPrefix(p.Text, out[n-1].Text+" (see also ") {
			out[n-1] = p // the same, and where else to look
		} else {
			out = append(out, p)
		}
		path = p.Path
	}
	return out
}
