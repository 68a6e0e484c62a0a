package policy

import (
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"strata/schema"
)

// read looks at what the files say, and reports what is no policy: a misspelt
// name would make a rule that nothing ever breaks.
func (s *set) read() schema.Problems {
	r := &reader{set: s}
	r.words = s.ctx.CompileString(source, cue.Filename("policy.cue"))
	r.only(s.value, "#Policy", "a helper of your own is written _%[1]s or #%[1]s")
	rules := s.value.LookupPath(rulesPath)
	if rules.Exists() && rules.IncompleteKind() != cue.StructKind {
		r.problem(rules, "", "rules must be a struct such as {%q: deny: node: %q}", "n3 is being drained", "n3")
	} else if it, err := rules.Fields(); err == nil {
		for it.Next() {
			r.rule(it.Selector().Unquoted(), it.Value())
		}
	}
	if len(r.problems) == 0 && len(s.rules) == 0 && !s.plan {
		r.problems = append(r.problems, &schema.Problem{
			Path: s.dir, Text: "has no rule", Hint: `for example rules: "n3 is being drained": deny: node: "n3"`,
		})
	}
	return r.problems
}

type reader struct {
	set      *set
	words    cue.Value
	within   schema.Pos // of the rule that is read
	problems schema.Problems
}

func (r *reader) problem(at cue.Value, hint, format string, args ...any) {
	pos := labelPos(at)
	if pos.File == "" {
		pos = r.within
	}
	r.problems = append(r.problems, &schema.Problem{Pos: pos, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) rule(name string, v cue.Value) {
	r.within = labelPos(v)
	r.set.rules = append(r.set.rules, &rule{name: name, pos: r.within})
	if v.IncompleteKind() != cue.StructKind {
		r.problem(v, `for example deny: node: "n3"`, "rule %q must be a struct", name)
		return
	}
	before := len(r.problems)
	r.only(v, "#Rule", "")
	if len(r.problems) > before {
		return
	}
	effective := false
	for _, field := range []string{"deny", "require", "total"} {
		effective = effective || v.LookupPath(cue.ParsePath(field)).Exists()
	}
	switch total, per := v.LookupPath(cue.ParsePath("total")), v.LookupPath(cue.ParsePath("per")); {
	case !effective:
		r.problem(v, `for example deny: node: "n3"`, "rule %q forbids nothing: it has none of deny, require and total", name)
	case per.Exists() && !total.Exists():
		r.problem(per, "", "rule %q: per goes together with total", name)
	}
	for _, field := range []string{"because", "where", "deny", "require", "total", "per"} {
		if f := v.LookupPath(cue.ParsePath(field)); f.Exists() {
			r.suits(fmt.Sprintf("rule %q: %s", name, field), f, r.words.LookupPath(cue.MakePath(cue.Def("Rule"), cue.Str(field).Optional())))
		}
	}
	if len(r.problems) > before {
		return
	}
	for _, field := range []string{"where", "deny", "require"} {
		if f := v.LookupPath(cue.ParsePath(field)); f.Exists() {
			r.names(name, field, f)
		}
	}
}

// only reports fields that the definition does not have.
func (r *reader) only(v cue.Value, definition, hint string) {
	r.known(definition, v, r.words.LookupPath(cue.ParsePath(definition)), hint)
}

// suits reports what v can never be, according to the vocabulary.
func (r *reader) suits(path string, v, words cue.Value) {
	if words.IncompleteKind() == cue.StructKind && v.IncompleteKind() == cue.StructKind {
		if all := alternatives(v); len(all) > 1 {
			for _, a := range all {
				r.suits(path, a, words)
			}
			return
		}
		r.known(path, v, words, "")
		it, err := v.Fields(cue.Optional(true))
		if err != nil {
			return
		}
		for it.Next() {
			name := it.Selector().Unquoted()
			if err := it.Value().Validate(); it.IsOptional() && err != nil { // of what is not optional CUE says so itself
				r.problem(v, "a definition is closed; add ... to it", "%s.%s can never be: %s", path, name, said(errors.Errors(err)[0]))
				continue
			}
			field := words.LookupPath(cue.MakePath(cue.Str(name).Optional()))
			if !field.Exists() {
				field = words.LookupPath(cue.MakePath(cue.AnyString))
			}
			if field.Exists() {
				r.suits(path+"."+name, it.Value(), field)
			}
		}
		return
	}
	r.fits(path, v, words)
}

// fits reports a value that has nothing in common with what is allowed.
func (r *reader) fits(path string, v, words cue.Value) {
	if v.Unify(words).Validate() == nil {
		return
	}
	hint := ""
	if text, err := v.String(); err == nil && strings.ContainsAny(text[:min(1, len(text))], "<>!=") {
		hint = "a constraint is written without quotes"
	}
	r.problem(v, hint, "%s can never be %s: it is %s", path, written(v), kindOf(words))
}

// known reports the fields of v that words lacks.
func (r *reader) known(path string, v, words cue.Value, hint string) {
	it, err := words.Fields(cue.Optional(true))
	if err != nil {
		return
	}
	var names []string
	for it.Next() {
		names = append(names, it.Selector().Unquoted())
	}
	if len(names) == 0 || words.LookupPath(cue.MakePath(cue.AnyString)).Exists() {
		return
	}
	it, err = v.Fields(cue.Optional(true))
	if err != nil {
		return
	}
	for it.Next() {
		name := it.Selector().Unquoted()
		if slices.Contains(names, name) {
			continue
		}
		help := schema.Hint(name, "fields", names)
		if hint != "" && !strings.HasPrefix(help, "did you mean") {
			help = fmt.Sprintf(hint, name)
		}
		where := path + ": "
		if strings.HasPrefix(path, "#") {
			where = ""
		}
		r.problem(it.Value(), help, "%sunknown field %q", where, name)
	}
}

// kindOf says what a field of the vocabulary is.
func kindOf(words cue.Value) string {
	if op, args := words.Expr(); op == cue.OrOp {
		var all []string
		for _, a := range args {
			all = append(all, written(a))
		}
		return "one of " + strings.Join(all, ", ")
	}
	switch words.IncompleteKind() {
	case cue.IntKind:
		return "a whole number"
	case cue.StringKind:
		return "a text"
	case cue.BoolKind:
		return "true or false"
	}
	return "a struct"
}
