package policy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"cuelang.org/go/cue"

	"strata/plan"
	"strata/schema"
)

// name is a name that a rule has, written out.
type name struct {
	what string // "node" or "volume"
	text string
	rule string
	pos  schema.Pos
}

// names notes which nodes and volumes a pattern of a rule names, and reports
// operations that there are not: a constraint such as !="LvolDelte" would hold
// for every step.
func (r *reader) names(rule, field string, pattern cue.Value) {
	for _, p := range alternatives(pattern) {
		for _, what := range []string{"op", "node", "volume"} {
			v := p.LookupPath(cue.MakePath(cue.Str(what)))
			if !v.Exists() {
				v = p.LookupPath(cue.MakePath(cue.Str(what).Optional()))
			}
			all := literals(v)
			if what == "op" && v.Exists() && len(all) == 0 && v.Validate() == nil && !slices.ContainsFunc(plan.OpNames(), func(op string) bool { return instance(r.set.ctx, v, r.set.ctx.Encode(op)) }) {
				r.problem(v, "", "rule %q: %s.op: no operation is %s", rule, field, written(v))
			}
			for _, text := range all {
				switch {
				case what != "op":
					r.set.names = append(r.set.names, name{what, text, rule, labelPos(v)})
				case !slices.Contains(plan.OpNames(), text):
					r.problem(v, schema.Hint(text, "operations", plan.OpNames()), "rule %q: %s.op: no operation is called %q", rule, field, text)
				}
			}
		}
	}
}

// literals are the texts that a constraint compares with.
func literals(v cue.Value) []string {
	if !v.Exists() {
		return nil
	}
	if text, err := v.String(); err == nil {
		return []string{text}
	}
	var all []string
	switch op, args := cue.Dereference(v).Expr(); op {
	case cue.OrOp, cue.AndOp, cue.NotEqualOp:
		for _, a := range args {
			all = append(all, literals(a)...)
		}
	}
	return all
}

// Notes says what in the policy may not be as it was meant: nodes and volumes
// that are named and not there, by any of the configurations and by the plan, and
// files that are not read. A policy may be for several clusters, so that is no error.
func (p *Policy) Notes(o *plan.Outline, configs ...*schema.Config) []plan.Finding {
	there := map[string][]string{}
	for _, cfg := range configs {
		for _, n := range cfg.Nodes {
			there["node"] = append(there["node"], string(n.Name))
		}
		for _, v := range cfg.Volumes {
			there["volume"] = append(there["volume"], v.Name)
		}
	}
	for _, s := range Steps(o) {
		there["volume"] = append(there["volume"], s.Volume)
	}
	var out []plan.Finding
	said := map[name]bool{}
	for _, s := range p.sets {
		for _, n := range s.names {
			key := n
			key.pos = schema.Pos{}
			if slices.Contains(there[n.what], n.text) || said[key] {
				continue
			}
			said[key] = true
			known := slices.Compact(slices.Sorted(slices.Values(there[n.what])))
			hint := schema.Hint(n.text, n.what+"s", known)
			if !strings.HasPrefix(hint, "did you mean") {
				hint = ""
			}
			out = append(out, plan.Finding{About: "policy " + s.dir, Text: fmt.Sprintf("rule %q names %s %q, and there is none of that name", n.rule, n.what, n.text), Hint: hint, Pos: n.pos})
		}
		for _, file := range s.unread {
			out = append(out, plan.Finding{About: "policy " + s.dir, Text: fmt.Sprintf("%s is not read: a policy is the files that end in .cue and begin with neither . nor _, of one directory", filepath.Base(file))})
		}
	}
	return out
}
