package state

import (
	"errors"
	"strings"

	"strata/spdk"
)

// whyUnread says why a node was not read. Calls that read change nothing: of a target that
// was not reached, or gave no answer, it does not matter which call that was, and it is the
// same trouble whichever it is.
func whyUnread(err error) string {
	var e *spdk.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Cause()
	switch {
	case text == "":
		return err.Error()
	case e.Class == spdk.Unreachable:
		return "it cannot be reached: " + text
	case e.Class == spdk.Unknown && !strings.HasPrefix(text, "no answer"):
		return "it gave no answer: " + text
	case e.Class == spdk.Unknown:
		return text
	}
	return err.Error()
}
