package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/errors"

	"strata/amount"
	"strata/plan"
	"strata/schema"
)

// Check says which rules a plan breaks, in the order in which they are given. It
// fails on a rule that cannot be decided.
func (p *Policy) Check(o *plan.Outline) ([]plan.Violation, error) { return p.Begin().Check(o) }

// Run is a policy while a plan is carried out.
type Run struct {
	policy *Policy
	whole  *plan.Outline // the plan before anything was done
	done   []Step
}

// Begin returns a run of which nothing is done yet.
func (p *Policy) Begin() *Run { return &Run{policy: p} }

// Did notes that a step was begun: it counts in totals.
func (r *Run) Did(s Step) {
	s.done = true
	r.done = append(r.done, s)
}

// Check says which rules are broken by what is planned now. Before anything is
// done that is the whole plan, which "plan" in the policy stands for from then on.
func (r *Run) Check(o *plan.Outline) ([]plan.Violation, error) {
	if len(r.done) == 0 {
		r.whole = o
	}
	var all []plan.Violation
	for _, s := range r.policy.sets {
		c := &checker{set: s, value: s.value, was: r.policy.Was}
		if s.plan {
			c.wholePlan(r.whole)
		}
		if len(r.done) > 0 {
			c.found = nil // it was said before
		}
		c.encode(o, r.done)
		for _, rule := range s.rules {
			if err := c.rule(rule); err != nil {
				return nil, err
			}
		}
		all = append(all, c.found...)
	}
	return all, nil
}

// checker holds a plan to the rules of one set.
type checker struct {
	set    *set
	value  cue.Value // of the set, with the plan in it
	was    *schema.Config
	steps  []*Step
	values [][]cue.Value // of the forms of the steps
	found  []plan.Violation
	broken bool // the plan is not as constraints on it say
}

func (c *checker) encode(o *plan.Outline, done []Step) {
	for i := range done {
		c.steps = append(c.steps, &done[i])
	}
	planned := Steps(o)
	for i := range planned {
		c.steps = append(c.steps, &planned[i])
	}
	for _, s := range c.steps {
		var values []cue.Value
		for _, f := range s.forms(c.was) {
			values = append(values, c.set.ctx.Encode(f))
		}
		c.values = append(c.values, values)
	}
}

// rule holds the plan to one rule.
func (c *checker) rule(r *rule) error {
	for _, field := range []string{"where", "deny", "require", "total"} {
		v, ok := r.of(c.value, field)
		if !ok {
			continue
		}
		if err := undecided(v); err != nil {
			if c.broken {
				return nil // what it refers to is not as it should be, which is said already
			}
			return schema.Problems{{Pos: labelPos(v), Text: fmt.Sprintf("rule %q cannot be decided: %s", r.name, said(errors.Errors(err)[0]))}}
		}
	}
	where, some := r.of(c.value, "where")
	deny, denies := r.of(c.value, "deny")
	require, requires := r.of(c.value, "require")
	var chosen, denied, lacking []*Step
	why, forbidden := map[*Step]string{}, map[*Step]string{}
	for i, s := range c.steps {
		is, bad, lacks := false, false, false
		before := "" // said of what only the labels of before are to blame for
		for j, v := range c.values[i] {
			if some && !instance(c.set.ctx, where, v) {
				continue
			}
			is = true
			if s.done {
				continue
			}
			if denies && !bad && instance(c.set.ctx, deny, v) {
				bad, before = true, byLabels(j)
			}
			if requires && !lacks && !complies(c.set.ctx, require, v) {
				lacks = true
				why[s] = byLabels(j) + ": " + differs(c.set.ctx, require, v, "").text
			}
		}
		if is {
			chosen = append(chosen, s)
		}
		if bad {
			denied = append(denied, s)
			forbidden[s] = before
		}
		if lacks {
			lacking = append(lacking, s)
		}
	}
	if len(denied) > 0 {
		c.breaks(r, deny, are(denied, "forbidden"), denied, func(s *Step) string { return forbidden[s] })
	}
	if len(lacking) > 0 {
		c.breaks(r, require, are(lacking, "not as required"), lacking, func(s *Step) string { return why[s] })
	}
	if limit, ok := r.of(c.value, "total"); ok {
		c.totals(r, limit, chosen)
	}
	return nil
}

