package world

import (
	"fmt"

	"strata/plan"
	"strata/state"
)

// makeLinkKeys has the files of a pair of keys on both ends of a link.
func (w *World) makeLinkKeys(to *state.Node, op plan.LinkKeysMake) error {
	if op.Keys.Link.To != to.Name || w.Nodes[op.Keys.Link.From] == nil {
		return fmt.Errorf("keys of the link %v are not made on %s", op.Keys.Link, to.Name)
	}
	names := w.cluster.LinkKeyNames(op.Keys)
	for _, n := range []*state.Node{to, w.edit(op.Keys.Link.From)} {
		n.AddKeyFile(names.Key)
		n.AddKeyFile(names.CtrlKey)
	}
	return nil
}
