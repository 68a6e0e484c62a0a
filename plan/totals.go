package plan

import (
	"fmt"
	"strings"

	"strata/amount"
	"strata/lineage"
)

// Totals count a plan's steps.
type Totals struct {
	Steps     int          `json:"steps"`
	Risks     map[Risk]int `json:"risks"`     // of each of Risks
	Pauses    int          `json:"pauses"`    // how often the I/O of a volume's hosts is held
	CopyBytes int64        `json:"copyBytes"` // at most
}

// Totals counts the plan's steps.
func (p *Plan) Totals() Totals {
	t := Totals{Risks: map[Risk]int{}}
	for _, r := range Risks {
		t.Risks[r] = 0
	}
	for s := range p.sections() {
		for step := range s.Steps() {
			t.Steps++
			t.Risks[step.Risk]++
			t.CopyBytes += step.Bytes
			if step.HoldBegins {
				t.Pauses++
			}
		}
	}
	return t
}

// holds notes for which steps hosts wait.
func (p *Plan) holds() {
	for s := range p.sections() {
		held := holding{}
		for step := range s.Steps() {
			step.HoldBegins, step.HostsWait = held.step(step)
		}
	}
}

// holding has the exports of a section whose hosts wait.
type holding map[lineage.NQN]bool

// step follows a step: whether hosts begin to wait with it, and whether any
// wait while it is carried out.
func (h holding) step(step *Step) (begins, during bool) {
	during = len(h) > 0
	if nqn := step.Begins(); nqn != "" {
		begins = !h[nqn]
		h[nqn] = true
	}
	delete(h, step.Op.Facts().Hosts.Ends())
	return begins, during || begins
}

// Summary is the plan in one line.
func (p *Plan) Summary() string { return Summary(p.Totals(), len(p.Blocked)) }

func Summary(t Totals, blocked int) string {
	text := "Nothing to do"
	if t.Steps > 0 {
		text = fmt.Sprintf("%s: %s", amount.Of(t.Steps, "step"), strings.Join(t.words(), ", "))
	}
	for _, part := range t.burden() {
		text += "; " + part
	}
	if blocked > 0 {
		text += fmt.Sprintf("; %d not done", blocked)
	}
	return text + "."
}

// words counts the steps of each risk.
func (t Totals) words() []string {
	var parts []string
	for _, r := range Risks {
		if t.Risks[r] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", t.Risks[r], r))
		}
	}
	return parts
}

// burden is what hosts and disks notice.
func (t Totals) burden() []string {
	var parts []string
	switch {
	case t.Pauses == 1:
		parts = append(parts, "I/O held once")
	case t.Pauses > 1:
		parts = append(parts, fmt.Sprintf("I/O held %d times", t.Pauses))
	}
	if t.CopyBytes > 0 {
		parts = append(parts, fmt.Sprintf("at most %s copied", amount.Bytes(t.CopyBytes)))
	}
	return parts
}
