package apply

import (
	"strings"

	"strata/plan"
)

// approval asks whether what is planned may be carried out.
type approval struct {
	confirm func(*plan.Plan) bool // nil approves of everything
	given   string                // to a plan that did this
}

// of asks for approval of a plan, unless it was given to one that does the same.
func (a *approval) of(p *plan.Plan) bool {
	if a.confirm == nil || p.Empty() {
		return true
	}
	var all []string
	for _, pass := range p.Passes {
		for _, s := range pass.Sections {
			all = append(all, fingerprint(s))
		}
		all = append(all, "")
	}
	if what := strings.Join(all, "\n"); what != a.given {
		if !a.confirm(p) {
			return false
		}
		a.given = what
	}
	return true
}