// byLabels tells the form of a step that it has from those it had.
func byLabels(form int) string {
	if form == 0 {
		return ""
	}
	return ", by the labels before this change"
}

func are(steps []*Step, what string) string {
	if len(steps) == 1 {
		return "a step is " + what
	}
	return fmt.Sprintf("%d steps are %s", len(steps), what)
}

// undecided is the error of a pattern, or of a field in it, that refers to what
// is not there.
func undecided(v cue.Value) error {
	if err := v.Err(); err != nil {
		return err
	}
	if v.IncompleteKind() != cue.StructKind {
		return nil
	}
	it, err := v.Fields(cue.Optional(true))
	for err == nil && it.Next() {
		if err := undecided(it.Value()); err != nil {
			return err
		}
	}
	return nil
}

// totals holds what steps come to, all together or by volume or node, to a limit.
func (c *checker) totals(r *rule, limit cue.Value, steps []*Step) {
	per := ""
	if v, ok := r.of(c.value, "per"); ok {
		per, _ = v.String()
	}
	groups := map[string][]*Step{}
	for _, s := range steps {
		switch key := s.Volume; {
		case per == "":
			groups[""] = append(groups[""], s)
		case per == "node":
			groups["node "+string(s.Node)] = append(groups["node "+string(s.Node)], s)
		case key != "":
			groups["volume "+key] = append(groups["volume "+key], s)
		}
	}
	if per == "" && len(steps) == 0 {
		groups[""] = nil
	}
	for _, key := range sorted(groups) {
		t := c.set.ctx.Encode(sum(groups[key]))
		if instance(c.set.ctx, limit, t) {
			continue
		}
		d := differs(c.set.ctx, limit, t, "")
		about := ""
		if key != "" {
			about = key + ": "
		}
		c.breaks(r, d.at(limit), about+d.text, contributors(d.path, groups[key]), func(s *Step) string {
			if d.path == "copyBytes" {
				return ": " + amount.Bytes(s.Bytes)
			}
			return ""
		})
	}
}

// contributors are the steps that a field of a total counts, those that count
// most first.
func contributors(field string, steps []*Step) []*Step {
	steps = slices.DeleteFunc(slices.Clone(steps), func(s *Step) bool {
		switch risk, ok := strings.CutPrefix(field, "risks."); {
		case ok:
			return string(s.Risk) != risk
		case field == "copyBytes":
			return s.Bytes == 0
		case field == "pauses":
			return !s.Holds
		case field == "volumes":
			return s.Volume == ""
		}
		return false
	})
	if field == "copyBytes" {
		slices.SortStableFunc(steps, func(a, b *Step) int { return cmp.Compare(b.Bytes, a.Bytes) })
	}
	return steps
}

// maxDetails is how many steps a violation shows.
const maxDetails = 5

// breaks notes a violation.
func (c *checker) breaks(r *rule, at cue.Value, text string, steps []*Step, more func(*Step) string) {
	v := plan.Violation{Rule: r.name, At: cmp.Or(labelPos(at), r.pos).String(), Text: text, Steps: []int{}, Details: []string{}}
	if b, ok := r.of(c.value, "because"); ok {
		v.Because, _ = b.String()
	}
	for _, s := range steps {
		if !s.done {
			v.Steps = append(v.Steps, s.Number)
		}
		if len(v.Details) < maxDetails {
			v.Details = append(v.Details, s.describe()+more(s))
		}
	}
	if n := len(steps) - maxDetails; n > 0 {
		v.Details = append(v.Details, fmt.Sprintf("and %d more", n))
	}
	c.found = append(c.found, v)
}

// describe is the step in a line.
func (s *Step) describe() string {
	name := fmt.Sprintf("step %d on %s", s.Number, s.Node)
	if s.done {
		name = fmt.Sprintf("done, on %s", s.Node)
	}
	if s.At != "" {
		name += " (" + s.At + ")"
	}
	text := fmt.Sprintf("%s, %s: %s", name, s.Section, s.Text)
	if s.Risk != plan.RiskCreate {
		text += fmt.Sprintf("  [%s]", s.Risk)
	}
	return text
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
