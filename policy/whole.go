package policy

import (
	"fmt"
	"regexp"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"strata/amount"
	"strata/plan"
	"strata/schema"
)

// wholePlan holds the plan to the constraints that are written on it. What
// breaks the same constraint is one violation.
func (c *checker) wholePlan(o *plan.Outline) {
	c.value = c.value.FillPath(planPath, o)
	err := c.value.LookupPath(planPath).Validate(cue.Concrete(true), cue.Final())
	by := map[string]int{}
	for _, e := range errors.Errors(err) {
		c.broken = true
		at, text := c.wanting(e).String(), complaint(e)
		i, again := by[at]
		if !again {
			i = len(c.found)
			by[at] = i
			c.found = append(c.found, plan.Violation{Rule: general(e.Path()), At: at, Text: text, Steps: []int{}, Details: []string{}})
		}
		v := &c.found[i]
		s := stepAt(o, e.Path())
		if s == nil {
			continue
		}
		if v.Steps = append(v.Steps, s.Number); len(v.Steps) > 1 {
			v.Text = amount.Of(len(v.Steps), "step") + " are not so"
		}
		if len(v.Details) < maxDetails {
			v.Details = append(v.Details, fmt.Sprintf("step %d on %s: %s: %s", s.Number, s.Node, s.Text, text))
		}
	}
	for i := range c.found {
		if n := len(c.found[i].Steps) - maxDetails; n > 0 {
			c.found[i].Details = append(c.found[i].Details, fmt.Sprintf("and %d more", n))
		}
	}
}

// wanting is where the policy says what the plan is not. Of lists that differ in
// length CUE tells no place: then it is that of the field, or of one around it.
func (c *checker) wanting(e errors.Error) schema.Pos {
	if at := first(e); at.IsValid() {
		return posOf(at)
	}
	for path := e.Path(); len(path) > 0; path = path[:len(path)-1] {
		v := c.set.value.LookupPath(cue.ParsePath(strings.Join(path, ".")))
		if !v.Exists() {
			continue
		}
		if at := labelPos(v); at != (schema.Pos{}) {
			return at
		}
	}
	return schema.Pos{}
}

// general is a path without numbers: plan.passes[].sections[].name.
func general(path []string) string {
	var b strings.Builder
	for i, name := range path {
		switch {
		case strings.Trim(name, "0123456789") == "":
			b.WriteString("[]")
			continue
		case i > 0:
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

var structured = regexp.MustCompile(`invalid value [\[{].*[\]}] \(`)

// complaint is what CUE says of a value, in fewer words.
func complaint(e errors.Error) string {
	text := strings.TrimPrefix(said(e), strings.Join(e.Path(), ".")+": ")
	if rest, ok := strings.CutPrefix(text, "incomplete value "); ok {
		return "plans have no such field, or not always, and the policy wants " + rest
	}
	return structured.ReplaceAllString(text, "invalid value (")
}

// stepAt finds the step that a path such as plan.passes.0.sections.1.stages.2.0.risk
// leads through.
func stepAt(o *plan.Outline, path []string) *plan.OutlineStep {
	var i, j, k, l int
	if len(path) < 8 {
		return nil
	}
	n, err := fmt.Sscanf(strings.Join(path[:8], " "), "plan passes %d sections %d stages %d %d", &i, &j, &k, &l)
	if n != 4 || err != nil {
		return nil
	}
	return &o.Passes[i].Sections[j].Stages[k][l]
}
