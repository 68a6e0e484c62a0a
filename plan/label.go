package plan

import (
	"strings"

	"strata/lineage"
)

// Label is what a reader calls a bdev that the plan knows by UUID: an lvol by
// node, lvstore and name, as it is called at that step.
type Label string

// labelled is an op that names bdevs which a reader knows by another name.
type labelled interface {
	// label fills in what they are called.
	label(called func(bdev string) Label) Op
}

// WithLabels fills in what an op's bdevs are called.
func WithLabels(op Op, called func(bdev string) Label) Op {
	if l, ok := op.(labelled); ok {
		return l.label(called)
	}
	return op
}

// lvol takes the label of an lvol apart: where it is, and its name.
func (l Label) lvol() (place string, name lineage.LvolName, ok bool) {
	i := strings.LastIndexByte(string(l), '/')
	if i < 0 {
		return "", "", false
	}
	return string(l[:i]), lineage.LvolName(l[i+1:]), true
}
