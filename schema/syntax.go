package schema

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/load"
)

// fromCUE words what CUE's parser and loader complain about.
func (f *files) fromCUE(err error) Problems {
	var several *load.MultiplePackageError
	if errors.As(err, &several) {
		return f.severalPackages(several)
	}
	var ps Problems
	for _, e := range cueerrors.Errors(err) {
		p := &Problem{Text: message(e)}
		if at := cueerrors.Positions(e); len(at) > 0 {
			p.Pos = posOf(at[0])
		}
		p.Text = strings.TrimPrefix(p.Text, "import failed: ")
		p.Text = strings.TrimPrefix(p.Text, p.Pos.String()+": ")
		format, _ := e.Msg()
		switch {
		case strings.HasPrefix(format, "no tag for"), strings.HasPrefix(format, "tag %q not used"):
			_, args := e.Msg()
			p.Text = fmt.Sprintf("tag %q: no field has the attribute @tag(%[1]s)", args...)
			p.Hint = Hint(fmt.Sprint(args[0]), "tags", f.tags)
		case badTag.MatchString(p.Text):
			p.Text = badTag.ReplaceAllString(p.Text, "tag $2 must be a $1: ")
		case strings.HasPrefix(p.Text, "builtin package"):
			p.Text = strings.Replace(p.Text, "builtin package", "CUE's standard library has no package", 1)
			p.Text = strings.TrimSuffix(p.Text, " undefined")
		case strings.HasPrefix(format, "missing ','"):
			p.Text = "expected a comma or the end of the line here"
			p.Hint = f.slip(p.Pos)
		case strings.Contains(p.Text, errNoRegistry.Error()):
			p.Text = missingModule.FindString(p.Text) + ": " + errNoRegistry.Error()
			p.Hint = "set CUE_REGISTRY, or have it vendored in cue.mod/pkg"
		case strings.Contains(p.Text, "imports are unavailable because there is no cue.mod"),
			strings.Contains(p.Text, "cannot find module providing package"):
			p.Text = "this import is neither in CUE's standard library, nor in the module around the files, nor in one that it depends on"
			p.Hint = "cue mod tidy writes what a module depends on into its cue.mod/module.cue"
		}
		p.Text = strings.ReplaceAll(p.Text, "found 'EOF'", "found the end of the file")
		p.Text = tokenName.ReplaceAllString(p.Text, "found ")
		ps = append(ps, p)
	}
	return ps
}

func (f *files) severalPackages(err *load.MultiplePackageError) Problems {
	p := &Problem{
		Text: fmt.Sprintf("is package %s, but %s is package %s", err.Packages[1], err.Files[0], err.Packages[0]),
		Hint: "all files of a configuration belong to one package",
	}
	for _, abs := range f.cue {
		if filepath.Base(abs) == filepath.Base(err.Files[1]) {
			shown := f.shown[abs]
			p.Pos = Pos{shown, f.packageLine(shown), 1}
		}
	}
	return Problems{p}
}

// packageLine is the number of the line with a file's package clause.
func (f *files) packageLine(name string) int {
	for i, line := range strings.Split(string(f.text[name]), "\n") {
		if strings.HasPrefix(line, "package ") {
			return i + 1
		}
	}
	return 1
}

var (
	missingModule = regexp.MustCompile(`module [^ :]+@v[^ :]+`)

	badTag    = regexp.MustCompile(`^invalid (\w+) for injection tag ("\w+"): `)
	tokenName = regexp.MustCompile(`found '[A-Z]+' `)
)

var (
	badUnit     = regexp.MustCompile(`\b[0-9][0-9.]* *[A-Za-z]+`)
	hyphenLabel = regexp.MustCompile(`[A-Za-z0-9]+(-[A-Za-z0-9]+)+\s*:`)
	startsDigit = regexp.MustCompile(`\b[0-9][A-Za-z0-9]*\s*:`)
)

// slip recognizes slips that make a parser ask for a comma: a size in a unit
// that CUE does not have, and a name that has to be in quotes.
func (f *files) slip(at Pos) string {
	line := f.line(at.File, at.Line)
	covers := func(re *regexp.Regexp) (string, bool) {
		for _, m := range re.FindAllStringIndex(line, -1) {
			if col := at.Column - 1; m[0] <= col && col <= m[1] {
				return line[m[0]:m[1]], true
			}
		}
		return "", false
	}
	for _, re := range []*regexp.Regexp{hyphenLabel, startsDigit} {
		if label, ok := covers(re); ok {
			return fmt.Sprintf("write the name in quotes: %q:", strings.TrimRight(label, " \t:"))
		}
	}
	if size, ok := covers(badUnit); ok {
		return fmt.Sprintf("%s is no number; sizes are written 64Gi, 512Mi or 100G", size)
	}
	return ""
}

// message formats an error without its path and position.
func message(e cueerrors.Error) string {
	format, args := e.Msg()
	text := fmt.Sprintf(format, args...)
	if cause := errors.Unwrap(e); cause != nil && format != "" {
		if m := cause.Error(); !strings.Contains(text, m) {
			text += ": " + m
		}
	} else if format == "" {
		text = e.Error()
	}
	return text
}
