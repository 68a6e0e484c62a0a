package plan

import "fmt"

// Violation is a rule of a policy that a plan breaks.
type Violation struct {
	Rule    string   `json:"rule"`
	At      string   `json:"at"` // file:line:column of the rule
	Text    string   `json:"text"`
	Details []string `json:"details"` // the steps that break it, in words, or the first of them
	Because string   `json:"because,omitempty"`
	Steps   []int    `json:"steps"` // numbers of the steps that break it
}

func (v Violation) String() string {
	return fmt.Sprintf("rule %q (%s): %s", v.Rule, v.At, v.Text)
}

// Lines are all that is to be said of a violation.
func (v Violation) Lines() []string {
	lines := []string{v.String()}
	for _, d := range append(v.Details, v.Because) {
		if d != "" {
			lines = append(lines, "    "+d)
		}
	}
	return lines
}

func (p *printer) violations(list []Violation) {
	for _, v := range list {
		for i, line := range v.Lines() {
			if i == 0 {
				line = "Forbidden: " + line
			}
			p.line("%s", line)
		}
	}
	if len(list) > 0 {
		p.line("")
	}
}
