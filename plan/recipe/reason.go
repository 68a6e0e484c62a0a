package recipe

import (
	"fmt"

	"strata/schema"
)

// reason is why steps are done, and what in the configuration caused it. It is
// given with the steps: what is said of some says nothing of those that follow.
type reason struct {
	text string
	pos  schema.Pos
}

// because makes a reason; pos is nowhere where the configuration says nothing of it.
func because(pos schema.Pos, format string, args ...any) reason {
	return reason{fmt.Sprintf(format, args...), pos}
}
