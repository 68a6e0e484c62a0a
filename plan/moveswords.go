package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"strata/amount"
)

// Words say what moves, from where to where, and what of that matters.
func (m Move) Words() string {
	if m.Engine {
		return fmt.Sprintf("%s: the engine from %s to %s", m.Volume, m.From, m.To)
	}
	text := fmt.Sprintf("%s: a replica from %s to %s, %s", m.Volume, m.From, m.To, m.size())
	if m.Ends > 0 {
		text += fmt.Sprintf(", from %s to %s at the soonest", lasting(m.Begins), lasting(m.Ends))
	}
	return text + fmt.Sprintf("; never fewer than %d current", m.Copies)
}

// size is how much is copied of a replica. Where no step copies any, it was copied before, or
// is written elsewhere: how much that was or will be the plan does not know.
func (m Move) size() string {
	if m.Bytes == 0 {
		return "nothing copied by this plan"
	}
	return amount.Bytes(m.Bytes)
}

func lasting(seconds int64) string { return (time.Duration(seconds) * time.Second).String() }

// tells reports whether moves say more than the steps do.
func tells(list []Move) bool {
	return slices.ContainsFunc(list, func(m Move) bool { return !m.Engine || m.Why != "" })
}

// moves writes what moves, in the order in which it is copied, and what that comes to.
func (p *printer) moves(list []Move) {
	if !tells(list) {
		return
	}
	p.line("Moves, in the order in which they are copied:")
	for _, m := range list {
		why := ""
		if m.Why != "" {
			why = "  # " + m.Why
		}
		p.line("    %s%s", m.Words(), why)
	}
	if len(list) > 1 {
		p.line("    in all %s", Moved(list))
	}
	p.line("")
}

// Moved says what moves come to.
func Moved(list []Move) string {
	var replicas, engines int
	var bytes, ends int64
	for _, m := range list {
		if m.Engine {
			engines++
			continue
		}
		replicas++
		bytes += m.Bytes
		ends = max(ends, m.Ends)
	}
	var parts []string
	if replicas > 0 {
		parts = append(parts, fmt.Sprintf("%s (at most %s are copied)", amount.Of(replicas, "replica"), amount.Bytes(bytes)))
	}
	if engines > 0 {
		parts = append(parts, amount.Of(engines, "engine"))
	}
	text := strings.Join(parts, " and ")
	if ends > 0 {
		text += fmt.Sprintf(", which takes %s at the soonest by the bandwidth that is set", lasting(ends))
	}
	return text + "."
}
