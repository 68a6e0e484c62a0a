// Package policy owns the rules that an organisation has for plans: it reads
// them from CUE files, and says which of them a plan breaks. It does not change
// plans.
package policy

import (
	_ "embed"

	"cuelang.org/go/cue"

	"strata/schema"
)

//go:embed policy.cue
var source string

// Source returns the CUE schema of a policy, with its documentation.
func Source() string { return source }

// Policy is what a plan has to keep to.
type Policy struct {
	// Was is the configuration before the change that the plan is for; nil: it
	// is not known. Labels that a volume or a node had count as those it has.
	Was *schema.Config

	sets []*set
}

// set is the policy of one directory.
type set struct {
	dir   string
	ctx   *cue.Context // of value
	value cue.Value
	rules []*rule
	plan  bool // it names the plan
	names []name
	// unread are files and directories beside those that count.
	unread []string
}

// rule is one of a set's.
type rule struct {
	name string
	pos  schema.Pos
}

// paths of a set's value.
var (
	rulesPath = cue.ParsePath("rules")
	planPath  = cue.ParsePath("plan")
)

// of finds a field of the rule in a set's value.
func (r *rule) of(v cue.Value, field string) (cue.Value, bool) {
	f := v.LookupPath(cue.MakePath(cue.Str("rules"), cue.Str(r.name), cue.Str(field)))
	return f, f.Exists()
}
