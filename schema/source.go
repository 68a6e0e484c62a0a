package schema

import _ "embed"

//go:embed schema.cue
var source string

// Source returns the CUE schema of a configuration, with its documentation.
func Source() string { return source }
